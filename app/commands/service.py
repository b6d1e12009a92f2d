"""`assay service`, `assay objectives`, `assay tail`: load, errors and latency, what is promised, who waits longest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("service")
@project_argument
@scope_options
@json_option
def service_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Requests a second, share of failures, and latency percentiles, by window and version."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.figures("n"),
        tables.figures("request_rate", "a second"),
        tables.between("request_rate_ci_low", "request_rate_ci_high", "interval", drop=8),
        tables.figures("error_rate", "errors"),
        tables.between("error_rate_ci_low", "error_rate_ci_high", "its interval", drop=2),
        tables.figures("latency_p50", "p50"),
        tables.between("latency_p50_ci_low", "latency_p50_ci_high", "of p50", drop=7),
        tables.figures("latency_p95", "p95"),
        tables.between("latency_p95_ci_low", "latency_p95_ci_high", "of p95", drop=3),
        tables.figures("latency_p99", "p99"),
        tables.between("latency_p99_ci_low", "latency_p99_ci_high", "of p99", drop=6),
        tables.text("independence", "independent", drop=9),
        tables.remark(drop=1),
    )
    answer(project, words, lambda bench, scope: bench.service(scope), lambda _: columns, as_json=as_json)


@click.command("service-errors")
@project_argument
@scope_options
@json_option
def service_errors_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Every kind of failed request: its share of all requests, by window and version."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("kind"),
        tables.figures("n"),
        tables.figures("n_failed", "failed"),
        tables.figures("value", "share"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.text("independence", "independent", drop=9),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.service_errors(scope), lambda _: columns, as_json=as_json
    )


@click.command("tail")
@project_argument
@scope_options
@click.option(
    "-k", "k", default=10, show_default=True, type=click.IntRange(1, 1000), help="Units of each version."
)
@json_option
def tail_command(project: Path | None, k: int, *, as_json: bool, **words: Any) -> None:
    """Whose requests are among the slowest one percent, and whether few units carry them."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.figures("slower_than", "slower than"),
        tables.figures("rank", drop=5),
        tables.text("unit"),
        tables.figures("n"),
        tables.figures("n_slow", "slow"),
        tables.figures("slow_share", "share"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.figures("share_of_slow", "of all slow"),
        tables.figures("few_share", "ten carry", drop=2),
        tables.figures("few_expected", "at random", drop=4),
        tables.figures("p_value", "p", drop=6),
    )
    answer(
        project, words, lambda bench, scope: bench.tail(scope, k), lambda _: columns, as_json=as_json,
        unused=("by", "grain"),
    )  # fmt: skip


@click.command("objectives")
@project_argument
@scope_options
@click.option("--objective", "names", multiple=True, metavar="NAME", help="Only this one (repeatable).")
@json_option
def objectives_command(project: Path | None, names: tuple[str, ...], *, as_json: bool, **words: Any) -> None:
    """What is left of every error budget, and how fast it burns."""
    from app.commands import tables

    columns = (
        tables.text("objective", context=True),
        tables.text("version"),
        tables.segment(),
        tables.text("pair"),
        tables.figures("n"),
        tables.figures("n_bad", "bad"),
        tables.figures("good_share", "good", drop=3),
        tables.figures("target", drop=4),
        tables.figures("value", "burn rate"),
        tables.between("ci_low", "ci_high", "interval", drop=5),
        tables.figures("factor", "limit", drop=2),
        tables.figures("short_value", "short", drop=6),
        tables.figures("budget_left", "budget left"),
        tables.text("verdict"),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.objectives(scope, names), lambda _: columns, as_json=as_json,
        unused=("grain",),
    )  # fmt: skip
