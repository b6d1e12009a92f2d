"""Questions about decisions: taken on a scorecard, kept in the store, and looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from analytics.ask.experiments import scorecard_of
from analytics.errors import ExperimentError
from analytics.experiments.ledger import (
    DecisionRow,
    SinceRow,
    decision_rows,
    freeze,
    since_rows,
    thaw,
)
from analytics.experiments.rows import Scorecard
from analytics.results import Results
from analytics.scope import Scope, parse_instant
from analytics.store import Entry, Store, add_decision, decisions
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.files import digest
from analytics.telemetry.listing import EXPERIMENT_FEEDS

Known = Literal["now", "then"]


def decide(  # noqa: PLR0913  # what a decision is made of
    catalog: Catalog,
    store: Store,
    scope: Scope,
    name: str,
    *,
    decision: str,
    decided_by: str,
    note: str = "",
    variant: str | None = None,
    corrects: int | None = None,
    confidence: float | None = None,
    token: str | None = None,
) -> DecisionRow:
    """Keep a decision beside the numbers it is taken on.

    Args:
        catalog: the project's logs.
        store: where it is kept.
        scope: of the numbers, as the scorecard takes it.
        name: of the experiment.
        decision: ship, hold or stop.
        decided_by: who; there is no log-in, so whatever they say.
        note: why.
        variant: the arm it is about; where None the one to ship, if there is only one, or the verdict says which.
        corrects: the number of an entry this one takes the place of.
        confidence: of the intervals, as the scorecard takes it.
        token: the same one again keeps nothing twice.

    Raises:
        ExperimentError: there is no such arm, or it is not said which one of several is shipped.
        StoreError: a text is missing or too long, or the store cannot be written.
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    card = scorecard_of(catalog, scope, name, confidence)
    about = _variant(card, decision, variant)
    facts = {
        "file": str(catalog.project.file),
        "project_digest": catalog.project.digest,
        "logs_digest": logs_digest(catalog),
        "release": _release(),
        "start": _instant(scope.start),
        "end": _instant(scope.end),
        "as_of": _instant(scope.as_of),
        "confidence": card.confidence,
        "variant": about,
    }
    entry = add_decision(
        store,
        project=catalog.project.name,
        experiment=name,
        decided_by=decided_by,
        decision=decision,
        note=note,
        corrects=corrects,
        content=freeze(card, facts),
        token=token,
    )
    return decision_rows([entry], logs_digest(catalog), catalog.project.digest)[0]


def decisions_of(catalog: Catalog, store: Store, name: str | None = None) -> Results[DecisionRow]:
    """The decisions of a project, or of one experiment, the oldest first.

    An experiment that the project file does not declare any more keeps its decisions.

    Raises:
        StoreError: the store cannot be read.
    """
    rows = decision_rows(_entries(catalog, store, name), logs_digest(catalog), catalog.project.digest)
    return Results(rows, catalog.project.zone)


def since_of(
    catalog: Catalog, store: Store, name: str, decision_id: int | None = None, known: Known = "now"
) -> Results[SinceRow]:
    """Every number of the decisions on an experiment, then and computed anew over the same units.

    Args:
        catalog: the project's logs.
        store: where decisions are.
        name: of the experiment.
        decision_id: only this one.
        known: what enters: all that is known ``now``, or what was known ``then``, which gives the same numbers
            unless the logs of that time, the project file or Assay are others.

    Raises:
        ExperimentError: there is no such decision.
        StoreError, ProjectError, TelemetryError: as above.
    """
    entries = [
        entry for entry in _entries(catalog, store, name) if decision_id is None or entry.id == decision_id
    ]
    if decision_id is not None and not entries:
        raise ExperimentError(f'there is no decision {decision_id} on "{name}"')
    rows = [row for entry in entries for row in since_rows(entry, _anew(catalog, entry, known))]
    return Results(tuple(rows), catalog.project.zone)


def logs_digest(catalog: Catalog) -> str:
    """Changes when a file that experiments are read from does; those of the model alone do not count."""
    listed = [catalog.listed[name] for name in (*EXPERIMENT_FEEDS, "predictions") if name in catalog.listed]
    return digest(file for files in listed for file in files)


def _entries(catalog: Catalog, store: Store, name: str | None) -> Sequence[Entry]:
    if name is not None and name not in catalog.project.experiments:
        known = decisions(store, catalog.project.name, name)
        if not known:
            catalog.project.require_experiment(name)
        return known
    return decisions(store, catalog.project.name, name)


def _anew(catalog: Catalog, entry: Entry, known: Known) -> Scorecard:
    """The scorecard of a decision's window, as the logs are now."""
    facts = thaw(entry.content).facts
    start, end, as_of = (
        parse_instant(text, catalog.project.zone, entry.decided_at) if isinstance(text, str) else None
        for text in (facts.get("start"), facts.get("end"), facts.get("as_of"))
    )
    level = facts.get("confidence")
    confidence = float(level) if isinstance(level, int | float) else None
    scope = Scope(start=start, end=end, as_of=None if known == "now" else as_of or entry.decided_at)
    return scorecard_of(catalog, scope, entry.experiment, confidence)


def _variant(card: Scorecard, decision: str, named: str | None) -> str | None:
    if named is not None:
        if named not in card.variants:
            raise ExperimentError(
                f'"{named}" is no arm beside the control; there is {" and ".join(card.variants) or "none"}'
            )
        return named
    if decision != "ship":
        return None
    if len(card.variants) == 1:
        return card.variants[0]
    if card.decision.variant is None or card.decision.word != "ship":
        raise ExperimentError(f"say which arm is shipped: {', '.join(card.variants)}")
    return card.decision.variant


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _release() -> str | None:
    try:
        return version("assay-ml")
    except PackageNotFoundError:
        return None
