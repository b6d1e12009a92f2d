"""`assay error-model` and `assay review-…`: where the model will be wrong, and which rows people label next."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import (
    answer,
    json_option,
    one_project,
    project_and_word,
    project_argument,
    say,
    scope_options,
    terminal_width,
    write,
    write_records,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.results import Results
    from analytics.workbench import Workbench
    from app.commands.tables import Column

_QUEUE = click.option("--queue", "name", metavar="NAME", help="Only this queue; all of them if left out.")


@click.command("error-model")
@project_argument
@scope_options
@click.option("--carriers", is_flag=True, help="What each column does for it.")
@click.option("--filters", is_flag=True, help="What refusing the likeliest to be wrong would catch, by rate.")
@click.option("--bins", is_flag=True, help="Wrong rows by tenth of their chance.")
@json_option
def error_model_command(
    project: Path | None, *, carriers: bool, filters: bool, bins: bool, as_json: bool, **words: Any
) -> None:
    """Where the model will be wrong: a second model of its mistakes, judged on days it has not seen."""
    from app.commands import tables

    if carriers + filters + bins > 1:
        raise click.UsageError("--carriers, --filters and --bins are three questions: ask one of them")
    part = "carriers" if carriers else "filters" if filters else "bins" if bins else "models"
    columns: dict[str, Sequence[Column]] = {
        "models": (
            tables.text("version", context=True),
            tables.figures("wrong_rate", "wrong"),
            tables.figures("auc"),
            tables.between("auc_ci_low", "auc_ci_high", "interval"),
            tables.figures("score_auc", "of the score"),
            tables.figures("auc_gain", "gain"),
            tables.between("auc_gain_ci_low", "auc_gain_ci_high", "interval of gain", drop=2),
            tables.figures("calibration_error", "calibration error", drop=3),
            tables.figures("microseconds", "µs a row", drop=4),
            tables.figures("n"),
            tables.remark(drop=5),
        ),
        "carriers": (
            tables.text("version", context=True),
            tables.figures("rank"),
            tables.text("feature"),
            tables.figures("importance", "area lost"),
            tables.between("ci_low", "ci_high", "interval"),
        ),
        "filters": (
            tables.text("version", context=True),
            tables.text("by", context=True),
            tables.figures("rate"),
            tables.figures("refused", drop=2),
            tables.figures("caught"),
            tables.between("caught_ci_low", "caught_ci_high", "interval of caught", drop=1),
            tables.figures("wrong_rate", "wrong of all", drop=3),
            tables.figures("wrong_rate_rest", "of the rest"),
            tables.between("ci_low", "ci_high", "interval"),
            tables.figures("per_day", "refused a day"),
        ),
        "bins": (
            tables.text("version", context=True),
            tables.figures("bin", "tenth"),
            tables.figures("mean_chance", "expected"),
            tables.figures("wrong_rate", "wrong"),
            tables.between("ci_low", "ci_high", "interval"),
            tables.figures("n"),
        ),
    }

    answer(
        project, words, lambda bench, scope: getattr(bench.error_model(scope), part), lambda _: columns[part],
        as_json=as_json, unused=("by", "grain"),
    )  # fmt: skip


@click.command("review-draw")
@click.argument("words", nargs=-1, required=True, metavar="[PROJECT] QUEUE")
@click.option("-k", "k", type=click.IntRange(1), default=100, show_default=True, help="Rows wanted.")
@click.option(
    "--even",
    type=float,
    default=0.3,
    show_default=True,
    help="Share of the chance spread evenly over all rows.",
)
@click.option(
    "--twice",
    type=float,
    default=0.1,
    show_default=True,
    help="Share of the rows two people are asked about.",
)
@click.option(
    "--by", "criteria", multiple=True, type=click.Choice(["uncertain", "error_model", "unlike"]),
    help="What rows may stand out by (repeatable); all if left out.",
)  # fmt: skip
@click.option("--audit", is_flag=True, help="Draw among labelled rows, too: are the labels right?")
@click.option("--who", "drawn_by", default="assay", show_default=True, help="Who draws.")
@click.option("--start", metavar="TIME", help="First instant of the rows to choose from.")
@click.option("--end", metavar="TIME", help="First instant after them.")
@click.option("--as-of", metavar="TIME", help="By the labels known then.")
@click.option(
    "--version", "versions", multiple=True, metavar="NAME", help="Whose rows; the live version if left out."
)
@click.option("--where", multiple=True, metavar="SEGMENT=VALUE", help="Only these rows.")
@json_option
def review_draw_command(
    words: tuple[str, ...],
    *,
    criteria: tuple[str, ...],
    k: int,
    even: float,
    twice: float,
    audit: bool,
    drawn_by: str,
    as_json: bool,
    **scope: Any,
) -> None:
    """Draw the rows people should label next into a QUEUE, with chances that are kept."""
    from analytics.ask.review import CRITERIA, Ask

    path, name = project_and_word(words, "queue")
    by: Any = criteria or CRITERIA
    asked = Ask(name, k, even, twice, by, audit, drawn_by)
    with closing(_one(path)) as bench:
        found = bench.draw_queue(bench.scope(**scope), asked=asked)
        _print(bench, found, _queue_columns(), as_json=as_json)
        say(f'queue "{name}" of {len(found):,} rows is kept in {bench.store.place.shown}')


@click.command("review-queue")
@project_argument
@_QUEUE
@json_option
def review_queue_command(project: Path | None, name: str | None, *, as_json: bool) -> None:
    """The rows of the queues, and how many labels each has."""
    with closing(_one(project)) as bench:
        _print(bench, bench.queued(name), _queue_columns(), as_json=as_json)


@click.command("review-label")
@project_argument
@click.option("--id", "prediction", required=True, metavar="ID", help="Of the prediction.")
@click.option("--label", metavar="LABEL", help="What it is; left out: cannot be told.")
@click.option("--by", required=True, metavar="WHO", help="Who says so; there is no log-in.")
@click.option("--note", default="", help="Why.")
def review_label_command(
    project: Path | None, prediction: str, label: str | None, by: str, note: str
) -> None:
    """Label one prediction; the same person's second label takes the place of the first."""
    from analytics.ask.review import accepted_label
    from analytics.store.queues import queues
    from analytics.store.review import add_label

    with closing(_one(project)) as bench:
        said = None if label is None else accepted_label(bench.catalog, label)
        drawn = {
            row.prediction_id: row for queue in queues(bench.store, bench.project.name) for row in queue.rows
        }.get(prediction)
        kept = add_label(
            bench.store, project=bench.project.name, prediction_id=prediction, label=said, by=by, note=note,
            inclusion_probability=None if drawn is None else drawn.inclusion_probability,
            reason="" if drawn is None else drawn.reason,
        )  # fmt: skip
        say(f"label {kept.id} is kept in {bench.store.place.shown}")


@click.command("review-metrics")
@project_argument
@_QUEUE
@click.option("--as-of", metavar="TIME", help="By the labels given until then.")
@click.option("--confidence", default=0.95, show_default=True, type=float, help="Of every interval.")
@json_option
def review_metrics_command(project: Path | None, name: str | None, *, as_json: bool, **scope: Any) -> None:
    """Metrics of all rows a queue was drawn from, by its labels weighted with one over their chance."""
    from app.commands import tables

    columns = (
        tables.text("queue", context=True),
        tables.text("version", context=True),
        tables.text("metric"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("unweighted", drop=2),
        tables.figures("n_labelled", "labelled"),
        tables.figures("n_queued", "of", drop=3),
        tables.figures("n_total", "stand for"),
        tables.remark(drop=4),
    )
    with closing(_one(project)) as bench:
        found = bench.reviewed(bench.scope(**scope), name=name)
        _print(bench, found, columns, as_json=as_json)


@click.command("review-agreement")
@project_argument
@_QUEUE
@click.option("--confidence", default=0.95, show_default=True, type=float, help="Of every interval.")
@json_option
def review_agreement_command(project: Path | None, name: str | None, *, as_json: bool, **scope: Any) -> None:
    """Cohen's kappa of every two people who labelled the same rows, and over all of them."""
    from app.commands import tables

    columns = (
        tables.text("queue", context=True),
        tables.text("first"),
        tables.text("second"),
        tables.figures("agreement"),
        tables.figures("kappa"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("n"),
        tables.remark(drop=1),
    )
    with closing(_one(project)) as bench:
        _print(bench, bench.agreement(bench.scope(**scope), name=name), columns, as_json=as_json)


@click.command("review-export")
@project_argument
@_QUEUE
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help=".jsonl, .parquet or .csv by its ending.",
)  # fmt: skip
def review_export_command(project: Path | None, name: str | None, output: Path) -> None:
    """Write the labels people gave as a feed: name the file in [labels] path, and they count."""
    from analytics.errors import ScopeError

    kind = output.suffix.lower()
    if kind not in {".jsonl", ".parquet", ".csv"}:
        raise ScopeError(f"{output}: end the name in .jsonl, .parquet or .csv")
    with closing(_one(project)) as bench:
        records = bench.review_records(name)
        _write_file(output, kind, records)
        say(f"{len(records):,} labels in {output}; add it to [labels] path of {bench.project.file}")


def _write_file(output: Path, kind: str, records: list[dict[str, Any]]) -> None:
    import pandas as pd

    from app.charts.export import to_csv

    # written beside and moved: a reader never sees half of it
    part = output.with_name(f".{output.name}.part")
    frame = pd.DataFrame(records)
    if kind == ".jsonl":
        lines = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
        part.write_text(lines, encoding="utf-8")
    elif kind == ".parquet":
        frame.to_parquet(part, index=False)
    else:
        part.write_bytes(to_csv(frame))
    part.replace(output)


def _queue_columns() -> Sequence[Column]:
    from app.commands import tables

    return (
        tables.text("queue", context=True),
        tables.figures("place"),
        tables.text("prediction_id", "id"),
        tables.text("version", context=True),
        tables.moment("timestamp"),
        tables.text("reason"),
        tables.figures("inclusion_probability", "chance"),
        tables.figures("labels"),
    )


def _one(path: Path | None) -> Workbench:
    from analytics.workbench import open_workbench

    return open_workbench(one_project(path))


def _print(bench: Workbench, found: Results[Any], columns: Sequence[Column], *, as_json: bool) -> None:
    from app.commands import tables

    for note in found.notes:
        say(f"{bench.project.name}: {note}")
    records = [{"project": bench.project.name, **record} for record in found.to_records()]
    if as_json:
        write_records(records)
    else:
        write(tables.render(bench.project.name, records, columns, bench.project.zone, terminal_width()))
