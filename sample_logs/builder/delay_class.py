"""The multiclass project: how late, in four classes; JSON lines that already hold their outcome."""

from pathlib import Path

import numpy as np
import pandas as pd

from sample_logs.builder.encoding import FEATURES
from sample_logs.builder.models import Model, boosted_classifier
from sample_logs.builder.source import local_instant, sampled
from sample_logs.builder.writing import months, whole_numbers, write_json_lines

TARGET = "delay_class"
CLASSES = ["early", "on_time", "late", "very_late"]
# Minutes: early up to -16, on time up to 15 (as the binary project counts), late up to 60.
UPPER_MINUTES = [-16, 15, 60]
AIRCRAFT_BUCKETS = 12
# One version at a time: the second takes over from the first.
LIVE = [("classes-2013.03", "2013-03-01", "2013-09-01"), ("classes-2013.09", "2013-09-01", "2014-01-01")]


def build(flights: pd.DataFrame, folder: Path) -> None:
    """Write the logs of the multiclass project: one file a month, labels in columns of their own."""
    flights = flights.assign(delay_class=delay_classes(flights))
    rows = pd.concat([_served(flights, *version) for version in LIVE])
    rows = whole_numbers(rows.sort_values(["timestamp", "request_id"], kind="stable"))
    rows = rows.rename(columns={"request_id": "prediction_id", "delay_class": "label", "landed": "landed_at"})
    probabilities = [f"p_{name}" for name in CLASSES]
    columns = ["prediction_id", "timestamp", "model_version", *probabilities, "decided_class", "label"]
    for month, part in rows.groupby(months(rows["timestamp"])):
        written = part[[*columns, "landed_at", "tailnum", *FEATURES]]
        write_json_lines(written, folder / "predictions" / f"{month}.jsonl.gz")


def delay_classes(flights: pd.DataFrame) -> "pd.Series[str]":
    """The class of each flight's delay at the gate; missing where there was no arrival."""
    position = np.searchsorted(UPPER_MINUTES, flights["arr_delay"].fillna(0), side="left")
    names = pd.Series(np.array(CLASSES, dtype=object)[position], index=flights.index, dtype="str")
    return names.where(flights["arr_delay"].notna())


def _served(flights: pd.DataFrame, version: str, start: str, end: str) -> pd.DataFrame:
    begun, ended = local_instant(start), local_instant(end)
    past = flights[flights["timestamp"] < begun]
    training = past.assign(delay_class=past[TARGET].where(past["landed"] < begun))
    model = Model.fit(boosted_classifier, training, TARGET)
    shares = training[TARGET].value_counts(normalize=True)
    live = (flights["timestamp"] >= begun) & (flights["timestamp"] < ended)
    served = flights[live & sampled(flights, AIRCRAFT_BUCKETS)].copy()
    scores = pd.DataFrame(model.scores(served), index=served.index, columns=model.estimator.classes_)
    scores = scores.round(5)
    for name in CLASSES:
        served[f"p_{name}"] = scores[name]
    served["model_version"] = version
    # The class that is most above its usual share: the largest probability alone would nearly always say
    # "on_time". So the decision is more than an argmax of the logged scores, as it often is in production.
    served["decided_class"] = (scores[CLASSES] / shares[CLASSES]).idxmax(axis=1)
    return served
