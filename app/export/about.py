"""What tells where an exported scorecard came from."""

from __future__ import annotations

from datetime import datetime

from analytics.ask.ledger import logs_digest
from analytics.errors import StoreError
from analytics.experiments.ledger import DecisionRow
from analytics.experiments.rows import Scorecard
from analytics.scope import Scope, format_instant
from analytics.workbench import Workbench
from app import __version__
from app.export.scorecard import About


def about(bench: Workbench, card: Scorecard, scope: Scope, now: datetime) -> About:
    """Project, scope, files and decisions of a scorecard.

    Args:
        bench: the open project.
        card: its scorecard.
        scope: that it was asked in.
        now: when the file is made.
    """
    zone = bench.project.zone
    decisions, problem = _decisions(bench, card)
    instants = {
        "Units first exposed from": scope.start,
        "What happened before": scope.end,
        "As known on": scope.as_of,
    }
    facts = [
        ("Project", bench.project.name),
        ("Experiment", card.name or "typed numbers"),
        *((name, format_instant(moment, zone)) for name, moment in instants.items() if moment is not None),
        ("Project file, digest", bench.project.digest),
        *([("Log files (path, size, time), digest", logs_digest(bench.catalog))] if card.name else []),
        *([("Decisions", problem)] if problem else []),
        ("Assay", __version__),
    ]
    return About(bench.project.name, now, zone, tuple(facts), decisions)


def _decisions(bench: Workbench, card: Scorecard) -> tuple[tuple[DecisionRow, ...], str | None]:
    """The decisions; a store that cannot be read is no reason to have no scorecard, and is told."""
    if card.name is None:
        return (), None
    try:
        return bench.decisions(card.name).rows, None
    except StoreError as problem:
        return (), str(problem)
