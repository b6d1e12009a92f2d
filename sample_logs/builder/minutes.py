"""The regression project: how many minutes late; CSV, two losses in shadow, labels in a late feed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_logs.builder.encoding import FEATURES
from sample_logs.builder.models import Estimator, Model, boosted_regressor, out_of_fold
from sample_logs.builder.source import local_instant, sampled
from sample_logs.builder.writing import months, whole_numbers, write_csv

TARGET = "arr_delay"
LIVE_FROM = "2013-03-01"
AIRCRAFT_BUCKETS = 16
VERSIONS: list[tuple[str, str, Callable[[], Estimator]]] = [
    ("mean-2013.03", "mean", partial(boosted_regressor, "squared_error")),
    ("median-2013.03", "median", partial(boosted_regressor, "absolute_error")),
]


def build(flights: pd.DataFrame, folder: Path) -> None:
    """Write the logs of the regression project into its folder (predictions, labels, reference, training)."""
    begun = local_instant(LIVE_FROM)
    past = flights[flights["timestamp"] < begun]
    training = past.assign(arr_delay=past[TARGET].where(past["landed"] < begun))
    served = flights[(flights["timestamp"] >= begun) & sampled(flights, AIRCRAFT_BUCKETS)]
    kept = sampled(past, AIRCRAFT_BUCKETS)
    predictions, references, fitted = [], [], []
    for name, tag, make in VERSIONS:
        model = Model.fit(make, training, TARGET)
        unseen = out_of_fold(make, training, TARGET)[kept.to_numpy()]
        predictions.append(_log(served, model.scores(served), name, tag, "production"))
        references.append(_log(past[kept], unseen, name, tag))
        fitted.append(_log(past[kept], model.scores(past[kept]), name, f"{tag}-fitted", "train"))
        fitted.append(_log(past[kept], unseen, name, f"{tag}-unseen", "validation"))
    columns = ["prediction_id", "request_id", "timestamp", "model", "predicted_minutes", "tailnum", *FEATURES]
    served_rows, reference_rows = _in_order(pd.concat(predictions)), _in_order(pd.concat(references))
    fitted_rows = _in_order(pd.concat(fitted))
    write_csv(reference_rows[columns], folder / "reference" / "reference.csv.gz")
    write_csv(fitted_rows[[*columns, "split"]], folder / "training" / "training.csv.gz")
    for month, part in served_rows.groupby(months(served_rows["timestamp"])):
        write_csv(part[[*columns, "split"]], folder / "predictions" / f"{month}.csv.gz")
    _write_labels(pd.concat([reference_rows, fitted_rows, served_rows]), folder)


def _log(
    flights: pd.DataFrame, minutes: npt.NDArray[np.float64], name: str, tag: str, split: str = ""
) -> pd.DataFrame:
    ids = flights["request_id"] + "-" + tag
    return flights.assign(prediction_id=ids, model=name, predicted_minutes=np.round(minutes, 2), split=split)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    return whole_numbers(rows.sort_values(["timestamp", "prediction_id"], kind="stable"))


def _write_labels(rows: pd.DataFrame, folder: Path) -> None:
    landed = rows[rows[TARGET].notna()].sort_values(["landed", "prediction_id"], kind="stable")
    written = landed[["prediction_id"]].assign(
        minutes_late=landed[TARGET].astype(int), landed_at=landed["landed"]
    )
    for month, part in written.groupby(months(landed["landed"])):
        write_csv(part, folder / "labels" / f"{month}.csv.gz")
