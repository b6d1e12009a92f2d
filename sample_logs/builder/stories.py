"""The stories of the flights logs, told from the committed files: `python -m sample_logs.builder.stories`.

Plain pandas and scikit-learn, nothing of Assay: what README.md says can be checked without trusting it.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from sample_logs.builder import comparison
from sample_logs.builder.flights import FALSE_NEGATIVE, FALSE_POSITIVE, TRUE_NEGATIVE, TRUE_POSITIVE
from sample_logs.builder.source import TIME_ZONE

FLIGHTS = Path(__file__).resolve().parent.parent / "flights"
RESAMPLES = 500


def read_feed(name: str) -> pd.DataFrame:
    """All files of one feed of the flights project, in order."""
    return pd.concat([pd.read_parquet(path) for path in sorted((FLIGHTS / name).glob("*.parquet"))])


def read_labelled(name: str) -> pd.DataFrame:
    """Predictions or reference with local `day` and `month`, and the label where one came."""
    rows = read_feed(name).merge(read_feed("labels"), on="prediction_id", how="left", validate="1:1")
    local = rows["timestamp"].dt.tz_convert(TIME_ZONE)
    return rows.assign(day=local.dt.strftime("%Y-%m-%d"), month=local.dt.month)


def quality(rows: pd.DataFrame) -> dict[str, float]:
    """What the README tables say of some labelled rows; `base_rate_log_loss` is that of the best constant."""
    rows = rows[rows["label"].notna()]
    label, score = rows["label"].to_numpy(dtype=int), rows["score"].to_numpy()
    return {
        "labelled": len(rows),
        "late": label.mean(),
        "mean_score": score.mean(),
        "roc_auc": float(roc_auc_score(label, score)),
        "log_loss": float(log_loss(label, score)),
        "base_rate_log_loss": float(log_loss(label, np.full(len(label), label.mean()))),
        "calibration_error": calibration_error(label, score),
        "earned": earned(rows),
    }


def calibration_error(label: npt.NDArray[np.int64], score: npt.NDArray[np.float64]) -> float:
    """Expected calibration error over ten bins of equal width."""
    bins = np.minimum((score * 10).astype(int), 9)
    gaps = np.bincount(bins, weights=label - score, minlength=10)
    return float(np.abs(gaps).sum() / len(label))


def earned(rows: pd.DataFrame) -> float:
    """Dollars per labelled flight at the decisions taken, by [costs] of assay.toml."""
    late, warned = rows["label"] == 1, rows["predicted_label"] == 1
    return float(
        np.select(
            [late & warned, ~late & warned, late & ~warned],
            [TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE],
            TRUE_NEGATIVE,
        ).mean()
    )


def retrained_gain(rows: pd.DataFrame, resamples: int) -> dict[str, tuple[float, float, float]]:
    """New minus old boosted model on the same flights: difference and 95 % interval, whole days drawn."""
    needed = ["request_id", "day", "model_version", "label", "score", "predicted_label"]
    rows = rows.loc[rows["label"].notna(), needed].set_index("request_id")
    new = rows[rows["model_version"] == "gbm-2013.09"]
    old = rows[rows["model_version"] == "gbm-2013.03"].loc[new.index]
    groups = list(new.reset_index().groupby("day").indices.values())
    random = np.random.default_rng(0)
    draws = [np.arange(len(new))]
    draws += [np.concatenate([groups[i] for i in random.integers(len(groups), size=len(groups))])
              for _ in range(resamples)]  # fmt: skip
    after, before = (pd.DataFrame([quality(rows.iloc[at]) for at in draws]) for rows in (new, old))
    table = (after - before)[["roc_auc", "log_loss", "earned"]]
    low, high = table.iloc[1:].quantile(0.025), table.iloc[1:].quantile(0.975)
    return {name: (table[name].iloc[0], low[name], high[name]) for name in ("roc_auc", "log_loss", "earned")}


def labels_known(rows: pd.DataFrame, moment: str) -> dict[str, float]:
    """Of the flights of a local day scheduled before a moment: the late share known then, and in the end."""
    at = pd.Timestamp(moment, tz=TIME_ZONE)
    begun = rows[(rows["day"] == moment[:10]) & (rows["timestamp"] < at)]
    known = begun[begun["label_timestamp"] <= at]
    return {
        "scheduled": len(begun),
        "labelled_then": len(known),
        "late_then": known["label"].mean(),
        "labelled_in_the_end": begun["label"].notna().sum(),
        "late_in_the_end": begun["label"].mean(),
    }


def main() -> None:
    """Print every number that README.md quotes."""
    served, reference = read_labelled("predictions"), read_labelled("reference")
    for version, rows in served.groupby("model_version"):
        by_month = {str(month): quality(part) for month, part in rows.groupby("month")}
        by_month["June to August"] = quality(rows[rows["month"].between(6, 8)]) if len(by_month) > 4 else {}
        by_month["September on"] = quality(rows[rows["month"] >= 9])
        by_month["all"] = quality(rows)
        by_month = {"reference": quality(reference[reference["model_version"] == version])} | by_month
        print(f"\n{version}\n{pd.DataFrame(by_month).T.round(4).to_string()}")
    boosted = served[served["model_version"] == "gbm-2013.03"]
    warmest = reference.loc[reference["model_version"] == "gbm-2013.03", "temp"].max()
    warmer = (boosted["temp"] > warmest).groupby(boosted["month"]).mean().round(3)
    print(f"\nshare of flights warmer than all of the reference ({warmest} F): {warmer.to_dict()}")
    missing = boosted.groupby("day")["temp"].apply(lambda temperature: temperature.isna().mean())
    print(f"\nshare without weather by day:\n{missing[missing > 0.04].round(3).to_string()}")
    print(
        f"\nretrained minus old, from September on: {retrained_gain(served[served['month'] >= 9], RESAMPLES)}"
    )
    for moment in ("2013-06-24 18:00", "2013-07-28 18:00", "2013-12-05 12:00"):
        print(moment, labels_known(boosted, moment))
    units = comparison.read_units(served, read_feed("outcomes"))
    runs = (
        comparison.other_splits(units, comparison.SPLITS),
        comparison.other_aircraft(units, comparison.SPLITS),
    )
    print("\ntrue effects and estimates", *comparison.effect_rows(units), sep="\n")
    print("\nhow often the interval held the truth", *comparison.coverage_rows(*runs, units=units), sep="\n")
    correct = comparison.METRICS[1]
    control, variant = comparison.true_effect(units, correct)
    naive = [comparison.held_by_flights(draws, correct, variant - control) for draws in runs]
    print(f"\ncorrect_decisions with flights taken as independent: {naive}")


if __name__ == "__main__":
    main()
