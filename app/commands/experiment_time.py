"""`assay experiment-days`, `-looks`, `-chances`: an experiment day by day, look by look, and what is believed of it."""

from __future__ import annotations

from typing import Any

import click

from app.commands.experiment_answers import answer_about, experiment_options
from app.commands.typed_numbers import NUMBER


@click.command("experiment-days")
@experiment_options
def experiment_days_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """Every metric of every arm by day: the effect of all units so far, looked at once and always-valid.

    The fixed interval holds for one look; the always-valid one for every day together.
    """
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("variant", context=True),
        tables.text("method", drop=2),
        tables.text("day"),
        tables.figures("n", drop=4),
        tables.figures("n_control", "control's n", drop=6),
        tables.figures("difference"),
        tables.between("fixed_ci_low", "fixed_ci_high", "looked at once", drop=1),
        tables.between("always_valid_ci_low", "always_valid_ci_high", "always valid"),
        tables.figures("lift", drop=3),
        tables.figures("fixed_p_value", "p once", drop=5),
        tables.figures("always_valid_p_value", "p always valid"),
        tables.remark(drop=7),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.experiment_days(name, scope, confidence=confidence),
        lambda _: columns,
        as_json=as_json,
    )


@click.command("experiment-looks")
@experiment_options
def experiment_looks_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """Every planned look of a group-sequential experiment: information, boundary, what is spent, what it showed."""
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("variant", context=True),
        tables.text("method", drop=2),
        tables.figures("look"),
        tables.text("state"),
        tables.text("day", drop=3),
        tables.figures("planned_fraction", "planned"),
        tables.figures("fraction", "actual"),
        tables.figures("boundary"),
        tables.figures("alpha_spent", "spent"),
        tables.figures("statistic"),
        tables.figures("p_value", "p", drop=1),
        tables.between("ci_low", "ci_high", "repeated interval", drop=4),
        tables.figures("power_as_it_goes", "chance to cross", drop=5),
        tables.remark(drop=6),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.experiment_looks(name, scope, confidence=confidence),
        lambda _: columns,
        as_json=as_json,
    )


@click.command("experiment-chances")
@experiment_options
@click.option("--prior-lift", type=NUMBER, help="Believe in lifts about 0 with this deviation: 0.1 is 10 %.")
@click.option("--prior-successes", type=NUMBER, help="Of shares: believe as if so many had been seen.")
@click.option("--prior-failures", type=NUMBER, help="Of shares: and so many failures.")
def experiment_chances_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """What is believed of every arm: chance to beat the control and to be best, and what choosing it may lose."""
    from app.commands import tables

    prior = {name: asked.pop(name) for name in ("prior_lift", "prior_successes", "prior_failures")}
    columns = (
        tables.text("metric", context=True),
        tables.text("variant"),
        tables.text("model", drop=3),
        tables.text("prior", drop=6),
        tables.figures("n", drop=4),
        tables.figures("mean", "expected"),
        tables.figures("chance_to_beat"),
        tables.figures("chance_best"),
        tables.figures("expected_loss"),
        tables.figures("lift", drop=2),
        tables.between("lift_ci_low", "lift_ci_high", "credible lift", drop=1),
        tables.remark(drop=5),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.experiment_chances(
            name, scope, confidence=confidence, **prior
        ),
        lambda _: columns,
        as_json=as_json,
    )
