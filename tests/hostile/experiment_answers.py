"""Every question about experiments, and small projects whose logs may be odd, private, repeated or hostile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from analytics.results import Results
from analytics.scope import Scope
from analytics.store import Store, open_store
from analytics.workbench import Workbench

Question = Callable[[Workbench, str, Scope], Any]

QUESTIONS: dict[str, Question] = {
    "experiment": lambda bench, name, scope: bench.experiment(name, scope),
    "scorecard": lambda bench, name, scope: bench.scorecard(scope, name=name),
    "methods": lambda bench, name, scope: bench.experiment_methods(name, scope),
    "distribution": lambda bench, name, scope: bench.experiment_distribution(name, scope),
    "days": lambda bench, name, scope: bench.experiment_days(name, scope),
    "looks": lambda bench, name, scope: bench.experiment_looks(name, scope),
    "chances": lambda bench, name, scope: bench.experiment_chances(name, scope),
    "chances_by_prior": lambda bench, name, scope: bench.experiment_chances(
        name, scope, prior_lift=0.1, prior_successes=1, prior_failures=1
    ),
    "arms": lambda bench, name, scope: bench.experiment_arms(name, scope),
    "funnel": lambda bench, name, scope: bench.funnel(name, scope),
    "segment_effects": lambda bench, name, scope: bench.segment_effects(name, scope),
    "exposure_states": lambda bench, name, scope: bench.exposure_states(name, scope),
    "trust": lambda bench, name, scope: bench.trust(name, scope),
    "health": lambda bench, name, scope: bench.health(name, scope),
    "ages": lambda bench, name, scope: bench.ages(name, scope),
    "decide": lambda bench, name, scope: bench.decide(
        name, scope, decision="hold", decided_by="me", note="to see", token="once"
    ),
    "decisions": lambda bench, name, scope: bench.decisions(name),  # noqa: ARG005  # like the others
    "since": lambda bench, name, scope: bench.since(name),  # noqa: ARG005
    "plan": lambda bench, name, scope: bench.plan(name, scope),
    "plan_days": lambda bench, name, scope: bench.plan_days(name, scope),
    "plan_horizons": lambda bench, name, scope: bench.plan_horizons(name, scope),
    "plan_traffic": lambda bench, name, scope: bench.plan_traffic(name, scope),
    "planned": lambda bench, name, scope: bench.planned(scope, name=name),
    "history": lambda bench, name, scope: bench.history(
        scope, metric=next(iter(bench.project.metrics)), name=name
    ),
    "metrics": lambda bench, name, scope: bench.metrics(scope),  # noqa: ARG005
    "metric_changes": lambda bench, name, scope: bench.metric_changes(scope),  # noqa: ARG005
}
"""Word -> the question, put to a workbench with the name of an experiment and a scope."""
OF_THE_STORE = ("decide", "decisions", "since")
"""They tell what was kept, and when."""

METRICS = """
[metrics.orders]
kind = "count"
value = "event = 'purchase'"

[metrics.buyers]
kind = "proportion"
value = "event = 'purchase'"
window = "7 days"

[metrics.revenue]
kind = "mean"
value = "amount"
winsorize = 0.99
covariate = "before"

[metrics.order_value]
kind = "ratio"
numerator = "amount"
denominator = "CASE WHEN event = 'purchase' THEN 1 END"

[metrics.large]
kind = "quantile"
value = "amount"
quantile = 0.9

[metrics.came_back]
kind = "retention"
value = "event = 'visit'"
after = "3 days"
window = "7 days"

[metrics.path]
kind = "funnel"
steps = ["event = 'visit'", "event = 'cart'", "event = 'purchase'"]
window = "7 days"

[metrics.fading]
kind = "mean"
value = "amount"
half_life = "3 days"

[metrics.crashes]
kind = "count"
value = "event = 'crash'"
direction = "down"

[metrics.load]
kind = "mean"
source = "series"
series = "load"
"""
ROLES = """primary = ["orders", "revenue"]
secondary = ["order_value", "came_back", "path", "large", "fading"]
guardrails = { crashes = { margin_absolute = 0.2 }, buyers = { margin = 0.2 } }
"""
SPAN = "start = 2024-01-05\nend = 2024-01-19\n"
DESIGNS = {
    "fixed": 'covariate = "4 days"\n',
    "one_sided": "one_sided = true\n",
    "sequential": 'stopping = "group-sequential"\nplanned_units = 300\nlooks = 3\n',
    "daily": 'stopping = "always-valid"\nplanned_units = 300\ncrossed = "leave_out"\n',
    "believed": 'stopping = "bayesian"\ncorrection = "bh"\nprior = { lift = 0.1 }\n',
    "ramp": "phases = [{ start = 2024-01-05, variants = { A = 0.5, B = 0.5 } }, "
    "{ start = 2024-01-10, variants = { A = 0.5, B = 0.5 } }]\n",
    "layered": "post_stratify = true\nstrata = { DE = { A = 0.5, B = 0.5 }, FR = { A = 0.5, B = 0.5 } }\n",
}
"""Experiment -> what is special about its design; all of them share the exposures, and so the numbers."""
ARMS = ("A", "B")


def logs(n: int = 200, odd: str = "plain") -> dict[str, pd.DataFrame]:
    """Exposures, events, units and a series of four weeks; experiments last from the fifth to the nineteenth day."""
    rng = np.random.default_rng(11)
    users = np.array([f"user{place}" for place in range(n)])
    seen = pd.Timestamp("2024-01-05", tz="UTC") + pd.to_timedelta(rng.integers(0, 13 * 86_400, n), unit="s")
    arm = rng.choice(ARMS, n)
    country = rng.choice(["DE", "FR"], n)
    exposures = pd.DataFrame(
        {"user": users, "arm": arm, "ts": seen, "country": country, "device": rng.choice(["tv", "pc"], n)}
    )
    many = 12 * n
    who = rng.integers(0, n, many)
    when = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(
        rng.integers(0, 24 * 86_400, many), unit="s"
    )
    event = rng.choice(["visit", "cart", "purchase", "crash"], many, p=[0.5, 0.25, 0.2, 0.05])
    events = pd.DataFrame({"user": users[who], "ts": when, "event": event})
    events["amount"] = np.where(event == "purchase", rng.lognormal(3, 1, many).round(2), np.nan)
    units = pd.DataFrame(
        {"user": users, "before": rng.normal(10, 3, n), "home": [f"home{place // 2}" for place in range(n)]}
    )
    hours = pd.date_range("2024-01-01", "2024-01-25", freq="h", tz="UTC", inclusive="left")
    series = pd.DataFrame({"ts": hours, "name": "load", "value": rng.normal(0.5, 0.1, len(hours))})
    found = {"exposures": exposures, "events": events, "units": units, "series": series}
    _make_odd(found, odd)
    return found


ODD = (
    "no_events", "one_unit", "one_arm", "all_equal", "all_zero", "no_control", "not_a_number", "infinite", "huge",
    "negative", "empty", "one_day", "unknown_arms", "all_null", "no_units", "two_units", "tiny", "other_time",
)  # fmt: skip
"""What may be odd about the logs."""


def _make_odd(found: dict[str, pd.DataFrame], odd: str) -> None:  # noqa: C901, PLR0912  # one branch each
    exposures, events = found["exposures"], found["events"]
    bought = events["event"] == "purchase"
    match odd:
        case "no_events":
            found["events"] = events[:0]
        case "one_unit":
            found["exposures"] = exposures[:1]
        case "two_units":
            found["exposures"] = exposures.groupby("arm").head(1)
        case "one_arm":
            found["exposures"] = exposures[exposures["arm"] == "A"]
        case "no_control":
            found["exposures"] = exposures[exposures["arm"] == "B"]
        case "all_equal":
            found["events"] = pd.DataFrame(
                {"user": exposures["user"], "ts": exposures["ts"] + pd.Timedelta(hours=1)}
            )
            found["events"] = found["events"].assign(event="purchase", amount=7.0)
        case "all_zero":
            found["events"] = events.assign(event="nothing", amount=0.0)
        case "not_a_number":
            events.loc[events.index[::3], "amount"] = np.nan
            found["units"]["before"] = np.nan
        case "infinite":
            events.loc[events.index[bought][::5], "amount"] = np.inf
            events.loc[events.index[bought][1::5], "amount"] = -np.inf
        case "huge":
            events.loc[bought, "amount"] = 1e300 * np.resize([1.0, -1.0, 2.0], bought.sum())
        case "tiny":
            events.loc[bought, "amount"] = 5e-324
        case "negative":
            events["amount"] = -events["amount"]
        case "empty":
            for name in found:
                found[name] = found[name][:0]
        case "one_day":
            exposures["ts"] = exposures["ts"].dt.floor("h").min()
        case "unknown_arms":
            exposures["arm"] = np.where(exposures["arm"] == "A", "C", "D")
        case "all_null":
            exposures["arm"] = pd.Series([None] * len(exposures), dtype="object")
        case "no_units":
            found["units"] = found["units"][:0]
        case "other_time":
            exposures["ts"] += pd.Timedelta(days=4000)


def declared(**keys: str) -> str:
    """The sections of the logs; ``keys`` adds lines to one."""
    sections = {
        "exposures": 'path = "exposures.parquet"\nunit = "user"\nvariant = "arm"\ntimestamp = "ts"\n'
        'experiment = "test"\n'
        'stratum = "country"\nsegments = ["device"]\n',
        "events": 'path = "events.parquet"\nunit = "user"\ntimestamp = "ts"\n',
        "units": 'path = "units.parquet"\nunit = "user"\n',
        "series": 'path = "series.parquet"\ntimestamp = "ts"\nname = "name"\nvalue = "value"\n',
    }
    return "\n".join(f"[{name}]\n{text}{keys.get(name, '')}" for name, text in sections.items())


def planned(names: tuple[str, ...] = tuple(DESIGNS), shares: str = "{ A = 0.5, B = 0.5 }") -> str:
    """The experiments of these names."""
    return "".join(
        f'\n[experiments.{name}]\ncontrol = "A"\nvariants = {shares}\n{SPAN}{ROLES}{DESIGNS[name]}'
        for name in names
    )


def open_experiments(
    folder: Path, found: dict[str, pd.DataFrame], text: str | None = None, top: str = ""
) -> Workbench:
    """A project of these logs, with a store of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if "test" not in found["exposures"]:
        every = pd.DataFrame({"test": list(DESIGNS)})
        found = {**found, "exposures": found["exposures"].merge(every, how="cross")}
    for name, frame in found.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    body = declared() + METRICS + planned() if text is None else text
    (folder / "assay.toml").write_text(f'name = "hostile"\n{top}\n{body}', encoding="utf-8")
    return Workbench(folder, own_store(folder))


def own_store(folder: Path) -> Store:
    """A store that nobody else writes."""
    return open_store(str(folder / "decisions.sqlite"))


def gist(answer: Any) -> Any:
    """Everything an answer says, as JSON has it; NaN and infinity raise."""
    found = _plain(answer)
    json.dumps(found, allow_nan=False)
    return found


def records(answer: Any) -> Iterator[dict[str, Any]]:
    """Every row inside what `gist` found."""
    if isinstance(answer, dict):
        yield answer
        for part in answer.values():
            yield from records(part)
    elif isinstance(answer, list):
        for part in answer:
            yield from records(part)


def _plain(value: Any) -> Any:  # noqa: PLR0911  # one line a type
    if isinstance(value, Results):
        return [*_plain(value.to_records()), {"notes": list(value.notes)}]
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.name != "sql"}
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence | frozenset) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)
