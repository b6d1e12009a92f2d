"""Why a metric changed between two sides: the whole, mix or model, since when, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.change_parts import (
    ChangeRows,
    Column,
    Condition,
    Cut,
    Side,
    Slice,
    bin_code,
    change_rows,
    text_value,
)
from analytics.aggregates.reference_bins import ReferenceBins, feature_bins
from analytics.aggregates.row_measures import RowMeasure, explainable, row_measure
from analytics.ask.explain_onset import When, when_of
from analytics.ask.explain_shift import shift_rows
from analytics.ask.explain_sides import Comparison, comparisons
from analytics.ask.kept import kept
from analytics.ask.labels import maturity_of
from analytics.ask.logged_bins import logged_bins
from analytics.ask.segments import DEFAULT
from analytics.ask.windows import reference_inside, resolve
from analytics.errors import ScopeError
from analytics.explain.account import (
    Named,
    Subject,
    account_rows,
    effect_a_row,
    effects_of,
    enough,
    longer_of,
)
from analytics.explain.rows import ExplainRow
from analytics.explain.slices import (
    Candidates,
    bin_name,
    filters_of,
    joined,
    name_of,
    of_cut,
    of_pair,
    parents_of,
)
from analytics.measures import binary, multiclass, regression
from analytics.results import Results, Status
from analytics.scope import Scope
from analytics.stats.blocks import MINIMUM_CLUSTERS
from analytics.stats.change_slices import Inflation, choose_slices, evidence, shortlist
from analytics.stats.part_intervals import BlockEffect
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows, segment_expression

Floats = NDArray[np.float64]
MOST_FEATURES = 60
_BLOCKS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_LONG = timedelta(days=60)
MOST_SLICES = 10
_SHORT = 40
_WORTH = 0.05
_EACH = 4
_PAIRED_COLUMNS = 9
EVERYTHING_ELSE = "(everything else)"
STAND_INS = {
    "average_precision": "roc_auc", "matthews_corrcoef": "balanced_accuracy", "r2": "root_mean_squared_error",
    "median_absolute_error": "mean_absolute_error", "roc_auc_macro": "log_loss", "precision_macro": "accuracy",
    "recall_macro": "accuracy", "f1_macro": "accuracy", "balanced_accuracy": "accuracy", "roc_auc": "log_loss",
    "top_2_accuracy": "accuracy", "latency_p50": "mean_latency", "latency_p95": "mean_latency",
    "latency_p99": "mean_latency", "label_delay_p50": "label_coverage",
}  # fmt: skip
"""Metrics that do not fall into parts -> the nearest one that does."""
_OF_EVERY_TASK = {"latency_p50", "latency_p95", "latency_p99", "label_delay_p50"}


@dataclass(frozen=True)
class Explained:
    """Everything that explains one change.

    Attributes:
        rows: every part: the whole, the shift, the onset, the slices, segments and features; of every version.
        when: by version: the onset with the points of its chart.
        metric: what was explained.
        asked: what was asked for.
    """

    rows: Results[ExplainRow]
    when: dict[str | None, When]
    metric: str
    asked: str


def explained_of(
    catalog: Catalog, scope: Scope, before: Scope | None = None, metric: str | None = None
) -> Explained:
    """Explain the change of a metric.

    Args:
        catalog: the project's views.
        scope: the window after; one for every version asked for.
        before: the other side; None is the reference or, where there is none, the window before.
        metric: the loss of the task where left out; a metric that does not fall into parts has another one stand in.

    Raises:
        ScopeError: there is no such metric, or the comparison has no meaning.
    """
    asked = metric or DEFAULT[catalog.predictions.task]
    chosen, notes = _metric(catalog, asked)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    zone = catalog.project.zone
    if not windows:
        return Explained(Results((), zone, notes=(*notes, "The logs hold no prediction.")), {}, chosen, asked)
    reader = _Reader(catalog, scope)
    for comparison in comparisons(catalog, scope, before):
        reader.read(comparison, chosen)
    notes = (*notes, *reader.notes, *(reference_inside(catalog, scope) if before is None else ()))
    rows = Results(tuple(reader.rows), zone, tuple(dict.fromkeys(reader.sql)), tuple(dict.fromkeys(notes)))
    told = next((row.metric for row in reader.rows if row.part == "whole" and row.status == "ok"), chosen)
    return Explained(rows, reader.when, told, asked)


def metrics_to_explain(catalog: Catalog) -> tuple[str, ...]:
    """The metrics that can be asked for: those that fall into parts, and those that another one stands in for."""
    known = explainable(catalog)
    task = catalog.predictions.task
    named = {"binary": binary.METRICS, "multiclass": multiclass.METRICS, "regression": regression.METRICS}[
        task
    ]
    own = {*named, *_OF_EVERY_TASK}
    others = (name for name in STAND_INS if name in own and name not in known and _stand_in(known, name))
    return (*known, *others)


def _stand_in(known: Sequence[str], asked: str) -> str | None:
    instead = STAND_INS.get(asked)
    if instead is not None and instead not in known:
        instead = STAND_INS.get(instead)
    return instead if instead in known else None


def _metric(catalog: Catalog, asked: str) -> tuple[str, tuple[str, ...]]:
    known = explainable(catalog)
    if asked in known:
        return asked, ()
    instead = _stand_in(known, asked)
    if instead is not None:
        return instead, (f"{asked} does not fall into parts; {instead} is explained in its place",)
    if asked == DEFAULT[catalog.predictions.task] and not catalog.has_labels:
        instead = _without_labels(catalog)
        if instead is not None:
            return instead, (f"no labels are declared, so {instead} is explained in place of {asked}",)
    raise ScopeError(f'metric "{asked}" cannot be explained; choose one of: {", ".join(known)}')


def _without_labels(catalog: Catalog) -> str | None:
    """What there is to explain while no label has come."""
    known = explainable(catalog)
    order = ("mean_score", "mean_prediction", "mean_top_score", "decision_rate", "error_rate", "mean_latency")
    return next((name for name in order if name in known), None)


class _Reader:
    """Reads and explains one version after the other."""

    def __init__(self, catalog: Catalog, scope: Scope) -> None:
        self.catalog, self.scope = catalog, scope
        self.maturity = maturity_of(catalog, scope)
        self.rows: list[ExplainRow] = []
        self.when: dict[str | None, When] = {}
        self.sql: list[str] = []
        self.notes: list[str] = []

    def read(self, comparison: Comparison, metric: str) -> None:
        """All parts of the change of one version."""
        measure = row_measure(self.catalog, metric)
        columns = self._columns(comparison)
        third = self._third(comparison)
        sides = (comparison.before, comparison.after, *((third,) if third is not None else ()))
        with change_rows(self.catalog, measure, sides, columns) as held:
            self.sql += held.sql
            whole = held.parts("0", longer=True)
            subject = self._subject(comparison, measure, longer_of(whole))
            lacking = enough(whole)
            if lacking is not None:
                self.rows.append(self._nothing(subject, whole.n, lacking))
            else:
                effects = effects_of(whole, subject)
                (first,) = account_rows(whole, Named("whole", None, (None,), ((),)), subject)
                self._explain(
                    held,
                    comparison,
                    (measure, subject),
                    (first, effect_a_row(effects, whole, subject.longer)),
                )
                return
        instead = _without_labels(self.catalog)
        if measure.needs_label and instead is not None and whole.n.sum(axis=1).min(initial=0.0) < 20:
            self.notes.append(f"too few labels for {metric}: {instead} is explained in its place")
            self.read(comparison, instead)

    def _subject(self, comparison: Comparison, measure: RowMeasure, longer: BlockEffect | None) -> Subject:
        late = self.maturity.reason(comparison.window.end) if measure.needs_label else None
        return Subject(
            measure.metric, comparison.version, comparison.words, self.scope.confidence, 2.0 if measure.ranks else 1.0,
            measure.root, "ok" if late is None else "immature", late, longer,
        )  # fmt: skip

    def _third(self, comparison: Comparison) -> Side | None:
        """Up to 60 days before the window: how blocks differ, where neither side has enough of them."""
        section = self.catalog.predictions
        window, ends = comparison.window, comparison.before_window
        if section.block == "none" or ends is None:
            return None
        length = max(window.end - window.start, ends[1] - ends[0])
        if length >= MINIMUM_CLUSTERS * _BLOCKS[section.block]:
            return None
        # the window itself would count its own change as noise
        scope = replace(self.scope, start=window.start - _LONG, end=window.start, versions=())
        return Side(scoped_rows(self.catalog, scope), comparison.version)

    def _nothing(self, subject: Subject, n: Floats, lacking: tuple[Status, str]) -> ExplainRow:
        rows = n.sum(axis=1) if n.size else np.zeros(2)
        row = subject.blank("whole", *lacking)
        return replace(row, n_before=int(rows[0]), n_after=int(rows[1]))

    def _explain(
        self,
        held: ChangeRows,
        comparison: Comparison,
        of: tuple[RowMeasure, Subject],
        change: tuple[ExplainRow, float],
    ) -> None:
        measure, subject = of
        first, each = change
        self.rows.append(first)
        shift, notes, sql = shift_rows(self.catalog, comparison, measure, subject, first)
        self.rows += shift
        self.sql += sql
        self.notes += notes
        cuts = held.cuts()
        listed, candidates = self._single(held, cuts, subject, each)
        slices = self._slices(held, cuts, candidates, (subject, first))
        most = next((row for row in slices if row.rank == 1), None)
        when, texts = when_of(self.catalog, self.scope, comparison, of, most)
        self.when[comparison.version] = when
        self.sql += texts
        self.rows += (when.row, *slices, *listed)

    # --- what rows are split by

    def _columns(self, comparison: Comparison) -> tuple[Column, ...]:
        catalog = self.catalog
        columns = [
            Column(name, "segment", segment_expression(segment))
            for name, segment in catalog.segments.items()
            if name not in comparison.apart
        ]
        numeric = {item.field.name: item for item in self._bins(comparison)}
        texts = set(catalog.segments)
        for feature in catalog.features[:MOST_FEATURES]:
            if feature.name in comparison.apart:
                continue
            if feature.kind == "numeric":
                item = numeric.get(feature.name)
                if item is not None and item.edges:
                    columns.append(Column(feature.name, "feature", bin_code(item), item))
            elif feature.name not in texts:
                columns.append(Column(feature.name, "feature", text_value(feature.column)))
        return tuple(columns)

    def _bins(self, comparison: Comparison) -> tuple[ReferenceBins, ...]:
        """Tenths of the side before, as far as they are fixed: of the reference, else of all rows that were known."""
        if comparison.kind == "reference":
            found = _reference_bins(self.catalog, comparison.before.version)
        else:
            found = logged_bins(self.catalog, comparison.version, self.scope.as_of)
        return tuple(_tenths(item) for item in found if item.is_numeric and item.field.role == "feature")

    # --- where

    def _single(
        self, held: ChangeRows, cuts: Sequence[Cut], subject: Subject, each: float
    ) -> tuple[list[ExplainRow], list[Candidates]]:
        rows: list[ExplainRow] = []
        candidates = []
        for place, cut in enumerate(cuts):
            parts = held.parts(cut.expression, longer=True)
            bins = cut.column.bins
            names = tuple(
                bin_name(bins, [int(value)]) if bins is not None else str(value) for value in parts.values
            )
            slices = [_slice(cut, value) for value in parts.values]
            named = Named(cut.column.part, cut.column.name, names, tuple(filters_of(one) for one in slices))
            rows += account_rows(parts, named, subject)
            candidates.append(of_cut(cut, parts, place, each))
        return rows, candidates

    def _slices(
        self,
        held: ChangeRows,
        cuts: Sequence[Cut],
        single: Sequence[Candidates],
        of: tuple[Subject, ExplainRow],
    ) -> list[ExplainRow]:
        """The slices that the change comes from, no row in two of them, and everything else."""
        subject, whole = of
        if not cuts:
            return []
        every = _whole(held)
        pairs = self._pairs(held, cuts, single, every)
        looked = joined([*single, *pairs])
        if not looked.slices:
            return []
        inflation = Inflation(*looked.inflation)
        _, z = evidence(looked.sums, every, inflation)
        sign = _direction(whole)
        directed = np.abs(z) if sign == 0 else z * sign
        short = _with_parents(looked, shortlist(directed, looked.group, _EACH, _SHORT))
        slices = [looked.slices[place] for place in short]
        if not slices:
            return []
        inside, sums = held.memberships(slices)
        chosen = choose_slices(
            inside, sums, np.full(len(slices), sign), parents_of(slices), looked_at=len(looked.slices),
            inflation=inflation.of(short), least=_least(whole), most=MOST_SLICES,
        )  # fmt: skip
        return self._ranked(held, slices, [(one.place, one.p_value, one.effect) for one in chosen], subject)

    def _pairs(
        self,
        held: ChangeRows,
        cuts: Sequence[Cut],
        single: Sequence[Candidates],
        every: Floats,
    ) -> list[Candidates]:
        """Pairs of segments, and of the features in which most is peculiar."""
        best = [
            float(np.abs(evidence(one.sums, every, Inflation(*one.inflation))[1]).max(initial=0.0))
            for one in single
        ]
        segments = [i for i, cut in enumerate(cuts) if cut.column.part == "segment"]
        others = sorted((i for i in range(len(cuts)) if i not in segments), key=lambda i: -best[i])
        kept = [*segments[:_PAIRED_COLUMNS], *others][:_PAIRED_COLUMNS]
        found = []
        for number, (i, j) in enumerate(combinations(kept, 2)):
            if cuts[i].column.name == cuts[j].column.name:
                continue
            values, sums, blocks = held.pair(cuts[i], cuts[j])
            each = np.maximum(single[i].each, single[j].each)
            found.append(of_pair((cuts[i], cuts[j]), values, sums, blocks, len(cuts) + number, each))
        return found

    def _ranked(
        self,
        held: ChangeRows,
        slices: Sequence[Slice],
        chosen: Sequence[tuple[int, float, float]],
        subject: Subject,
    ) -> list[ExplainRow]:
        if not chosen:
            return []
        # the largest first: a row that two of them hold counts for the larger one
        ordered = sorted(chosen, key=lambda one: -abs(one[2]))
        parts = held.first_of([slices[place] for place, _, _ in ordered])
        names: list[tuple[str, str]] = []
        filters: list[tuple[str, ...]] = []
        for value in parts.values:
            if int(value) < 0:
                names.append(("", EVERYTHING_ELSE))
                filters.append(())
                continue
            one = [name_of(condition) for condition in slices[ordered[int(value)][0]]]
            names.append((" × ".join(name for name, _ in one), " × ".join(value for _, value in one)))
            filters.append(filters_of(slices[ordered[int(value)][0]]))
        named = Named("slice", None, tuple(value for _, value in names), tuple(filters))
        rows = [
            replace(row, segment=name or None, p_value=None if int(value) < 0 else ordered[int(value)][1])
            for row, (name, _), value in zip(
                account_rows(parts, named, subject), names, parts.values, strict=True
            )
        ]
        change = sum(row.total_effect or 0.0 for row in rows)
        mine = sorted(
            (row for row in rows if row.segment is not None),
            key=lambda row: -(row.total_effect or 0.0) * (1.0 if change >= 0 else -1.0),
        )
        rest = [row for row in rows if row.segment is None]
        return [*(replace(row, rank=i) for i, row in enumerate(mine, 1)), *rest]


def _slice(cut: Cut, value: str | int) -> Slice:
    return (Condition(cut, (value,)),)


def _whole(held: ChangeRows) -> Floats:
    parts = held.parts("0", units=False)
    return np.concatenate([parts.d[None], parts.u[None], parts.squares])[:, :, 0]


def _least(whole: ExplainRow) -> float:
    """A slice worth a line adds at least a twentieth of the change, or of what the change may be."""
    most = max(abs(whole.ci_low or 0.0), abs(whole.ci_high or 0.0), abs(whole.total_effect or 0.0))
    return _WORTH * (abs(whole.total_effect or 0.0) if _direction(whole) != 0 else most)


def _direction(whole: ExplainRow) -> float:
    """1 or -1 where the whole change is beyond chance; 0 where it is not, and a slice may go either way."""
    if whole.ci_low is None or whole.ci_high is None or whole.ci_low <= 0.0 <= whole.ci_high:
        return 0.0
    return 1.0 if (whole.total_effect or 0.0) > 0 else -1.0


def _with_parents(looked: Candidates, short: NDArray[np.int64]) -> list[int]:
    """The shortlist and, of every pair in it, the slices of one condition."""
    single = {one[0]: i for i, one in enumerate(looked.slices) if len(one) == 1}
    kept = dict.fromkeys(short.tolist())
    for place in short.tolist():
        if len(looked.slices[place]) > 1:
            kept |= dict.fromkeys(single[c] for c in looked.slices[place] if c in single)
    return list(kept)[:60]


def _tenths(item: ReferenceBins) -> ReferenceBins:
    kept = tuple(edge for edge, coarse in zip(item.edges, item.coarse, strict=True) if coarse)
    return replace(item, edges=kept, coarse=(True,) * len(kept))


def _reference_bins(catalog: Catalog, version: str | None) -> tuple[ReferenceBins, ...]:
    return kept(catalog, ("bins that explain", version), tuple, lambda: feature_bins(catalog, version))
