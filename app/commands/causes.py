"""`assay causes`: what is it that changed, since when, and what to do?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

if TYPE_CHECKING:
    from analytics.explain.rows import CauseRow
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench


@click.command("causes")
@project_argument
@scope_options
@click.option(
    "--metric", metavar="NAME", help="What an alert is about: causes that cannot move it stand last."
)
@click.option(
    "--compare",
    metavar="WHAT",
    help="With previous or last-week instead of the up to four weeks before the window.",
)
@click.option("--compare-start", metavar="TIME", help="First instant of other days to compare with.")
@click.option("--compare-end", metavar="TIME", help="First instant after them.")
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(1, 100), help="Causes at most.")
@json_option
def causes_command(  # one argument an option
    project: Path | None,
    metric: str | None,
    compare: str | None,
    compare_start: str | None,
    compare_end: str | None,
    k: int,
    *,
    as_json: bool,
    **words: Any,
) -> None:
    """What changed in a window and follows from nothing else, the likeliest first; nothing where nothing did.

    Without --start and --end: the last seven days with data.
    """
    from app.commands import tables

    def question(bench: Workbench, scope: Scope) -> Results[CauseRow]:
        before = None
        if compare is not None or compare_start is not None or compare_end is not None:
            ends = (_instant(bench, compare_start), _instant(bench, compare_end))
            before = bench.before(scope, compare, *ends)
        return bench.causes(scope, before=before, metric=metric, k=k)

    columns = (
        tables.figures("rank", "#"),
        tables.text("sentence"),
        tables.text("action", "what to do"),
    )
    answer(project, words, question, lambda _: columns, as_json=as_json, unused=("by", "grain", "confidence"))


def _instant(bench: Workbench, text: str | None) -> datetime | None:
    from analytics.scope import parse_instant

    return None if text is None else parse_instant(text, bench.project.zone, bench.now())
