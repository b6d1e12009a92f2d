"""What the randomised comparison of the flights logs says, and what is true: story 6 of README.md.

Every aircraft's outcome is known under both models, so the true effect is a subtraction. Plain NumPy, pandas and
SciPy, nothing of Assay: the estimates here can be held against Assay's own.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from sample_logs.builder.experiment import CONTROL, END, EXPERIMENT, START, VARIANT, assigned, earned
from sample_logs.builder.source import local_instant

LOOK_BACK = pd.Timedelta(days=28)
LONG_DELAY_MINUTES = 120
SPLITS = 500
NORMAL = float(norm.ppf(0.975))
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Metric:
    """A metric of assay.toml: sums per aircraft, or whether anything happened at all (a proportion)."""

    name: str
    kind: str
    digits: int
    numerator: str
    denominator: str | None = None
    cut_at: tuple[float, float] | None = None
    look_back: bool = True

    def shown(self, value: float) -> str:
        """A value as the README has it."""
        return f"{value:.{self.digits}f}".replace("-", "−")


METRICS = [
    Metric("earned", "ratio", 3, "earned", "flights"),
    Metric("correct_decisions", "ratio", 4, "correct", "flights"),
    Metric("earned_per_aircraft", "mean", 1, "earned", cut_at=(0.01, 0.99)),
    Metric("missed_long_delay", "proportion", 3, "missed_long_delay"),
    Metric("latency", "ratio", 3, "latency_ms", "flights", look_back=False),
]


class Units(NamedTuple):
    """Sums of every exposed aircraft: under each model from its first exposure on, and in the 28 days before."""

    control: pd.DataFrame
    variant: pd.DataFrame
    before: pd.DataFrame


class Estimate(NamedTuple):
    """Variant minus control with its 95 % interval."""

    difference: float
    standard_error: float
    low: float
    high: float


class Draw(NamedTuple):
    """One run of an experiment: its aircraft, and which of them got the variant."""

    units: Units
    treated: Bools


class Pair(NamedTuple):
    """Numerator and denominator of every aircraft; the denominator of a mean is 1."""

    numerator: Floats
    denominator: Floats

    def __getitem__(self, chosen: Bools) -> "Pair":  # type: ignore[override]
        """The aircraft of one arm."""
        return Pair(self.numerator[chosen], self.denominator[chosen])

    @property
    def ratio(self) -> float:
        """Sum over sum."""
        return float(self.numerator.sum() / self.denominator.sum())

    @property
    def linear(self) -> Floats:
        """What each aircraft adds to the ratio, to first order (delta method)."""
        return (self.numerator - self.ratio * self.denominator) / self.denominator.mean()


def read_units(served: pd.DataFrame, outcomes: pd.DataFrame) -> Units:
    """Aircraft by aircraft, what happened and what would have happened.

    Args:
        served: predictions with their labels (`stories.read_labelled`).
        outcomes: the outcome log; the minutes late stand there, whichever model was acted on.
    """
    begun = served["timestamp"].between(local_instant(START), local_instant(END), inclusive="left")
    exposed = served[begun & served["tailnum"].notna()]
    first = exposed.groupby("tailnum")["timestamp"].min()
    minutes = outcomes[outcomes["prediction_id"].notna()]
    minutes = minutes.assign(request_id=minutes["prediction_id"].str.split("-").str[0])
    rows = exposed[exposed["label"].notna() & (exposed["label_timestamp"] < local_instant(END))]
    rows = rows.rename(columns={"label": "late", "predicted_label": "warned"})
    rows = rows.merge(minutes[["request_id", "minutes_late"]], on="request_id", validate="m:1")
    rows = rows.assign(correct=rows["warned"] == rows["late"], earned=earned(rows))
    arms = [_sums(rows[rows["model_version"] == name], first.index) for name in (CONTROL, VARIANT)]
    ages = outcomes["timestamp"] - outcomes["tailnum"].map(first)
    before = outcomes[(ages < pd.Timedelta(0)) & (ages >= -LOOK_BACK)]
    return Units(*arms, _sums(before, first.index))


def _sums(rows: pd.DataFrame, units: pd.Index) -> pd.DataFrame:
    missed = (rows["warned"] == 0) & (rows["minutes_late"] > LONG_DELAY_MINUTES)
    rows = rows.assign(missed_long_delay=missed, flights=1)
    columns = ["flights", "earned", "correct", "latency_ms", "missed_long_delay"]
    sums = rows.groupby("tailnum")[columns].sum().reindex(units, fill_value=0).astype(float)
    return sums.assign(missed_long_delay=sums["missed_long_delay"].clip(upper=1))


def split(units: pd.Index, salt: str) -> Bools:
    """Which aircraft a salt gives to the variant."""
    return np.array([assigned(name, salt) == VARIANT for name in units])


def other_splits(units: Units, splits: int) -> list[Draw]:
    """The same aircraft, split by other salts: all that chance decides in this experiment."""
    names = units.control.index
    return [Draw(units, split(names, f"{EXPERIMENT}:{number}")) for number in range(splits)]


def other_aircraft(units: Units, splits: int) -> list[Draw]:
    """As many aircraft drawn from these with replacement, and split: an experiment that speaks of aircraft to come."""
    random, n = np.random.default_rng(0), len(units.control)
    rows = random.integers(n, size=(splits, n))
    return [Draw(Units(*(frame.iloc[at] for frame in units)), random.random(n) < 0.5) for at in rows]


def true_effect(units: Units, metric: Metric) -> tuple[float, float]:
    """The metric over all aircraft under the control and under the variant.

    Winsorised at the quantiles of both outcomes of every aircraft.
    """
    control, variant = (_pair(arm, metric) for arm in (units.control, units.variant))
    low, high = _caps(np.concatenate([control.numerator, variant.numerator]), metric)
    control, variant = (
        pair._replace(numerator=pair.numerator.clip(low, high)) for pair in (control, variant)
    )
    return control.ratio, variant.ratio


def estimate(units: Units, treated: Bools, metric: Metric, *, look_back: bool = False) -> Estimate:
    """What an experiment with this split says: Welch, delta method, Miettinen-Nurminen; CUPED with a look-back."""
    seen = _observed(Draw(units, treated), metric)
    if metric.kind == "proportion" and not look_back:
        return _score_estimate(seen, treated)
    before = _capped(_pair(units.before, metric), metric)
    slope = _slope(seen, before) if look_back else 0.0
    means, variances = [], []
    for arm in (~treated, treated):
        mean, left = seen[arm].ratio, seen[arm].linear
        if look_back:
            mean, left = mean - slope * before[arm].ratio, left - slope * before[arm].linear
        means.append(mean)
        variances.append(left.var(ddof=1) / arm.sum())
    counts = np.array([(~treated).sum(), treated.sum()])
    variance = sum(variances)
    df = variance**2 / np.sum(np.square(variances) / (counts - 1))
    difference, error = means[1] - means[0], float(np.sqrt(variance))
    half = float(student.ppf(0.975, df)) * error
    return Estimate(difference, error, difference - half, difference + half)


def coverage(draws: list[Draw], metric: Metric, truth: float, *, look_back: bool = False) -> dict[str, float]:
    """How often the 95 % interval holds the truth, over many runs.

    `spread` is the standard deviation of the estimates over the mean standard error: below 1 where the interval is
    wider than it need be.
    """
    if metric.kind == "proportion" and not look_back:
        # Asking the test is asking the interval, without searching for its ends.
        runs = [(_observed(draw, metric), draw.treated) for draw in draws]
        held = [abs(_score(*run, truth)) <= NORMAL for run in runs]
        table = pd.DataFrame([_score_difference(*run) for run in runs], columns=list(Estimate._fields[:2]))
    else:
        found = [estimate(*draw, metric, look_back=look_back) for draw in draws]
        held = [one.low <= truth <= one.high for one in found]
        table = pd.DataFrame(found)
    return {
        "held": float(np.mean(held)),
        "bias": float(table["difference"].mean() - truth),
        "spread": float(table["difference"].std() / table["standard_error"].mean()),
    }


def held_by_flights(draws: list[Draw], metric: Metric, truth: float) -> float:
    """The same for shares of flights, taken as if flights of one aircraft were independent: a warning."""
    held = []
    for draw in draws:
        seen = _observed(draw, metric)
        arms = [seen[~draw.treated], seen[draw.treated]]
        variance = sum(arm.ratio * (1 - arm.ratio) / arm.denominator.sum() for arm in arms)
        held.append(abs(arms[1].ratio - arms[0].ratio - truth) <= NORMAL * np.sqrt(variance))
    return float(np.mean(held))


def effect_rows(units: Units) -> list[str]:
    """The rows of the README's table: true effects beside what the experiment says."""
    treated = split(units.control.index, EXPERIMENT)
    rows = []
    for metric in METRICS:
        control, variant = true_effect(units, metric)
        found = [estimate(units, treated, metric, look_back=wanted) for wanted in _looks(metric)]
        texts = [metric.shown(value) for value in (control, variant, variant - control)]
        texts += [
            f"{metric.shown(one[0])} ({metric.shown(one.low)} to {metric.shown(one.high)})" for one in found
        ]
        rows.append(_row(metric, texts, columns=5))
    return rows


def coverage_rows(*runs: list[Draw], units: Units) -> list[str]:
    """The rows of the README's second table: how often the interval held the truth, and the spread."""
    rows = []
    for metric in METRICS:
        control, variant = true_effect(units, metric)
        found = [
            coverage(draws, metric, variant - control, look_back=wanted)
            for wanted in _looks(metric)
            for draws in runs
        ]
        texts = [f"{one['held']:.1%} ({one['spread']:.2f})".replace("%", " %") for one in found]
        rows.append(_row(metric, texts, columns=2 * len(runs)))
    return rows


def _looks(metric: Metric) -> list[bool]:
    return [False, True] if metric.look_back else [False]


def _row(metric: Metric, texts: list[str], columns: int) -> str:
    return " | ".join([f"| `{metric.name}`", *texts, *["–"] * (columns - len(texts))]) + " |"


def _pair(sums: pd.DataFrame, metric: Metric) -> Pair:
    numerator = sums[metric.numerator].to_numpy()
    return Pair(numerator, sums[metric.denominator].to_numpy() if metric.denominator else np.ones(len(sums)))


def _observed(draw: Draw, metric: Metric) -> Pair:
    units, treated = draw
    control, variant = (_pair(arm, metric) for arm in (units.control, units.variant))
    numerator = np.where(treated, variant.numerator, control.numerator)
    seen = Pair(numerator, np.where(treated, variant.denominator, control.denominator))
    return _capped(seen, metric)


def _capped(pair: Pair, metric: Metric) -> Pair:
    return pair._replace(numerator=pair.numerator.clip(*_caps(pair.numerator, metric)))


def _caps(values: Floats, metric: Metric) -> tuple[float, float]:
    """Order statistics of both arms together."""
    if metric.cut_at is None:
        return -np.inf, np.inf
    low, high = np.quantile(values, metric.cut_at, method="inverted_cdf")
    return float(low), float(high)


def _slope(seen: Pair, before: Pair) -> float:
    moments = np.cov(seen.linear, before.linear)
    return float(moments[0, 1] / moments[1, 1])


def _score_estimate(seen: Pair, treated: Bools) -> Estimate:
    """Miettinen-Nurminen; the standard error is the one under no difference."""
    found, error = _score_difference(seen, treated)
    low = brentq(lambda at: _score(seen, treated, at) - NORMAL, -0.999, found)
    high = brentq(lambda at: _score(seen, treated, at) + NORMAL, found, 0.999)
    return Estimate(found, error, low, high)


def _score_difference(seen: Pair, treated: Bools) -> tuple[float, float]:
    found = seen[treated].ratio - seen[~treated].ratio
    return found, found / _score(seen, treated, 0.0)


def _score(seen: Pair, treated: Bools, difference: float) -> float:
    """Distance of the shares from a difference, in standard errors at the likeliest shares that differ by it.

    Not by statsmodels: up to 0.15 it solves another cubic for the likeliest shares (its issue 10269).
    """
    n, n_control = int(treated.sum()), int((~treated).sum())
    count, count_control = seen.numerator[treated].sum(), seen.numerator[~treated].sum()
    total, d = n + n_control, difference
    cubic = [
        total,
        (n + 2 * n_control) * d - total - count - count_control,
        (n_control * d - total - 2 * count_control) * d + count + count_control,
        count_control * d * (1 - d),
    ]
    # The other two solutions lie where one of the shares would be below 0 or above 1.
    share = float(np.sort(np.roots(cubic).real)[1])
    variance = (share + d) * (1 - share - d) / n + share * (1 - share) / n_control
    return float((count / n - count_control / n_control - d) / np.sqrt(variance * total / (total - 1)))
