"""What a metric of an experiment is, in words: which rows of a unit count, from when until when, and how much each."""

from __future__ import annotations

from analytics.aggregates.readings import TIMED
from analytics.durations import format_duration
from analytics.experiments.words import listed
from analytics.project import Experiment, Metric, MetricKind, ModelMetric, Project

_MODEL: dict[ModelMetric, str] = {
    "log_loss": "the model's log loss over labelled rows",
    "brier_score": "the model's Brier score over labelled rows",
    "accuracy": "the share of the model's decisions that were right, over labelled rows",
    "absolute_error": "the model's absolute error over labelled rows",
    "squared_error": "the model's squared error over labelled rows",
    "error_rate": "the share of requests that failed",
    "latency": "the mean time an answer took",
}


def definition(project: Project, experiment: Experiment, metric: Metric) -> str:
    """A metric's expression, its stretch of time, and what is done to its values: parts joined by semicolons."""
    source = project.source_of(metric)
    if source == "counts":
        poisson = metric.kind == "count" and metric.standard_deviation is None
        return f"{_of_counts(metric)}, of a table with one row an arm" + (
            "; taken as Poisson counts" if poisson else ""
        )
    parts = [f"{_what(metric, timed=source in TIMED)}, over {source}"]
    if source in TIMED:
        parts += [_stretch(experiment, metric), *_decay(metric), *_open(experiment, metric)]
    if metric.winsorize is not None:
        both = metric.winsorize if isinstance(metric.winsorize, tuple) else (None, metric.winsorize)
        cuts = " and ".join(f"the {share:g} quantile" for share in both if share is not None)
        parts.append(f"winsorised at {cuts} of all arms")
    if metric.kind == "quantile":
        return "; ".join(parts)
    if metric.covariate:
        parts.append(f"adjusted by {listed(metric.covariate)}")
    elif experiment.covariate is not None and source in TIMED:
        same = "the same" if metric.half_life is None else "the same, without decay,"
        parts.append(f"adjusted by {same} over the {format_duration(experiment.covariate)} before it")
    return "; ".join(parts)


def _what(metric: Metric, *, timed: bool) -> str:
    if metric.model is not None:
        return _MODEL[metric.model]
    said = metric.value
    words: dict[MetricKind, str] = {
        "ratio": f"sum of {metric.numerator} / sum of {metric.denominator}",
        "funnel": f"share of units that took these steps in the order of time: {', then '.join(metric.steps)}",
        "retention": f"share of units that came back with {said}",
        "proportion": f"share of units with {said}" if timed else f"share of {said}",
        "count": f"events per unit: {said}",
        "quantile": f"the {metric.quantile or 0:g} quantile of {said}",
        "mean": f"mean over units of the sum of {said}" if timed else f"mean of {said}",
    }
    return words[metric.kind]


def _of_counts(metric: Metric) -> str:
    words = {"proportion": "share", "count": "events per unit:"}
    return f"{words.get(metric.kind, 'mean')} {metric.value}"


def _stretch(experiment: Experiment, metric: Metric) -> str:
    window = None if metric.window is None else format_duration(metric.window)
    after = None if metric.after is None else format_duration(metric.after)
    if after is not None and window is not None:
        return f"from {after} to {window} after each unit's first exposure"
    if after is not None:
        return f"from {after} after each unit's first exposure{_until(experiment)}"
    if window is not None:
        return f"within {window} of each unit's first exposure"
    return f"from each unit's first exposure{_until(experiment)}"


def _until(experiment: Experiment) -> str:
    """Without a window the experiment's end is the last moment that counts, where it has one."""
    return " on" if experiment.end is None else " until the end of the experiment"


def _decay(metric: Metric) -> list[str]:
    if metric.half_life is None:
        return []
    return [
        f"a row counts half as much for every {format_duration(metric.half_life)} since the first exposure"
    ]


def _open(experiment: Experiment, metric: Metric) -> list[str]:
    """What becomes of units whose window has not closed yet."""
    if metric.window is None:
        return []
    if metric.kind == "retention":
        return ["units whose window is still open cannot be judged and are left out"]
    if experiment.leaves_open_windows_out:
        return ["units whose window is still open are left out"]
    return ["units whose window is still open enter with what they have done so far"]
