"""What a metric makes of the rows of one unit: which of them count, how much, and what they come to.

A row counts from ``after`` (or the first exposure itself) until ``window`` after the first exposure, or until the end.
With a half-life it counts half as much for every such stretch of time since the first exposure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from analytics.aggregates.model_rows import OF_LABELS, WAITING
from analytics.aggregates.readings import Reading, Wanted
from analytics.engines.text import Sql, identifier, literal
from analytics.project import SHARES

LARGEST = 1e40
"""A value beyond it is damage, and would make every sum of powers infinite."""
COUNTED = ("left", "rows", "early", "waiting")
"""What is counted of a unit's rows besides: those without a usable value, all from the exposure on, those that counted
before the first exposure, and those whose label is not there yet."""


def value_column(index: int, name: str) -> str:
    """The quoted column of a unit's row that holds one column of a metric, or one of `COUNTED`."""
    return identifier(f"m{index}:{name}")


def raw_column(index: int, name: str) -> str:
    """The column of a log's row that holds one expression of a metric."""
    return f"raw_{index}_{name}"


def usable(number: str) -> str:
    """Whether a number can be added."""
    # what is not a number is larger than any
    return f"(abs({number}) <= {literal(LARGEST)})"


def _since(comparison: str, duration: timedelta) -> str:
    """Whether a row comes so long after its unit's first exposure; no calendar is asked, since none is needed."""
    return f"epoch_us(ts) - epoch_us(arm_ts) {comparison} {duration // timedelta(microseconds=1)}"


def seconds(duration: timedelta) -> str:
    """A stretch of time that is as long on every day of the year."""
    return f"({literal(duration.total_seconds())} * INTERVAL '1' SECOND)"


def row_items(reading: Reading, index: int, wanted: Wanted, raw: Mapping[str, str]) -> list[str]:
    """What is taken of a row of the log for one metric: its values, whether it counts, and how much."""
    items = [f"{text} AS {raw_column(index, name)}" for name, text in raw.items()]
    metric = wanted.metric
    closes = reading.closing.text if metric.window is None else _since("<", metric.window)
    after = f"{'ts >= arm_ts' if metric.after is None else _since('>=', metric.after)} AND {closes}"
    before = "FALSE" if wanted.lookback is None else f"ts < arm_ts AND {_since('>=', -wanted.lookback)}"
    items += [f"({after}) AS after_{index}", f"({before}) AS before_{index}"]
    if metric.after is not None:
        # a unit is heard of from its exposure on, also where its rows count only later
        items.append(f"(ts >= arm_ts AND {closes}) AS since_{index}")
    if wanted.metric.half_life is not None:
        halves = (
            f"(epoch_us(ts) - epoch_us(arm_ts)) / {literal(wanted.metric.half_life.total_seconds() * 1e6)}"
        )
        items.append(f"pow(5e-1, {halves}) AS decay_{index}")
    if wanted.metric.model in OF_LABELS:
        items.append(f"{WAITING} AS waiting_{index}")
    return items


def flags(index: int, wanted: Wanted) -> list[str]:
    """The columns of `row_items` one of which is true of every row that counts for a metric."""
    names = ["after"]
    if wanted.lookback is not None:
        names.append("before")
    if wanted.metric.after is not None:
        names.append("since")
    return [f"{name}_{index}" for name in names]


def early(reading: Reading) -> Sql:
    """Whether a row lies between the start of the experiment and the unit's first exposure; never without a start."""
    if reading.start is None:
        return Sql("FALSE")
    return Sql("(ts < arm_ts AND ts >= CAST($start AS TIMESTAMP WITH TIME ZONE))", {"start": reading.start})


def unit_items(index: int, wanted: Wanted, *, weighted: bool, begins: bool = True) -> list[str]:
    """What the rows of a unit come to.

    Args:
        index: of the metric.
        wanted: what is read of it.
        weighted: whether rows carry a weight.
        begins: whether the experiment has a start, so that rows can come between it and the first exposure.
    """
    raw = [raw_column(index, name) for name in wanted.columns]
    if wanted.steps:
        last = raw_column(index, wanted.steps[-1])
        before = [
            f"{_happened(f'before_{index}', last)} AS {value_column(index, name)}"
            for name in wanted.looked_back
        ]
        return [*_step_times(index, wanted.steps), *before, *_counts(index, wanted, last, begins=begins)]
    finite = " AND ".join(map(usable, raw))
    items = []
    for stretch, names in ((f"after_{index}", wanted.columns), (f"before_{index}", wanted.looked_back)):
        for column, name in zip(raw, names, strict=False):
            if wanted.metric.kind in SHARES:
                items.append(f"{_happened(stretch, column)} AS {value_column(index, name)}")
            else:
                value = f"CASE WHEN {stretch} AND {finite} THEN {column}{_factor(index, wanted, stretch, weighted)} END"
                # rows that a quantile is of are no parts of a total
                of_rows = "avg" if wanted.metric.kind == "quantile" else "sum"
                items.append(f"{of_rows}({value}) AS {value_column(index, name)}")
    return [*items, *_counts(index, wanted, None, begins=begins)]


def reached(index: int, steps: Sequence[str]) -> list[str]:
    """How far a unit came: 1 or 0 for every step, taken in the order of time; the last one is the metric's value.

    The earliest way through is taken, so that no choice of rows comes further. Two steps at one instant are in order.
    """
    if not steps:
        return []
    items = []
    for place, name in enumerate(steps):
        times, at = value_column(index, f"times_{name}"), value_column(index, f"at_{name}")
        previous = value_column(index, f"at_{steps[place - 1]}")
        later = times if not place else f"list_filter({times}, lambda x: x >= {previous})"
        items.append(f"list_min({later}) AS {at}")
    came = [
        f"CASE WHEN {value_column(index, f'at_{name}')} IS NULL THEN 0e0 ELSE 1e0 END AS {value_column(index, name)}"
        for name in steps
    ]
    last = f"CASE WHEN {value_column(index, f'at_{steps[-1]}')} IS NULL THEN 0e0 ELSE 1e0 END"
    return [*items, *came, f"{last} AS {value_column(index, 'value')}"]


def _step_times(index: int, steps: Sequence[str]) -> list[str]:
    return [
        f"list(epoch_us(ts)) FILTER (after_{index} AND {_holds(raw_column(index, name))}) "
        f"AS {value_column(index, f'times_{name}')}"
        for name in steps
    ]


def _happened(stretch: str, column: str) -> str:
    # what is held of a unit meanwhile is what its scan costs: two bytes here, sixteen for the greatest of two numbers
    return f"CASE WHEN bool_or({stretch} AND {_holds(column)}) THEN 1e0 ELSE 0e0 END"


def _holds(column: str) -> str:
    return f"({usable(column)} AND {column} <> 0e0)"


def _factor(index: int, wanted: Wanted, stretch: str, weighted: bool) -> str:  # noqa: FBT001
    """What a row's value is multiplied by; a value from before the exposure does not decay."""
    decays = wanted.metric.half_life is not None and stretch.startswith("after")
    return (" * weight" if weighted else "") + (f" * decay_{index}" if decays else "")


def _counts(index: int, wanted: Wanted, last: str | None, *, begins: bool) -> list[str]:
    """How many rows there are of every sort in `COUNTED`."""
    raw = [raw_column(index, name) for name in (wanted.steps or wanted.columns)]
    # NULL adds nothing to a sum, but a ratio leaves out a row of which it knows one half
    wrong = " OR ".join(f"NOT {usable(column)}" for column in raw)
    if wanted.metric.kind == "ratio":
        wrong += f" OR ({raw[0]} IS NULL) <> ({raw[1]} IS NULL)"
    happened = _holds(last or raw[0])
    if wanted.metric.kind not in {*SHARES, "count"}:
        happened = " AND ".join(map(usable, raw))
    # what cannot be is a constant, and costs nothing
    waiting = f"after_{index} AND waiting_{index}" if wanted.metric.model in OF_LABELS else None
    conditions = {
        "left": f"after_{index} AND ({wrong})",
        "rows": f"after_{index}" if wanted.metric.after is None else f"since_{index}",
        "early": f"early AND {happened}" if begins else None,
        "waiting": waiting,
    }
    return [
        f"{'0' if condition is None else f'count(*) FILTER ({condition})'} AS {value_column(index, name)}"
        for name, condition in conditions.items()
    ]
