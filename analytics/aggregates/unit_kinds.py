"""What a metric makes of the rows of one unit: which of them count, how much, and what they come to.

A row counts from ``after`` (or the first exposure itself) until ``window`` after the first exposure, or until the end.
With a half-life it counts half as much for every such stretch of time since the first exposure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from analytics.aggregates.model_rows import OF_LABELS, WAITING
from analytics.aggregates.readings import Reading, Wanted
from analytics.engines.text import Sql, identifier, literal
from analytics.project import SHARES

LARGEST = 1e40
"""A value beyond it is damage, and would make every sum of powers infinite."""
COUNTED = ("left", "rows", "early", "waiting")
"""What is counted of a unit's rows besides: those without a usable value, all from the exposure on, those that counted
before the first exposure, and those whose label is not there yet."""


@dataclass(frozen=True)
class UnitSum:
    """One number of a unit, made of its rows.

    Attributes:
        name: of the column that holds it.
        how: whether the condition ever held (1 or 0), the sum or the mean of the value, or how many rows there are.
        stretch: the column of `row_items` that is true of rows in time; None where no row can count.
        condition: what else has to hold of a row.
        value: what is added.
    """

    name: str
    how: Literal["happened", "sum", "mean", "count"]
    stretch: str | None
    condition: str = "TRUE"
    value: str = ""

    @property
    def text(self) -> str:
        """The aggregate over the rows of a unit."""
        if self.stretch is None:  # a constant costs nothing
            return f"0 AS {identifier(self.name)}"
        here = self.stretch if self.condition == "TRUE" else f"{self.stretch} AND {self.condition}"
        match self.how:
            case "happened":
                # what is held of a unit meanwhile is what its scan costs: two bytes here, sixteen for a greatest number
                text = f"CASE WHEN bool_or({here}) THEN 1e0 ELSE 0e0 END"
            case "count":
                text = f"count(*) FILTER ({here})"
            case _:
                text = f"{'sum' if self.how == 'sum' else 'avg'}(CASE WHEN {here} THEN {self.value} END)"
        return f"{text} AS {identifier(self.name)}"


def value_name(index: int, name: str) -> str:
    """The column of a unit's row that holds one column of a metric, or one of `COUNTED`."""
    return f"m{index}:{name}"


def value_column(index: int, name: str) -> str:
    """The same, quoted."""
    return identifier(value_name(index, name))


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
    items += [f"({text}) AS {name}" for name, text in stretches(reading, index, wanted).items()]
    if wanted.metric.half_life is not None:
        halves = (
            f"(epoch_us(ts) - epoch_us(arm_ts)) / {literal(wanted.metric.half_life.total_seconds() * 1e6)}"
        )
        items.append(f"pow(5e-1, {halves}) AS decay_{index}")
    if wanted.metric.model in OF_LABELS:
        items.append(f"{WAITING} AS waiting_{index}")
    return items


def stretches(reading: Reading, index: int, wanted: Wanted) -> dict[str, str]:
    """Columns that say whether a row comes in time for a metric, and the SQL of each."""
    metric = wanted.metric
    closes = reading.closing.text if metric.window is None else _since("<", metric.window)
    after = "ts >= arm_ts" if metric.after is None else _since(">=", metric.after)
    before = "FALSE" if wanted.lookback is None else f"ts < arm_ts AND {_since('>=', -wanted.lookback)}"
    found = {f"after_{index}": f"{after} AND {closes}", f"before_{index}": before}
    if metric.after is not None:
        # a unit is heard of from its exposure on, also where its rows count only later
        found[f"since_{index}"] = f"ts >= arm_ts AND {closes}"
    return found


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
    """What the rows of a unit come to; as `unit_sums`, and the times of steps."""
    sums = [one.text for one in unit_sums(index, wanted, weighted=weighted, begins=begins)]
    return [*_step_times(index, wanted.steps), *sums]


def unit_sums(index: int, wanted: Wanted, *, weighted: bool, begins: bool = True) -> list[UnitSum]:
    """What the rows of a unit come to, but for the times of steps.

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
            UnitSum(value_name(index, name), "happened", f"before_{index}", _holds(last))
            for name in wanted.looked_back
        ]
        return [*before, *_counts(index, wanted, last, begins=begins)]
    finite = " AND ".join(map(usable, raw))
    sums = []
    for stretch, names in ((f"after_{index}", wanted.columns), (f"before_{index}", wanted.looked_back)):
        for column, name in zip(raw, names, strict=False):
            own = value_name(index, name)
            if wanted.metric.kind in SHARES:
                sums.append(UnitSum(own, "happened", stretch, _holds(column)))
            else:
                value = f"{column}{_factor(index, wanted, stretch, weighted)}"
                # rows that a quantile is of are no parts of a total
                of_rows: Literal["mean", "sum"] = "mean" if wanted.metric.kind == "quantile" else "sum"
                sums.append(UnitSum(own, of_rows, stretch, finite, value))
    return [*sums, *_counts(index, wanted, None, begins=begins)]


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


def _holds(column: str) -> str:
    return f"({usable(column)} AND {column} <> 0e0)"


def _factor(index: int, wanted: Wanted, stretch: str, weighted: bool) -> str:  # noqa: FBT001
    """What a row's value is multiplied by; a value from before the exposure does not decay."""
    decays = wanted.metric.half_life is not None and stretch.startswith("after")
    return (" * weight" if weighted else "") + (f" * decay_{index}" if decays else "")


def _counts(index: int, wanted: Wanted, last: str | None, *, begins: bool) -> list[UnitSum]:
    """How many rows there are of every sort in `COUNTED`."""
    raw = [raw_column(index, name) for name in (wanted.steps or wanted.columns)]
    # NULL adds nothing to a sum, but a ratio leaves out a row of which it knows one half
    wrong = " OR ".join(f"NOT {usable(column)}" for column in raw)
    if wanted.metric.kind == "ratio":
        wrong += f" OR ({raw[0]} IS NULL) <> ({raw[1]} IS NULL)"
    happened = _holds(last or raw[0])
    if wanted.metric.kind not in {*SHARES, "count"}:
        happened = " AND ".join(map(usable, raw))
    after = f"after_{index}"
    sorts: dict[str, tuple[str | None, str]] = {
        "left": (after, f"({wrong})"),
        "rows": (after if wanted.metric.after is None else f"since_{index}", "TRUE"),
        "early": ("early" if begins else None, happened),
        "waiting": (after if wanted.metric.model in OF_LABELS else None, f"waiting_{index}"),
    }
    return [
        UnitSum(value_name(index, name), "count", stretch, condition)
        for name, (stretch, condition) in sorts.items()
    ]
