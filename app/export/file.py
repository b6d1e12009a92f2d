"""A scorecard written to disk: whole, or not at all."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from analytics.errors import ExperimentError
from analytics.experiments.rows import Scorecard
from analytics.scope import Scope
from analytics.workbench import Workbench
from app.charts.experiment_tables import records_table
from app.charts.export import to_csv
from app.export.about import about
from app.export.scorecard import scorecard_html

ENDINGS = (".html", ".csv")


def check_ending(path: Path) -> None:
    """Refuse a file whose format its name does not tell.

    Raises:
        ExperimentError: it ends in something else.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ExperimentError(
            f"{path}: a scorecard is written as {' or '.join(ENDINGS)}; give the file such a name"
        )


def save(path: Path, bench: Workbench, card: Scorecard, scope: Scope) -> None:
    """Write a scorecard in the format its name ends in; a file that is there is replaced when the new one is whole.

    Raises:
        ExperimentError: it cannot be written there, or the name ends in something else.
    """
    check_ending(path)
    if path.suffix.lower() == ".csv":
        content = to_csv(records_table(card))
    else:
        content = scorecard_html(card, about(bench, card, scope, datetime.now(UTC)))
    try:
        _replace(path, content)
    except OSError as problem:
        raise ExperimentError(f"{path}: cannot be written ({problem.strerror or problem})") from None


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
