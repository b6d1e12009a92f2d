"""The command line: `assay COMMAND`, also `python -m app`.

Standard output carries results only; messages go to standard error. Exit status: 0 fine, 1 a check found
something, 2 the input is wrong (one line).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from analytics.errors import AssayError
from app import __version__

COMMANDS: dict[str, str] = {
    "acknowledge": "app.commands.said:acknowledge_command",
    "ageing": "app.commands.changes:ageing_command",
    "aggregate": "app.commands.aggregate:aggregate_command",
    "assertions": "app.commands.assertions:assertions_command",
    "backtest": "app.commands.drills:backtest_command",
    "baselines": "app.commands.calibration:baselines_command",
    "calibration": "app.commands.quality:calibration_command",
    "calibration-test": "app.commands.calibration:calibration_test_command",
    "causes": "app.commands.causes:causes_command",
    "changes": "app.commands.changes:changes_command",
    "chaos": "app.commands.drills:chaos_command",
    "check": "app.commands.check:check_command",
    "compare-counts": "app.commands.compare:compare_counts_command",
    "compare-means": "app.commands.compare:compare_means_command",
    "compare-rates": "app.commands.compare:compare_rates_command",
    "confusion": "app.commands.quality:confusion_command",
    "deciles": "app.commands.calibration:deciles_command",
    "coverage": "app.commands.decisions:coverage_command",
    "damage": "app.commands.damage:damage_command",
    "end-silence": "app.commands.said:end_silence_command",
    "decide": "app.commands.ledger:decide_command",
    "decisions": "app.commands.ledger:decisions_command",
    "drift": "app.commands.drift:drift_command",
    "drill": "app.commands.drills:drill_command",
    "error-model": "app.commands.review:error_model_command",
    "error-map": "app.commands.slices:error_map_command",
    "error-tree": "app.commands.slices:error_tree_command",
    "estimate": "app.commands.estimate:estimate_command",
    "examples": "app.commands.examples:examples_command",
    "experiment": "app.commands.experiment:experiment_command",
    "experiment-arms": "app.commands.experiment_arms:experiment_arms_command",
    "experiment-ages": "app.commands.experiment_trust:experiment_ages_command",
    "experiment-chances": "app.commands.experiment_time:experiment_chances_command",
    "experiment-days": "app.commands.experiment_time:experiment_days_command",
    "experiment-distribution": "app.commands.experiment_distribution:experiment_distribution_command",
    "experiment-exposures": "app.commands.experiment_kinds:experiment_exposures_command",
    "experiment-funnel": "app.commands.experiment_kinds:experiment_funnel_command",
    "experiment-health": "app.commands.experiment_trust:experiment_health_command",
    "experiment-looks": "app.commands.experiment_time:experiment_looks_command",
    "experiment-segments": "app.commands.experiment_segments:experiment_segments_command",
    "experiment-methods": "app.commands.experiment_methods:experiment_methods_command",
    "explain": "app.commands.explain:explain_command",
    "features": "app.commands.features:features_command",
    "first": "app.commands.moved:first_command",
    "gain": "app.commands.decisions:gain_command",
    "gaps": "app.commands.populations:gaps_command",
    "incidents": "app.commands.check:incidents_command",
    "init": "app.commands.init:init_command",
    "messages": "app.commands.watch:messages_command",
    "metric-changes": "app.commands.metrics:metric_changes_command",
    "metrics": "app.commands.metrics:metrics_command",
    "mix": "app.commands.calibration:mix_command",
    "neighbours": "app.commands.example_rows:neighbours_command",
    "pin": "app.commands.regression:pin_command",
    "label-changes": "app.commands.labels:label_changes_command",
    "label-coverage": "app.commands.labels:label_coverage_command",
    "label-delay": "app.commands.labels:label_delay_command",
    "label-feed": "app.commands.labels:label_feed_command",
    "label-sources": "app.commands.labels:label_sources_command",
    "label-weighted": "app.commands.labels:label_weighted_command",
    "labels": "app.commands.labels:labels_command",
    "map": "app.commands.example_rows:map_command",
    "note": "app.commands.said:note_command",
    "moved": "app.commands.moved:moved_command",
    "multivariate": "app.commands.multivariate:multivariate_command",
    "objectives": "app.commands.service:objectives_command",
    "plan": "app.commands.plan:plan_command",
    "plan-days": "app.commands.plan:plan_days_command",
    "plan-horizons": "app.commands.plan:plan_horizons_command",
    "plan-traffic": "app.commands.plan:plan_traffic_command",
    "power": "app.commands.power:power_command",
    "quality": "app.commands.quality:quality_command",
    "recalibration": "app.commands.calibration:recalibration_command",
    "regression": "app.commands.regression:regression_command",
    "releases": "app.commands.changes:releases_command",
    "review-agreement": "app.commands.review:review_agreement_command",
    "review-draw": "app.commands.review:review_draw_command",
    "review-export": "app.commands.review:review_export_command",
    "review-label": "app.commands.review:review_label_command",
    "review-metrics": "app.commands.review:review_metrics_command",
    "review-queue": "app.commands.review:review_queue_command",
    "roc": "app.commands.quality:roc_command",
    "row": "app.commands.example_rows:row_command",
    "said": "app.commands.said:said_command",
    "segments": "app.commands.segments:segments_command",
    "service": "app.commands.service:service_command",
    "service-errors": "app.commands.service:service_errors_command",
    "selftest": "app.commands.selftest:selftest_command",
    "slice-compare": "app.commands.slices:slice_compare_command",
    "slice-trend": "app.commands.slices:slice_trend_command",
    "slices": "app.commands.slices:slices_command",
    "silence": "app.commands.said:silence_command",
    "splits": "app.commands.populations:splits_command",
    "tail": "app.commands.service:tail_command",
    "telemetry": "app.commands.telemetry:telemetry_command",
    "thresholds": "app.commands.decisions:thresholds_command",
    "watch": "app.commands.watch:watch_command",
    "unlike": "app.commands.populations:unlike_command",
    "unpin": "app.commands.regression:unpin_command",
}
"""Name of a command to `module:attribute`. A module is imported when its command is named, or for --help;
so it imports pandas, DuckDB and the like inside the functions that need them."""

EXIT_WRONG_INPUT = 2
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports the module of a command only when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="PROJECT is an assay.toml, its folder, or a folder of such folders; the sample logs if left out.",
)
@click.version_option(__version__, prog_name="assay")
def cli() -> None:
    """Answer from telemetry logs: what broke, is the model still good, did the variant win."""


PROJECT = click.argument("project", required=False, type=click.Path(path_type=Path))
PORT = click.option(
    "--port", default=8501, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
HOST = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any but this one lets others in, and there is no log-in.",
)


@cli.command("serve")
@PROJECT
@HOST
@PORT
def serve_command(project: Path | None, host: str, port: int) -> None:
    """Open the app on PROJECT for browsers."""
    from app.serve import serve

    serve(project, host=host, port=port)


@cli.command("demo")
@HOST
@PORT
@click.option("--no-browser", is_flag=True, help="Print the address only.")
def demo_command(host: str, port: int, *, no_browser: bool) -> None:
    """Open the app on the sample logs, and a browser on it."""
    from app.serve import serve

    # the sample logs ended long ago: their stories lie all over the year
    serve(host=host, port=port, open_browser=not no_browser, first_page="/?range=all")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit status.

    Whatever a user can mend is one line on standard error and exit status 2, never a traceback.
    """
    try:
        status = cli.main(args=arguments, prog_name="assay", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except (AssayError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"assay: {' '.join(message.split())}", err=True)
        sys.exit(EXIT_WRONG_INPUT)
    except click.Abort:
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)
