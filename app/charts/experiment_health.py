"""What speaks for or against a comparison, in lines; the page and the exported scorecard show the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analytics.experiments.health import broken, split_p
from analytics.experiments.rows import Health, Scorecard
from app.charts import experiment_words as numbers
from app.formats import listed, percent, plural

Level = Literal["bad", "look", "fine", "plain"]
EARLY = "This is a look before the planned end."
"""The verdict tells why."""
NOTHING_AGAINST = "Nothing here speaks against this comparison."
NOTHING_IN_LOGS = "Nothing in exposures, units and logs speaks against this comparison."
MORE_CHECKS = "The page's section Trust shows every check."


@dataclass(frozen=True)
class Line:
    """One thing that speaks for or against a comparison."""

    level: Level
    text: str


def health(card: Scorecard) -> list[Line]:
    """What speaks for or against the comparison, the worst first."""
    found = card.health
    lines = [
        *_split_lines(found),
        *_multiple(found),
        *_open_windows(found),
        *_warnings(card),
        *_accepted(card),
    ]
    if found.n_clusters is not None:
        lines.append(
            Line("plain", f"Counted as independent: {plural(found.n_clusters, 'cluster')}, not single units.")
        )
    problems = (found.srm.warnings if found.srm else None) or ""
    for note in found.notes:
        is_named = any(note.startswith((f"{facts.name}:", f"{facts.name} (")) for facts in card.metrics)
        text = note if is_named else note[:1].upper() + note[1:]
        text = text if text.endswith((".", "?")) else f"{text}."
        is_urgent = note in problems or note in card.decision.sentence
        lines.append(Line("look" if is_urgent else "plain", text))
    if found.early is not None:
        lines.append(Line("look", EARLY))
    if not any(line.level in {"bad", "look"} for line in lines):
        lines.append(Line("fine", NOTHING_AGAINST if card.name is None else NOTHING_IN_LOGS))
    order: tuple[Level, ...] = ("bad", "look", "fine", "plain")
    return sorted(lines, key=lambda line: order.index(line.level))


def _split_lines(found: Health) -> list[Line]:
    total = sum(arm.n for arm in found.arms)
    if found.srm is None or not total:
        return []
    arms = listed(
        [
            f"{arm.variant} {percent(arm.n / total)} (planned {percent(arm.planned_share)})"
            for arm in found.arms
        ]
    )
    p = split_p(found.srm)
    if p is None:
        return [Line("look", f"The split cannot be tested: {found.srm.reason}.")]
    said = f"p {numbers.p_value(p)}" if p < 1e-4 else f"p = {numbers.p_value(p)}"
    if broken(found.srm):
        text = f"The split is broken: {arms}; {said}. Find out why before reading anything else here."
        return [Line("bad", text)]
    return [Line("fine", f"The split is as planned: {arms}; {said}.")]


def _multiple(found: Health) -> list[Line]:
    """A few units in several arms are worth a line; many are a problem, and stand among the notes."""
    share = found.n_multiple / max(found.n_units, 1)
    if not found.n_multiple or any("more than one arm" in note for note in found.notes):
        return []
    what = "they are left out" if found.leaves_crossed_out else "the first one counts"
    text = f"{plural(found.n_multiple, 'unit')} ({percent(share)}) saw more than one arm; {what}."
    return [Line("plain", text)]


def _open_windows(found: Health) -> list[Line]:
    if not found.n_open_window:
        return []
    text = f"The metric window of {plural(found.n_open_window, 'unit')} had not closed when the logs end."
    return [Line("look", text)]


def _warnings(card: Scorecard) -> list[Line]:
    """What to bear in mind with single comparisons; what is said of the whole is not said again."""
    said: dict[str, dict[str, None]] = {}
    for row in card.headline_rows():
        of = row.metric if len(card.variants) == 1 else f"{row.metric} of {row.variant}"
        for text in row.warnings.split("; ") if row.warnings else ():
            whole = text in card.health.doubts or text.startswith(
                ("the split is not as planned", "the window of ")
            )
            if not whole:
                said.setdefault(text, {})[of] = None
    return [Line("look", f"{listed(list(where))}: {text}.") for text, where in said.items()]


def _accepted(card: Scorecard) -> list[Line]:
    """Guardrails that are shown to be worse, though not by as much as is accepted."""
    lines = []
    for row in card.headline_rows():
        low, high = row.ci_adjusted_low, row.ci_adjusted_high
        if row.badge != "safe" or low is None or high is None:
            continue
        if low > 0 if row.direction == "down" else high < 0:
            of = row.metric if len(card.variants) == 1 else f"{row.metric} of {row.variant}"
            text = f"{of} is worse, though by less than is accepted: {numbers.effect(row)}."
            lines.append(Line("look", text))
    return lines
