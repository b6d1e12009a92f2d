"""Every sentence the app shows: pages, empty states and status words; the rest comes through this door.

Definitions of metrics stand in `app.glossary`, first lines of pages in `app.headlines`, numbers in
`app.formats`.
"""

from __future__ import annotations

from dataclasses import dataclass

from analytics.experiments.rows import Call, Scorecard
from analytics.experiments.rows import Verdict as Action
from app.formats import (
    NONE,
    STATUS_WORDS,
    count,
    day,
    in_window,
    interval,
    listed,
    number,
    percent,
    plural,
    points,
    short,
    signed,
    window_name,
)
from app.glossary import CHARTS, DRIFT, EXPERIMENTS, METRICS, Explanation, explain, show, title, unit
from app.headlines import (
    State,
    Verdict,
    drift_headline,
    drift_verdict,
    examples_headline,
    overview_line,
    quality_headline,
    quality_verdict,
    segments_headline,
    segments_verdict,
    telemetry_headline,
)

__all__ = [
    "CALL_WORDS",
    "CHARTS",
    "DRIFT",
    "EMPTY",
    "EXPERIMENTS",
    "METRICS",
    "NONE",
    "PAGES",
    "STATE_WORDS",
    "STATUS_WORDS",
    "Empty",
    "Explanation",
    "Page",
    "State",
    "Verdict",
    "count",
    "day",
    "drift_headline",
    "drift_verdict",
    "examples_headline",
    "experiment_line",
    "explain",
    "in_window",
    "interval",
    "listed",
    "number",
    "overview_line",
    "percent",
    "plural",
    "points",
    "quality_headline",
    "quality_verdict",
    "segments_headline",
    "segments_verdict",
    "short",
    "show",
    "signed",
    "telemetry_headline",
    "title",
    "unit",
    "window_name",
]


@dataclass(frozen=True)
class Page:
    """A page's name and the question it answers."""

    title: str
    question: str


@dataclass(frozen=True)
class Empty:
    """What a page says where it has nothing to show.

    Attributes:
        title: what is the case.
        body: why, and what to do about it.
        action: the words of the button that does it, or None.
    """

    title: str
    body: str
    action: str | None = None


PAGES = {
    "overview": Page("Overview", "What needs attention now, for every model?"),
    "quality": Page("Quality", "How good, with which intervals, since when?"),
    "outcomes": Page("Metrics", "Does the product do what it is for: over time, against its targets?"),
    "drift": Page("Drift", "Which inputs, outputs and labels moved, beyond noise?"),
    "labels": Page("Labels", "How many labels, how late, from whom, and what does that do to quality?"),
    "features": Page("Features", "What is each input like, over time and where it goes wrong?"),
    "changed": Page("What changed", "Why did a number change: mix or model, since when, where?"),
    "segments": Page("Segments", "Where is it worse?"),
    "examples": Page("Examples", "Which rows are behind the numbers?"),
    "scorecard": Page("Scorecard", "Did it win, and can the comparison be trusted?"),
    "plan": Page("Plan", "How many units, for how long, to show which effect?"),
    "alerts": Page("Alerts", "What fires, why, since when, and who knows?"),
    "telemetry": Page("Telemetry", "What arrives, how much, how fresh, what is damaged?"),
}

EMPTY = {
    "no_project": Empty(
        "No project yet",
        "Assay reads an `assay.toml` that says where the logs are. `assay init LOGS` looks at some logs "
        "and proposes one.",
    ),
    "no_logs": Empty(
        "No logs yet",
        "The project file names files that hold no rows so far. As soon as predictions are written there, "
        "they appear here; nothing has to be loaded.",
    ),
    "nothing_in_window": Empty(
        "Nothing in this window",
        "There are logs, but none between these times.",
        "Go to the newest data",
    ),
    "too_narrow": Empty(
        "No row fits the filters",
        "Each filter may fit rows while all of them together fit none.",
        "Clear the filters",
    ),
    "no_labels": Empty(
        "No labels in this window",
        "Quality needs to know what came true. Labels arrive later than predictions; drift needs none and "
        "can be looked at meanwhile.",
        "Look at drift",
    ),
    "no_map": Empty(
        "Nothing to draw a map of",
        "A map places rows by their features or by an embedding. Name `features` or `embeddings` in the section "
        "[predictions] of the project file.",
    ),
    "no_pins": Empty(
        "No row is pinned yet",
        "Open a row that a version got wrong and pin it into a set, say *storms*. Each new version then shows how many "
        "of these rows it gets right, so that what was mended stays mended. Or `assay pin PROJECT ROW --set NAME --by "
        "WHO`.",
    ),
    "no_id": Empty(
        "Predictions have no id",
        "What people say is brought back to its row by the id that the row carries. Name the column in the project "
        "file.",
    ),
    "no_label_section": Empty(
        "No labels are declared",
        "Quality needs to know what came true. Name a feed of labels that is joined by id, or columns of the "
        "predictions, in the project file.",
    ),
    "no_alerts": Empty(
        "No rule is declared",
        "A rule says which number is looked at, and from where on somebody is told: copy the lines below into the "
        "project file and change them. `assay check` says how it stands, `assay watch` keeps looking and tells.",
    ),
    "no_chaos": Empty(
        "No chaos window is declared",
        "Where something was broken on purpose, say when, where and what was expected: copy the lines below into the "
        "project file and change them. Assay then says what the fault reached, how long it lasted, and whether the "
        "expectation held.",
    ),
    "no_reference": Empty(
        "Nothing to compare with",
        "Drift is a difference from what was normal. Name a window or files under `[reference]` in the "
        "project file.",
    ),
    "no_features": Empty(
        "No features are logged",
        "The predictions hold no columns besides those with a role, so only scores and labels can drift.",
    ),
    "no_segments": Empty(
        "No segments are declared",
        'Name columns to slice by in the project file, for example `segments = ["country"]` under '
        "`[predictions]`.",
    ),
    "no_splits": Empty(
        "Only production is logged",
        "Log the scores of training, validation and test rows as well, say in a column which is which, and the same "
        "metrics stand side by side here: overfitting, a test set unlike production, and drift since are told apart.",
    ),
    "no_objectives": Empty(
        "No objective is declared",
        "Say in the project file which requests are good and what share of them should be (`[objectives.NAME]`), as "
        "below: the page then says what is left of the budget, and how fast it burns.",
    ),
    "no_assertions": Empty(
        "No assertion is declared",
        "Say in the project file what every row should meet (`[assertions.NAME]`), as below: over one row, over the "
        "row before of the same unit, or over groups of rows.",
    ),
    "no_metrics": Empty(
        "No metric is declared",
        "Tell the project file what users do (`[events]`) and what of it counts (`[metrics.NAME]`), as below; numbers "
        "that belong to nobody go under `[series]`. The same metrics decide experiments.",
    ),
    "no_experiments": Empty(
        "No experiment is declared",
        "Tell the project file where it is logged who saw which arm (`[exposures]`, or `[units]` with one row a "
        "unit), what is measured (`[metrics]`) and which arms there are (`[experiments.NAME]`), as below. Counts or "
        "means typed by hand can be compared without any logs.",
    ),
    "no_predictions": Empty(
        "This project logs no predictions",
        "Quality, drift, segments and examples are about a model's predictions, and its project file declares none. "
        "Its experiments stand on the Scorecard.",
        "Open the scorecard",
    ),
    "no_exposures": Empty(
        "Nobody was exposed yet",
        "The logs hold no unit of a declared arm between the start and the end of this experiment. Arms are compared "
        "as text: the names under `variants` must be those that are logged. As soon as exposures are written, they "
        "count here.",
    ),
    "no_plan": Empty(
        "Nothing is planned yet",
        "Give the control's value and either the effect that is to be seen or the number of units; the rest follows.",
    ),
    "too_few": Empty(
        "Too few rows to say",
        "A number from so few rows would say more about chance than about the model. A longer window helps.",
        "Double the window",
    ),
    "time_limit": Empty(
        "Stopped at the time limit",
        "The query ran longer than allowed. A smaller window or a coarser grain needs less.",
        "Halve the window",
    ),
}

STATE_WORDS: dict[State, tuple[str, str]] = {
    "worse": ("Worse", ":material/trending_down:"),
    "changed": ("Changed", ":material/swap_vert:"),
    "better": ("Better", ":material/trending_up:"),
    "same": ("No change", ":material/horizontal_rule:"),
    "unknown": ("Cannot say", ":material/help:"),
}
"""Word and sign of each state: a verdict never rests on colour alone."""

CALL_WORDS: dict[Call, tuple[str, str]] = {
    "won": ("Won", ":material/trophy:"),
    "lost": ("Lost", ":material/trending_down:"),
    "mixed": ("Mixed", ":material/swap_vert:"),
    "too small": ("Too small to matter", ":material/unfold_less:"),
    "undecided": ("Undecided", ":material/horizontal_rule:"),
    "harmed": ("Harmed", ":material/report:"),
    "invalid": ("Not valid", ":material/block:"),
    "unknown": ("Cannot say", ":material/help:"),
}
"""The same for what an experiment comes to."""

_ACTIONS: dict[Action, str] = {
    "ship": "Ship", "hold": "Hold", "harm": "Harm", "inconclusive": "Inconclusive", "needs n": "Needs more units",
}  # fmt: skip


def experiment_line(card: Scorecard) -> str:
    """What an experiment comes to, in a word and a sentence; with how many units are missing where they are."""
    word = _ACTIONS[card.decision.word]
    mine = [
        row
        for row in card.headline_rows()
        if row.variant == card.decision.variant and row.role != "secondary"
    ]
    missing = max((row.needs_n or 0 for row in mine), default=0)
    if card.decision.word == "needs n" and missing:
        word = f"Needs {plural(missing, 'more unit')}"
    return f"{word}: {card.decision.sentence}"
