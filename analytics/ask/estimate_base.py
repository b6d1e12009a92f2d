"""What reading and estimating have in common for all tasks: samples, features, measured values, weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.estimated import (
    MEASURABLE,
    OWN_WINDOW,
    USABLE,
    LabelledSums,
    read_labelled,
    windowed,
)
from analytics.aggregates.keys import block_codes, column
from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.estimate_windows import Plan
from analytics.engines.text import Sql
from analytics.quality.estimated import Method
from analytics.quality.estimators import (
    Realised,
    Refit,
    Weighted,
    WindowEstimate,
    measured,
    nothing,
    refit,
    too_few_labels,
)
from analytics.stats.calibrators import block_folds
from analytics.stats.encoding import Column, fit_encoder
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
REFERENCE_ROWS = 20_000
"""Labelled reference rows that are looked at one by one, of each version."""
WEIGHTED_ROWS = 3_000
"""The same where they are weighted anew for every window."""
WINDOW_ROWS = 1_000
"""Rows of each window that are looked at one by one."""
MANY_ROWS = 5_000
QUANTILES = 250
"""Groups that the scores of more reference rows than that are put into before anything is fitted."""
FOLDS = 10
MODEL_FOLDS = 5


@dataclass
class Evidence:
    """What was found for one version.

    Attributes:
        n_reference: labelled reference rows.
        reference_measured: one a window of the reference, in the order of time.
        early: measured on the labels known when mature, one a planned window.
        now: measured on all labels known.
        in_reference: estimates of the reference's windows by fits that did not see them.
        estimates: one a planned window.
    """

    n_reference: int
    reference_measured: list[Realised]
    early: list[Realised]
    now: list[Realised]
    in_reference: dict[Method, list[WindowEstimate]] = field(default_factory=dict)
    estimates: dict[Method, list[WindowEstimate]] = field(default_factory=dict)


class Reader:
    """What the three tasks share."""

    metrics: tuple[str, ...]

    def __init__(
        self, catalog: Catalog, plan: Plan, rows: Sql, reference: Sql | None, methods: tuple[Method, ...]
    ) -> None:
        self.catalog, self.plan, self.methods = catalog, plan, methods
        self.rows, self.reference = rows, reference
        self.sql: list[str] = []
        self.keys = [planned.window.key for planned in plan.windows]
        self.read()

    def read(self) -> None:
        """Read everything of all versions."""
        raise NotImplementedError

    def evidence(self, version: str | None) -> Evidence:
        """Estimate all windows of one version."""
        raise NotImplementedError

    def windowed_reference(self, *, keyed: bool) -> Sql | None:
        """The reference's rows, cut like the windows."""
        return None if self.reference is None else windowed(self.reference, self.plan.span, keyed=keyed)

    def sample(self, rows: Sql, size: int, where: str, *, features: bool) -> Sample:
        """Rows one by one, with what they are cut by."""
        drawn = read_sample(
            self.catalog, rows, size, where=where, features=self.catalog.features if features else (),
            columns=OWN_WINDOW,
        )  # fmt: skip
        self.sql.append(drawn.sql)
        return drawn

    def reference_sample(self, size: int, *, features: bool) -> Sample | None:
        """Labelled rows of the reference."""
        rows = self.windowed_reference(keyed=False)
        if rows is None:
            return None
        return self.sample(rows, size, MEASURABLE, features=features)

    def columns(self, table: pa.Table) -> dict[str, Column]:
        """The features, and the scores on a scale that classifiers can use."""
        found: dict[str, Column] = {}
        for name in table.column_names:
            if name.startswith("feature:"):
                values = table.column(name)
                numeric = pa.types.is_floating(values.type)
                found[name] = column(table, name) if numeric else values.to_pylist()
            elif name == "score" or name.startswith("score:"):
                score = column(table, name)
                found[name] = score if self.catalog.predictions.task == "regression" else _logit(score)
        return found


def _logit(score: Floats) -> Floats:
    clipped = np.clip(score, 1e-4, 1 - 1e-4)
    answer: Floats = np.log(clipped) - np.log1p(-clipped)
    return answer


def of_version(table: pa.Table, version: str | None) -> pa.Table:
    """The rows of one version."""
    names = table.column("version").to_pylist()
    return table.take(pa.array([i for i, name in enumerate(names) if name == version], pa.int64()))


def by_window(table: pa.Table, name: str = "window_key") -> dict[datetime, Integers]:
    """Window -> the numbers of its rows."""
    if table.num_rows == 0:
        return {}
    encoded = table.column(name).combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return {key: np.flatnonzero(codes == i) for i, key in enumerate(encoded.dictionary.to_pylist())}


@dataclass
class Weigher:
    """Refits the calibration of one version for each window."""

    reference: Weighted | None
    inside_rows: dict[datetime, Integers]
    windows: dict[datetime, Floats]

    @classmethod
    def of(
        cls, reader: Reader, reference: Sample | None, windows: Sample | None, version: str | None
    ) -> Weigher:
        """Of one version's samples."""
        if reference is None or windows is None:
            return cls(None, {}, {})
        known, rows = of_version(reference.table, version), of_version(windows.table, version)
        if known.num_rows == 0:
            return cls(None, {}, {})
        encoder = fit_encoder(reader.columns(known))
        classes = reader.catalog.predictions.classes
        score, label = scores_and_labels(known, classes)
        weighted = Weighted(
            encoder(reader.columns(known), squares=True),
            score,
            label,
            column(known, "weight"),
            block_folds(block_codes(known), MODEL_FOLDS),
        )
        features = encoder(reader.columns(rows), squares=True)
        windowed_features = {key: features[index] for key, index in by_window(rows).items()}
        return cls(weighted, by_window(known, "window_of"), windowed_features)

    def inside(self, key: datetime) -> Refit:
        """For a window of the reference, from all its other rows."""
        rows = self.inside_rows.get(key)
        if self.reference is None or rows is None:
            return Refit(None, 0.0, _NOTHING_TO_WEIGHT)
        mine = np.zeros(len(self.reference.weight), dtype=np.bool_)
        mine[rows] = True
        return refit(self.reference.without(mine), self.reference.features[mine])

    def outside(self, key: datetime) -> Refit:
        """For a window of the logs."""
        features = self.windows.get(key)
        if self.reference is None or features is None:
            return Refit(None, 0.0, _NOTHING_TO_WEIGHT)
        return refit(self.reference, features)


_NOTHING_TO_WEIGHT = "no labelled reference rows of this version, so nothing was weighted"


def scores_and_labels(table: pa.Table, classes: Sequence[str]) -> tuple[Floats, Integers]:
    """Scores of shape (R,) or (R, K), and labels as 0 and 1 or as numbers of classes."""
    if not classes:
        return column(table, "score"), column(table, "label").astype(np.int64)
    place = {name: i for i, name in enumerate(classes)}
    score = np.column_stack([column(table, f"score:{name}") for name in classes])
    return score, numbers(table.column("label").to_pylist(), place)


def numbers(names: Iterable[str | None], place: Mapping[str, int]) -> Integers:
    """Classes as numbers; -1 where there is none."""
    return np.array([-1 if name is None else place.get(name, -1) for name in names], dtype=np.int64)


def no_rows(metrics: tuple[str, ...]) -> WindowEstimate:
    """The estimate of a window without rows."""
    return nothing(metrics, "no_data", "no rows with a usable score in this window")


def no_labels(metrics: tuple[str, ...]) -> Realised:
    """What is measured without labels."""
    return too_few_labels(0, metrics) or measured(np.full(len(metrics), np.nan), {}, 0)


class Sampled(Reader):
    """Tasks whose rows are looked at one by one, with exact sums over all labelled rows beside."""

    statistics: dict[str, str]

    def read_samples(self, *, features: bool) -> None:
        """Samples of the reference and of the windows, and the labelled rows' sums."""
        classes = self.catalog.predictions.classes
        self.labelled, text = read_labelled(self.catalog, self.rows, self.statistics, classes)
        self.sql.append(text)
        self.reference_rows = self.reference_sample(REFERENCE_ROWS, features=features)
        self.window_rows = self.sample(self.rows, WINDOW_ROWS, USABLE, features=features)
        self.totals = {(key[0], key[1]): n for key, n in self.window_rows.totals.items()}

    def measured_windows(self, version: str | None) -> tuple[list[Realised], list[Realised]]:
        """Measured on early labels, and on all of them, one a planned window."""
        sums = [self.labelled.get((key, version)) for key in self.keys]
        both = [[self.measure(one, which) for one in sums] for which in (0, 1)]
        return both[0], both[1]

    def measure(self, sums: LabelledSums | None, which: int) -> Realised:
        """The metrics from exact sums."""
        if sums is None:
            return no_labels(self.metrics)
        n = int(sums.n[which])
        problem = too_few_labels(n, self.metrics)
        return problem if problem is not None else self.from_sums(sums.sums[which], sums.table[which], n)

    def from_sums(self, sums: Floats, table: Floats, n: int) -> Realised:
        """The metrics of the task."""
        raise NotImplementedError
