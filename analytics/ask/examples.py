"""Examples: the rows behind a number, with their logged columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import get_args

from analytics.ask.example_bounds import KnownScores, known_counts, known_scores
from analytics.ask.example_kinds import Gathered, gather
from analytics.ask.example_problems import pool_size, spread
from analytics.ask.example_rows import MASK, Asking, Found, Logged, example_rows, logged_of
from analytics.ask.windows import resolve, versions_of
from analytics.errors import ScopeError
from analytics.examples.rows import ExampleKind, ExampleRow
from analytics.examples.select import counted
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import reads_labels

__all__ = ["MASK", "MOST_EXAMPLES", "Logged", "examples_of", "kinds_of", "logged_of"]

MOST_EXAMPLES = 10_000
MOST_DIVERSE = 500
_NOTHING = "no prediction in this window with these filters"


def examples_of(
    catalog: Catalog,
    scope: Scope,
    kind: ExampleKind,
    k: int = 20,
    *,
    per_class: bool = False,
    diverse: bool = False,
) -> Results[ExampleRow]:
    """The k rows of a scope that are worst, most uncertain, best, drawn at random, and so on.

    Worst and best go by the loss of the row (see `analytics.examples.select`) and leave out rows without a
    label. Uncertain rows are those nearest to the decision boundary of their version (binary) or of highest
    entropy (multiclass). The random draw is always the same. Disagreeing rows are requests that versions saw most
    differently; suspected labels and rows unlike the reference are looked for in seeded samples, whose size a note
    tells. Ties go by time, id, file and row. Grain, ``by`` and confidence do not apply.

    Args:
        catalog: the project's views.
        scope: window, as-of, versions and filters.
        kind: which rows.
        k: how many rows; of each class where ``per_class``.
        per_class: by true class for worst, best, disagreeing and suspected labels, by decided class for the others.
        diverse: k rows for as many problems as there are (`analytics.examples.diverse`), not the k first.

    Raises:
        ScopeError: the project has no such examples, or k is out of range.
    """
    _check(catalog, kind, k, per_class=per_class, diverse=diverse)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    versions = versions_of(catalog, scope)
    zone = catalog.project.zone
    if not windows:
        return Results((), zone, notes=("the logs hold no prediction",))
    asking = Asking(catalog)
    # a plain random draw leaves nothing out, so there is nothing to count
    counting = kind != "random" or per_class or diverse
    scores = None if reads_labels(scope) else known_scores(catalog, scope)
    counts = _counts(asking, scope, kind, scores) if counting else None
    notes = _left_out(catalog, counts, kind, per_class=per_class) if counts else []
    n = pool_size(k, counts) if diverse and counts else k
    gathered = gather(asking, scope, kind, n, versions, per_class=per_class, scores=scores)
    if diverse:
        chosen, said = spread(asking, scope, kind, gathered, k, per_class=per_class)
    else:
        chosen, said = _ranked(gathered, k), []
    notes = [*notes, *gathered.notes, *said]
    if not chosen and not notes:
        notes = [_NOTHING]
    return Results(tuple(example_rows(asking, chosen)), zone, tuple(asking.texts), tuple(notes))


def kinds_of(catalog: Catalog) -> tuple[ExampleKind, ...]:
    """The kinds of examples that this project's logs can show."""
    return tuple(kind for kind in get_args(ExampleKind) if _refusal(catalog, kind) is None)


def _counts(asking: Asking, scope: Scope, kind: ExampleKind, scores: KnownScores | None) -> dict[str, int]:
    """How many rows there are, and how many lack what an example needs; labels are joined only to count those."""
    counts_labels = kind in {"worst", "best", "suspected-labels"} and asking.catalog.has_labels
    if scores is not None or not counts_labels:
        known = known_counts(asking.catalog, scope, scores)
        if known is not None:
            asking.texts.append(known[1].text)
            return known[0]
    return asking.records(counted(asking.catalog, scope))[0]


def _ranked(gathered: Gathered, k: int) -> list[tuple[int, Found]]:
    """The first k, of each class where they are ranked by class."""
    places = Counter[str | None]()
    chosen = []
    for found in gathered.found:
        places[found.class_] += 1
        if places[found.class_] <= k:
            chosen.append((places[found.class_], found))
    return chosen


def _check(catalog: Catalog, kind: ExampleKind, k: int, *, per_class: bool, diverse: bool) -> None:
    if kind not in get_args(ExampleKind):
        raise ScopeError(f'kind "{kind}" is not one of: {", ".join(get_args(ExampleKind))}')
    most = MOST_DIVERSE if diverse else MOST_EXAMPLES
    if not 1 <= k <= most:
        raise ScopeError(f"k {k:,} must be from 1 to {most:,}{' where rows are diverse' if diverse else ''}")
    refusal = _refusal(catalog, kind)
    if refusal is not None:
        raise ScopeError(refusal)
    if per_class and catalog.predictions.task == "regression":
        raise ScopeError("a regression has no classes; leave out per class")


def _refusal(catalog: Catalog, kind: ExampleKind) -> str | None:
    """Why the project file rules a kind out."""
    section = catalog.predictions
    reasons = {
        "uncertain": (
            section.task == "regression",
            (
                "a regression logs one number and not how sure it is, so no row is known to be uncertain; "
                "ask for worst, best or random"
            ),
        ),
        "disagreeing": (
            section.request is None or section.version is None,
            "disagreeing rows need several versions on the same requests; declare [predictions] request and version",
        ),
        "suspected-labels": (
            not catalog.has_labels,
            "suspected labels need labels; declare [predictions] label, or a [labels] feed",
        ),
        "unlike": (
            "reference" not in catalog.sources or not catalog.features,
            "rows unlike the reference need a [reference] and features; declare them",
        ),
    }
    applies, reason = reasons.get(kind, (False, ""))
    return reason if applies else None


def _left_out(catalog: Catalog, counts: dict[str, int], kind: ExampleKind, *, per_class: bool) -> list[str]:
    n = counts["n"]
    if n == 0:
        return [_NOTHING]
    notes = []
    if kind != "random" and counts["unscored"]:
        notes.append(f"{_of(counts['unscored'], n)} no usable score and {_verb(counts['unscored'])} left out")
    if kind in {"worst", "best", "suspected-labels"}:
        if not catalog.has_labels:
            notes.append("the project declares no labels, so there is no loss; ask for uncertain or random")
        elif count := counts["unlabelled"]:
            notes.append(f"{_of(count, n)} a score but no label and {_verb(count)} left out")
    elif per_class and kind != "disagreeing":
        undecided = counts["undecided" if kind == "random" else "scored_undecided"]
        if undecided:
            notes.append(f"{_of(undecided, n)} no decision and {_verb(undecided)} in no class")
    return notes


def _of(count: int, n: int) -> str:
    return f"{count:,} of {n:,} rows {'has' if count == 1 else 'have'}"


def _verb(count: int) -> str:
    return "is" if count == 1 else "are"
