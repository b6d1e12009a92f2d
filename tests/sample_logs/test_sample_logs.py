"""The committed sample logs are what sample_logs/README.md promises: size, shape, ids that join, stories."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from analytics.project import read_project
from sample_logs.builder.encoding import FEATURES
from sample_logs.builder.stories import labels_known, quality, read_feed, read_labelled, retrained_gain

WORKSPACE = Path(__file__).resolve().parents[2] / "sample_logs"
PROJECTS = ["flights", "flights_delay_class", "flights_minutes"]


@pytest.fixture(scope="module")
def served() -> pd.DataFrame:
    return read_labelled("predictions")


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return read_labelled("reference")


def version(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows[rows["model_version"] == name]


def read_csv_feed(name: str) -> pd.DataFrame:
    files = sorted((WORKSPACE / "flights_minutes" / name).glob("*.csv.gz"))
    return pd.concat([pd.read_csv(path) for path in files])


def read_json_feed() -> pd.DataFrame:
    files = sorted((WORKSPACE / "flights_delay_class" / "predictions").glob("*.jsonl.gz"))
    return pd.concat([pd.read_json(path, lines=True) for path in files])


def test_the_whole_workspace_stays_small():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "sample_logs"],
        cwd=WORKSPACE.parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\0")
    committed = [WORKSPACE.parent / name for name in listed if name]
    files = committed or [path for path in WORKSPACE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 15_000_000


@pytest.mark.parametrize("name", PROJECTS)
def test_each_project_file_is_valid_and_declares_what_the_models_saw(name):
    project = read_project(WORKSPACE / name)
    assert project.predictions is not None
    assert list(project.predictions.features) == FEATURES


def test_flights_have_the_columns_and_types_of_a_prediction_log(served):
    types = {
        name: str(served[name].dtype) for name in ("timestamp", "label_timestamp", "score", "latency_ms")
    }
    assert types["timestamp"].endswith("UTC]")
    assert types["label_timestamp"].endswith("UTC]")
    assert types["score"] == types["latency_ms"] == "float64"
    assert served["score"].between(0, 1).all()
    assert (served["latency_ms"] > 0).all()
    assert set(served["predicted_label"]) == {0, 1}
    assert set(served["status"]) == {"ok", "no_weather"}
    assert (
        not served[["prediction_id", "request_id", "timestamp", "model_version", "score"]].isna().any().any()
    )


def test_every_version_scores_every_flight_in_shadow_once(served):
    assert served["prediction_id"].is_unique
    requests = {name: set(rows["request_id"]) for name, rows in served.groupby("model_version")}
    autumn = set(served.loc[served["day"] >= "2013-09-01", "request_id"])
    assert requests["gbm-2013.03"] == requests["logistic-2013.03"]
    assert requests["gbm-2013.09"] == autumn < requests["gbm-2013.03"]
    assert served.groupby("request_id")["tailnum"].nunique().max() == 1


def test_a_third_of_the_aircraft_is_there_whole(served):
    assert served["tailnum"].nunique() == pytest.approx(4043 / 3, rel=0.05)
    assert served["day"].nunique() == 306


def test_each_version_decides_at_one_threshold_of_its_own(served, reference):
    both = pd.concat([served, reference])
    for name, threshold in {"gbm-2013.03": 0.25, "logistic-2013.03": 0.30, "gbm-2013.09": 0.27}.items():
        rows = version(both, name)
        assert ((rows["score"] >= threshold) == (rows["predicted_label"] == 1)).all()


def test_every_label_belongs_to_a_prediction_and_comes_when_the_aircraft_is_there(served, reference):
    labels = read_feed("labels")
    assert labels["prediction_id"].is_unique
    assert set(labels["prediction_id"]) <= set(served["prediction_id"]) | set(reference["prediction_id"])
    landed = served[served["label"].notna()]
    # The earliest left 20 minutes ahead of schedule, on a hop of half an hour.
    assert (landed["label_timestamp"] > landed["timestamp"]).all()
    assert 0.95 < served["label"].notna().mean() < 0.98


def test_the_reference_is_the_training_period_of_each_version(reference):
    last = reference.groupby("model_version")["day"].agg(["min", "max"])
    assert last["min"].eq("2013-01-01").all()
    assert last["max"].to_dict() == {
        "gbm-2013.03": "2013-02-28", "logistic-2013.03": "2013-02-28", "gbm-2013.09": "2013-08-31",
    }  # fmt: skip


def test_summer_is_warmer_than_training_and_the_boosted_model_holds(served, reference):
    summer = version(served, "gbm-2013.03").query("6 <= month <= 8")
    trained = version(reference, "gbm-2013.03")
    assert (summer["temp"] > trained["temp"].max()).mean() > 0.85
    now, then = quality(summer), quality(trained)
    assert now["roc_auc"] >= then["roc_auc"]
    assert now["log_loss"] < now["base_rate_log_loss"]


def test_the_logistic_model_loses_its_calibration_in_summer_and_keeps_its_auc(served, reference):
    now = quality(version(served, "logistic-2013.03").query("6 <= month <= 8"))
    then = quality(version(reference, "logistic-2013.03"))
    assert then["calibration_error"] < 0.02
    assert now["calibration_error"] > 0.15
    assert now["log_loss"] > now["base_rate_log_loss"] + 0.1
    assert now["roc_auc"] > then["roc_auc"] - 0.02


def test_the_weather_feed_is_dead_on_the_last_day(served):
    last = served[served["day"] == "2013-12-31"]
    weather = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    assert last[weather].isna().all().all()
    assert set(last["status"]) == {"no_weather"}
    assert served.loc[served["day"] != "2013-12-31", "temp"].isna().mean() < 0.005


def test_the_retrained_model_is_better_on_the_same_flights(served):
    gain = retrained_gain(served[served["day"] >= "2013-09-01"], resamples=15)
    difference, low, _ = gain["roc_auc"]
    assert low > 0.01
    assert difference == pytest.approx(0.031, abs=0.002)
    assert gain["log_loss"][0] < -0.005


def test_early_labels_of_a_stormy_day_mislead(served):
    known = labels_known(version(served, "gbm-2013.03"), "2013-06-24 18:00")
    assert known["late_then"] < 0.15
    assert known["late_in_the_end"] > 0.35


def test_the_classes_carry_their_outcome_and_probabilities_that_sum_to_one():
    rows = read_json_feed()
    project = read_project(WORKSPACE / "flights_delay_class")
    scores = project.predictions.score
    assert isinstance(scores, dict)
    assert rows[list(scores.values())].sum(axis=1).to_numpy() == pytest.approx(1, abs=3e-5)
    assert set(rows["decided_class"]) == set(rows["label"].dropna()) == set(scores)
    assert (rows["label"].isna() == rows["landed_at"].isna()).all()
    assert rows["prediction_id"].is_unique
    swap = rows.groupby("model_version")["timestamp"].agg(["min", "max"])
    assert swap.loc["classes-2013.03", "max"] < swap.loc["classes-2013.09", "min"]


def test_the_minutes_join_their_late_feed():
    feeds = ("predictions", "reference", "training", "labels")
    served, known, fitted, labels = (read_csv_feed(name) for name in feeds)
    ids = set(served["prediction_id"]) | set(known["prediction_id"]) | set(fitted["prediction_id"])
    assert labels["prediction_id"].is_unique
    assert set(labels["prediction_id"]) <= ids
    assert len(labels) / len(ids) > 0.95
    joined = served.merge(labels, on="prediction_id")
    error = (joined["predicted_minutes"] - joined["minutes_late"]).groupby(joined["model"]).mean()
    # A median is not a mean: the version trained for it must read low on delays with a long tail.
    assert error["median-2013.03"] < error["mean-2013.03"] - 5


def test_a_model_does_better_on_the_rows_it_was_fitted_to():
    fitted = read_csv_feed("training").merge(read_csv_feed("labels"), on="prediction_id")
    error = (fitted["predicted_minutes"] - fitted["minutes_late"]).abs()
    by_split = error.groupby([fitted["model"], fitted["split"]]).mean().unstack()
    assert (by_split["train"] < by_split["validation"] - 1).all()
    assert (fitted.groupby("split")["request_id"].nunique() == fitted["request_id"].nunique()).all()
