"""The randomised comparison of the binary project: who was assigned to which model, and what came of it.

The assignment was made after the fact, on real flights: a hash of the tail number says whose decision each aircraft
would have got from March to August. A decision changes nothing about the flight, so the outcome under the other model
is known as well, which no real experiment can say of itself.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from sample_logs.builder.flights import (
    AIRCRAFT_BUCKETS,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    TRUE_NEGATIVE,
    TRUE_POSITIVE,
    lateness,
)
from sample_logs.builder.source import local_instant, sampled
from sample_logs.builder.writing import months, write_parquet

EXPERIMENT = "gbm_against_logistic"
CONTROL, VARIANT = "logistic-2013.03", "gbm-2013.03"
START, END = "2013-03-01", "2013-09-01"
FIRST_DAY = "2013-01-01"


def assigned(tailnum: str, salt: str = EXPERIMENT) -> str:
    """The arm of an aircraft: the lower half of the hash's range is the control's.

    The salt is the experiment's name and was never searched for; it makes the split independent of the hash that chose
    the sample, which has none.
    """
    digest = hashlib.blake2b(f"{salt}:{tailnum}".encode(), digest_size=8).digest()
    return CONTROL if int.from_bytes(digest, "big") < 2**63 else VARIANT


def build(flights: pd.DataFrame, folder: Path) -> None:
    """Write exposures and outcomes, from the source and the predictions the folder already holds."""
    predictions = pd.concat(
        [pd.read_parquet(path) for path in sorted((folder / "predictions").glob("*.parquet"))]
    )
    served = predictions[_during(predictions) & predictions["tailnum"].notna()]
    arms = served["tailnum"].map({name: assigned(name) for name in served["tailnum"].unique()})
    acted_on = served[served["model_version"] == arms]
    _write_exposures(acted_on, folder)
    sample = flights[sampled(flights, AIRCRAFT_BUCKETS) & flights["tailnum"].notna()]
    _write_outcomes(outcomes(sample, acted_on), folder)


def outcomes(flights: pd.DataFrame, acted_on: pd.DataFrame) -> pd.DataFrame:
    """One row per flight from January to August that landed, in the order of landing.

    Before March no model served: nobody was warned, which has its outcome too. A late flight cost what a missed one
    costs. Without these rows there would be nothing to look back on.
    """
    flights = flights.assign(late=lateness(flights))
    early = flights["timestamp"].between(local_instant(FIRST_DAY), local_instant(START), inclusive="left")
    before = flights[early].assign(predicted_label=0, prediction_id=None, latency_ms=np.nan)
    decisions = acted_on[["request_id", "prediction_id", "predicted_label", "latency_ms"]]
    rows = pd.concat([before, flights.merge(decisions, on="request_id", validate="1:1")])
    rows = rows[rows["late"].notna()].rename(columns={"predicted_label": "warned"})
    rows["correct"] = rows["warned"] == rows["late"]
    rows["earned"] = earned(rows)
    # January and February have no prediction, and a column of nothing has no type of its own.
    rows["prediction_id"] = rows["prediction_id"].astype("str")
    whole = {"warned": "int8", "late": "int8", "correct": "int8", "earned": "int16", "arr_delay": "int16"}
    rows = rows.drop(columns="timestamp").astype(whole)
    rows = rows.rename(columns={"landed": "timestamp", "arr_delay": "minutes_late"})
    return rows.sort_values(["timestamp", "request_id"], kind="stable")


def earned(rows: pd.DataFrame) -> "pd.Series[float]":
    """Dollars of each flight at `warned` and `late`, by [costs] of assay.toml."""
    warned, late = rows["warned"] == 1, rows["late"] == 1
    dollars = np.select(
        [late & warned, ~late & warned, late & ~warned],
        [TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE],
        TRUE_NEGATIVE,
    )
    return pd.Series(dollars, index=rows.index)


def _during(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["timestamp"].between(local_instant(START), local_instant(END), inclusive="left")


def _write_exposures(acted_on: pd.DataFrame, folder: Path) -> None:
    """One row per flight, as an assignment service would log it: asked again for each, it answers the same."""
    rows = acted_on.rename(columns={"model_version": "variant"}).assign(experiment=EXPERIMENT)
    rows = rows.sort_values(["timestamp", "request_id"], kind="stable")
    columns = ["experiment", "tailnum", "variant", "timestamp"]
    for month, part in rows.groupby(months(rows["timestamp"])):
        write_parquet(part[columns], folder / "exposures" / f"{month}.parquet", [])


def _write_outcomes(rows: pd.DataFrame, folder: Path) -> None:
    columns = ["timestamp", "tailnum", "prediction_id", "warned", "late", "correct", "earned"]
    for month, part in rows.groupby(months(rows["timestamp"])):
        written = part[[*columns, "minutes_late", "latency_ms"]]
        write_parquet(written, folder / "outcomes" / f"{month}.parquet", ["prediction_id"])
