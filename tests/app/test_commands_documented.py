"""docs/command-line.md names every command and every field of a record."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from analytics.alerts.rows import AlertRow, IncidentRow
from analytics.changes.rows import AgeingRow, ChangeRow, ReleaseRow
from analytics.drift.damage_rows import DamageRow
from analytics.drift.false_alarms import FalseAlarmRow
from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow, NewRow, ProfileRow
from analytics.drift.rows import DriftRow
from analytics.drift.summary_rows import FeatureRow
from analytics.drills.rows import BacktestRow, ChaosRow, DrillRow
from analytics.examples.card_rows import NeighbourRow, PinnedExampleRow, RegressionRow, UnusualRow
from analytics.examples.first_row import FirstRow
from analytics.examples.points import ClusterRow, PointRow
from analytics.examples.rows import ExampleRow
from analytics.experiments.arm_days import ArmDayRow
from analytics.experiments.chances import ChanceRow
from analytics.experiments.checks.ages import AgeRow
from analytics.experiments.distribution import QuantileRow, StepRow
from analytics.experiments.funnels import FunnelRow
from analytics.experiments.ledger import DecisionRow, SinceRow
from analytics.experiments.look_rows import LookRow
from analytics.experiments.method_rows import KindRow, MethodRow
from analytics.experiments.plan_rows import PlanDayRow, PlanHorizonRow, PlanRow, PlanTrafficRow
from analytics.experiments.rows import Check, DayRow, ExperimentRow, PowerRow
from analytics.experiments.segment_rows import SegmentEffectRow
from analytics.experiments.states import StateRow
from analytics.explain.moved import MovedRow
from analytics.explain.rows import CauseRow, ExplainRow
from analytics.labels.rows import (
    LabelChangeRow,
    LabelCoverageRow,
    LabelDelayRow,
    LabelFeedRow,
    LabelRow,
    LabelSourceRow,
    LateMetricRow,
)
from analytics.outcomes.rows import OutcomeRow
from analytics.quality.calibration import (
    BaselineRow,
    CalibrationTestRow,
    DecileRow,
    MixRow,
    RecalibrationRow,
)
from analytics.quality.decision_rows import CoverageRow, GainRow, ThresholdRow
from analytics.quality.estimated import EstimateRow
from analytics.quality.rows import CalibrationRow, ConfusionRow, MetricRow, RocRow
from analytics.quality.splits import SplitRow
from analytics.quality.unlike import UnlikeRow
from analytics.review.rows import AgreementRow, ErrorBinRow, ErrorModelRow, FilterRow, QueuedRow, ReviewedRow
from analytics.review.rows import CarrierRow as ErrorCarrierRow
from analytics.segments.rows import GapRow, SegmentRow
from analytics.service.assertions import AssertionRow
from analytics.service.burn import ObjectiveRow
from analytics.service.rows import ErrorRow, ServiceRow, TailRow
from analytics.slices.rows import MapCellRow, SliceCompareRow, SliceRow, SliceTrendRow, TreeRow
from analytics.telemetry.report import FileRow
from app.cli import cli

RECORDS = {
    "check": AlertRow,
    "incidents": IncidentRow,
    "ageing": AgeingRow,
    "slices": SliceRow,
    "slice-trend": SliceTrendRow,
    "slice-compare": SliceCompareRow,
    "error-map": MapCellRow,
    "error-tree": TreeRow,
    "metrics": OutcomeRow,
    "metric-changes": ChangeRow,
    "changes": ChangeRow,
    "releases": ReleaseRow,
    "telemetry": FileRow,
    "quality": MetricRow,
    "confusion": ConfusionRow,
    "roc": RocRow,
    "calibration": CalibrationRow,
    "calibration-test": CalibrationTestRow,
    "recalibration": RecalibrationRow,
    "mix": MixRow,
    "baselines": BaselineRow,
    "deciles": DecileRow,
    "damage": DamageRow,
    "drift": DriftRow,
    "estimate": EstimateRow,
    "error-model": ErrorModelRow,
    "review-agreement": AgreementRow,
    "review-metrics": ReviewedRow,
    "review-queue": QueuedRow,
    "causes": CauseRow,
    "moved": MovedRow,
    "first": FirstRow,
    "explain": ExplainRow,
    "features": FeatureRow,
    "labels": LabelRow,
    "label-changes": LabelChangeRow,
    "label-coverage": LabelCoverageRow,
    "label-delay": LabelDelayRow,
    "label-feed": LabelFeedRow,
    "label-sources": LabelSourceRow,
    "label-weighted": LateMetricRow,
    "segments": SegmentRow,
    "thresholds": ThresholdRow,
    "gain": GainRow,
    "coverage": CoverageRow,
    "examples": ExampleRow,
    "map": ClusterRow,
    "neighbours": NeighbourRow,
    "regression": RegressionRow,
    "row": UnusualRow,
    "gaps": GapRow,
    "service": ServiceRow,
    "service-errors": ErrorRow,
    "tail": TailRow,
    "objectives": ObjectiveRow,
    "assertions": AssertionRow,
    "backtest": BacktestRow,
    "chaos": ChaosRow,
    "drill": DrillRow,
    "selftest": FalseAlarmRow,
    "splits": SplitRow,
    "unlike": UnlikeRow,
    "decisions": DecisionRow,
    "experiment-arms": ArmDayRow,
    "experiment": ExperimentRow,
    "experiment-ages": AgeRow,
    "experiment-chances": ChanceRow,
    "experiment-days": DayRow,
    "experiment-distribution": QuantileRow,
    "experiment-exposures": StateRow,
    "experiment-funnel": FunnelRow,
    "experiment-health": Check,
    "experiment-looks": LookRow,
    "experiment-methods": MethodRow,
    "experiment-segments": SegmentEffectRow,
    "compare-counts": ExperimentRow,
    "multivariate": MultivariateRow,
    "plan": PlanRow,
    "plan-days": PlanDayRow,
    "plan-horizons": PlanHorizonRow,
    "plan-traffic": PlanTrafficRow,
    "power": PowerRow,
}


@pytest.fixture
def text(root: Path) -> str:
    return (root / "docs" / "command-line.md").read_text()


def test_every_command_is_documented(text):
    missing = [name for name in cli.list_commands(None) if f"`assay {name}" not in text]
    assert missing == []


@pytest.mark.parametrize("command", RECORDS)
def test_every_field_is_documented(text, command):
    section = text.split(f"### assay {command}\n")[1].split("\n### ")[0]
    named = set(re.findall(r"`(\w+)`", section))
    # the logged columns of an example stand under their own names
    wanted = {field.name.removesuffix("_") for field in fields(RECORDS[command])} - {"columns"}
    assert wanted - named == set()


@pytest.mark.parametrize("command", ["experiment", "compare-counts", "compare-means", "plan", "power"])
def test_every_option_of_its_own_is_documented(text, command):
    section = text.split(f"### assay {command}\n")[1].split("\n### ")[0]
    if command == "compare-means":
        assert "Options and fields are those of [`assay compare-counts`]" in section
        section = text.split("### assay compare-counts\n")[1].split("\n### ")[0]
    options = {
        name for parameter in cli.get_command(None, command).params for name in parameter.opts if "--" in name
    }
    # --json is every command's
    assert {name for name in options - {"--json"} if name not in section} == set()


@pytest.mark.parametrize(
    "command,row", [("experiment-distribution", StepRow), ("experiment-methods", KindRow)]
)
def test_every_other_record_is_documented(text, command, row):
    section = text.split(f"### assay {command}\n")[1].split("\n### ")[0]
    assert {field.name for field in fields(row)} - set(re.findall(r"`(\w+)`", section)) == set()


@pytest.mark.parametrize("command,row", [("map", PointRow), ("regression", PinnedExampleRow)])
def test_every_record_of_examples_is_documented(text, command, row):
    section = text.split(f"### assay {command}\n")[1].split("\n### ")[0]
    assert {field.name for field in fields(row)} - set(re.findall(r"`(\w+)`", section)) == set()


@pytest.mark.parametrize("row", [ErrorCarrierRow, FilterRow, ErrorBinRow])
def test_every_record_of_an_error_model_is_documented(text, row):
    section = text.split("### assay error-model\n")[1].split("\n### ")[0]
    assert {field.name for field in fields(row)} - set(re.findall(r"`(\w+)`", section)) == set()


@pytest.mark.parametrize("row", [CarrierRow, NewRow, ProfileRow])
def test_every_record_of_multivariate_is_documented(text, row):
    section = text.split("### assay multivariate\n")[1].split("\n### ")[0]
    wanted = {field.name for field in fields(row)} - {"columns"}
    assert wanted - set(re.findall(r"`(\w+)`", section)) == set()


@pytest.mark.parametrize("command", ["decide", "decisions"])
def test_every_option_of_the_ledger_is_documented(text, command):
    section = text.split(f"### assay {command}\n")[1].split("\n### ")[0]
    options = {
        name for parameter in cli.get_command(None, command).params for name in parameter.opts if "--" in name
    }
    assert {name for name in options - {"--json"} if name not in section} == set()


def test_every_number_then_and_now_is_documented(text):
    section = text.split("### assay decisions\n")[1].split("\n### ")[0]
    assert {field.name for field in fields(SinceRow)} - set(re.findall(r"`(\w+)`", section)) == set()
