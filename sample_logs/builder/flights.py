"""The binary project: will this flight arrive more than 15 minutes late?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_logs.builder import latency
from sample_logs.builder.encoding import FEATURES
from sample_logs.builder.models import Estimator, Model, boosted_classifier, logistic_regression, out_of_fold
from sample_logs.builder.source import local_instant, sampled
from sample_logs.builder.writing import months, whole_numbers, write_parquet

TARGET = "late"
LATE_MINUTES = 15
# What [costs] in assay.toml says a decision earns; thresholds are chosen by it.
TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, TRUE_NEGATIVE = 20.0, -10.0, -5.0, 0.0
AIRCRAFT_BUCKETS = 3
# The retrained version learned from eight months; a third of the sampled aircraft is plenty as reference.
RETRAINED_REFERENCE_BUCKETS = 9
Scores = npt.NDArray[np.float64]
IDENTIFIERS = ["prediction_id", "request_id"]


@dataclass(frozen=True)
class Version:
    """A model version: what it is, since when it scores, and how its prediction ids end."""

    name: str
    tag: str
    make: Callable[[], Estimator]
    live_from: str
    reference_buckets: int


VERSIONS = [
    Version("gbm-2013.03", "g03", boosted_classifier, "2013-03-01", AIRCRAFT_BUCKETS),
    Version("logistic-2013.03", "l03", logistic_regression, "2013-03-01", AIRCRAFT_BUCKETS),
    Version("gbm-2013.09", "g09", boosted_classifier, "2013-09-01", RETRAINED_REFERENCE_BUCKETS),
]


def build(flights: pd.DataFrame, folder: Path, *, measure_latency: bool) -> None:
    """Write the logs of the binary project into its folder (predictions, labels, reference)."""
    flights = flights.assign(late=lateness(flights))
    predictions, references = [], []
    scorers: dict[str, Model] = {}
    for version in VERSIONS:
        past = flights[flights["timestamp"] < local_instant(version.live_from)]
        training = past.assign(late=past["late"].where(past["landed"] < local_instant(version.live_from)))
        held_out = out_of_fold(version.make, training, TARGET)
        threshold = best_threshold(training["late"].to_numpy(), held_out)
        print(f"{version.name}: {training['late'].notna().sum()} training flights, threshold {threshold:.2f}")
        kept = sampled(past, version.reference_buckets)
        references.append(_log(past[kept], held_out[kept.to_numpy()], version, threshold))
        scorers[version.name] = Model.fit(version.make, training, TARGET)
        served = flights[
            (flights["timestamp"] >= local_instant(version.live_from)) & sampled(flights, AIRCRAFT_BUCKETS)
        ]
        predictions.append(_log(served, scorers[version.name].scores(served), version, threshold))
    served_rows = _in_order(pd.concat(predictions))
    reference_rows = _in_order(pd.concat(references))
    if measure_latency:
        latency.measure(served_rows, scorers, folder / "latency.parquet")
    _write_predictions(served_rows, folder)
    logged = reference_rows[_columns(served=False)]
    write_parquet(logged, folder / "reference" / "reference.parquet", IDENTIFIERS)
    _write_labels(pd.concat([reference_rows, served_rows]), folder)


def lateness(flights: pd.DataFrame) -> "pd.Series[float]":
    """1 late, 0 not, missing where there was no arrival at the destination."""
    return (flights["arr_delay"] > LATE_MINUTES).astype(float).where(flights["arr_delay"].notna())


def best_threshold(labels: Scores, scores: Scores) -> float:
    """The threshold, to two decimals, that would have earned most on the held-out training days."""
    known = ~np.isnan(labels)
    positive, scores = labels[known] == 1, scores[known]
    candidates = np.arange(0.05, 0.96, 0.01)
    earned = [_earned(positive, scores >= threshold) for threshold in candidates]
    return round(float(candidates[int(np.argmax(earned))]), 2)


def _earned(positive: npt.NDArray[np.bool_], decided: npt.NDArray[np.bool_]) -> float:
    return float(
        TRUE_POSITIVE * np.sum(positive & decided)
        + FALSE_POSITIVE * np.sum(~positive & decided)
        + FALSE_NEGATIVE * np.sum(positive & ~decided)
        + TRUE_NEGATIVE * np.sum(~positive & ~decided)
    )


def _log(flights: pd.DataFrame, scores: Scores, version: Version, threshold: float) -> pd.DataFrame:
    rows = flights.copy()
    rows["prediction_id"] = rows["request_id"] + "-" + version.tag
    rows["model_version"] = version.name
    rows["score"] = np.round(scores, 5)
    # Decided on the logged digits, so that nobody finds a row on the wrong side of the threshold.
    rows["predicted_label"] = (rows["score"] >= threshold).astype("int8")
    # The scorer answers without weather too, and says that it did.
    rows["status"] = np.where(rows["weather_found"], "ok", "no_weather")
    return rows


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.sort_values(["timestamp", "prediction_id"], kind="stable").reset_index(drop=True)
    return whole_numbers(rows)


def _columns(*, served: bool) -> list[str]:
    start = ["prediction_id", "request_id", "timestamp", "model_version", "score", "predicted_label"]
    # Nobody served the reference: it has neither a latency nor a status.
    return start + (["status", "latency_ms"] if served else []) + ["tailnum", *FEATURES]


def _write_predictions(rows: pd.DataFrame, folder: Path) -> None:
    measured = latency.read(folder / "latency.parquet")
    rows = rows.merge(measured, on="prediction_id", how="left", validate="1:1")
    if rows["latency_ms"].isna().any():
        raise ValueError("the measured latencies are of other predictions: run with --measure-latency")
    for month, part in rows.groupby(months(rows["timestamp"])):
        write_parquet(part[_columns(served=True)], folder / "predictions" / f"{month}.parquet", IDENTIFIERS)


def _write_labels(rows: pd.DataFrame, folder: Path) -> None:
    """The late feed: one row per prediction whose flight landed, in the order of landing."""
    landed = rows[rows["late"].notna()].rename(columns={"late": "label", "landed": "label_timestamp"})
    landed = landed.sort_values(["label_timestamp", "prediction_id"], kind="stable")
    landed["label"] = landed["label"].astype("int8")
    columns = ["prediction_id", "label", "label_timestamp"]
    for month, part in landed.groupby(months(landed["label_timestamp"])):
        write_parquet(part[columns], folder / "labels" / f"{month}.parquet", IDENTIFIERS)
