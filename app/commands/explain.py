"""`assay explain`: why did a number change?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

if TYPE_CHECKING:
    from analytics.ask.explain import Explained
    from analytics.explain.rows import ExplainRow
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench

_LISTED = ("whole", "shift", "onset", "slice")


@click.command("explain")
@project_argument
@scope_options
@click.option("--metric", metavar="NAME", help="What changed; log loss or absolute error if left out.")
@click.option(
    "--compare",
    metavar="WHAT",
    help="With the reference, previous, last-week, version=NAME or segment=COLUMN=VALUE; the reference (else the "
    "window before) if left out.",
)
@click.option("--compare-start", metavar="TIME", help="First instant of another window to compare with.")
@click.option("--compare-end", metavar="TIME", help="First instant after it.")
@json_option
def explain_command(
    project: Path | None,
    metric: str | None,
    compare: str | None,
    compare_start: str | None,
    compare_end: str | None,
    *,
    as_json: bool,
    **words: Any,
) -> None:
    """Why a metric changed between two windows: mix or model, since when, where; the parts add up."""
    from app.commands import tables

    by = words.pop("by")

    def question(bench: Workbench, scope: Scope) -> Results[ExplainRow]:
        before = bench.before(scope, compare, *_ends(bench, compare_start, compare_end))
        found = bench.explained(scope, before=before, metric=metric)
        return _kept(found, by, as_json=as_json)

    columns = (
        tables.text("metric", context=True),
        tables.text("version", context=True),
        tables.text("compared_with", "against", context=True),
        tables.text("part"),
        tables.text("segment"),
        tables.text("segment_value", "value"),
        tables.figures("total_effect", "effect"),
        tables.between("ci_low", "ci_high", "interval", drop=2),
        tables.figures("share_of_change", "of change", drop=4),
        tables.figures("mix_effect", "mix", drop=3),
        tables.figures("rate_effect", "rate", drop=3),
        tables.figures("value_before", "before", drop=5),
        tables.figures("value_after", "after", drop=5),
        tables.figures("share_before", "share before", drop=7),
        tables.figures("share_after", "share after", drop=7),
        tables.figures("n_after", "n after", drop=8),
        tables.remark(drop=1),
    )
    answer(
        project, words | {"by": None}, question, lambda _: columns, as_json=as_json, unused=("grain",),
    )  # fmt: skip


def _ends(bench: Workbench, start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    from analytics.scope import parse_instant

    zone, now = bench.project.zone, bench.now()
    first, last = (parse_instant(text, zone, now) if text else None for text in (start, end))
    return first, last


def _kept(found: Explained, by: str | None, *, as_json: bool) -> Results[ExplainRow]:
    """All parts as records; as a table the summary, or the values of one segment or feature with --by."""
    from dataclasses import replace

    from analytics.errors import ScopeError
    from app.headlines.explain import explain_verdict

    rows: Results[ExplainRow] = found.rows
    said = tuple(
        explain_verdict(
            [row for row in rows if row.version == version], found.when.get(version), zone=rows.zone
        ).sentence
        for version in dict.fromkeys(row.version for row in rows)
    )
    notes = (*said, *rows.notes)
    if by is not None:
        names = dict.fromkeys(str(row.segment) for row in rows if row.part in {"segment", "feature"})
        if by not in names:
            raise ScopeError(
                f'by: "{by}" is not a segment or feature here; known: {", ".join(names) or "none"}'
            )
        kept = tuple(row for row in rows if row.part == "whole" or row.segment == by)
        return replace(rows, rows=kept, notes=notes)
    if as_json:
        return replace(rows, notes=notes)
    return replace(rows, rows=tuple(row for row in rows if row.part in _LISTED), notes=notes)
