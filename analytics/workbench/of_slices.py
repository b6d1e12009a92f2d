"""Questions about segments and slices: where the model is worse."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.ask import error_map as ask_error_map
from analytics.ask import error_tree as ask_error_tree
from analytics.ask import gaps as ask_gaps
from analytics.ask import segments as ask_segments
from analytics.ask import slice_compare as ask_slice_compare
from analytics.ask import slices as ask_slices
from analytics.results import Results
from analytics.scope import Scope
from analytics.segments.rows import GapRow, SegmentRow
from analytics.slices.rows import MapCellRow, SliceCompareRow, SliceRow, SliceTrendRow, TreeRow
from analytics.workbench.open_logs import OpenLogs


class OfSlices(OpenLogs):
    """Where the model is worse."""

    def segments(self, scope: Scope | None = None, metric: str | None = None) -> Results[SegmentRow]:
        """Every value of every segment against the rest, corrected."""
        return self._ask(lambda catalog: ask_segments.segments_of(catalog, scope or Scope(), metric))

    def slices(
        self,
        scope: Scope | None = None,
        metric: str | None = None,
        *,
        depth: int = 3,
        support: float = 0.01,
        k: int = 10,
    ) -> Results[SliceRow]:
        """Slices of up to three conditions that are worse: found on one part of the rows, confirmed on another."""
        return self._ask(
            lambda catalog: ask_slices.slices_of(
                catalog, scope or Scope(), metric, depth=depth, support=support, k=k
            )
        )

    def slice_trend(
        self, scope: Scope | None = None, where: Iterable[str] = (), metric: str | None = None
    ) -> Results[SliceTrendRow]:
        """The metric of the rows that meet some conditions and of all others, window by window."""
        slice_ = self.scope(where=where).filters
        return self._ask(
            lambda catalog: ask_slice_compare.slice_trend_of(catalog, scope or Scope(), slice_, metric)
        )

    def slice_compare(
        self, scope: Scope | None = None, where: Iterable[str] = ()
    ) -> Results[SliceCompareRow]:
        """Everything about the rows that meet some conditions, beside the same of all others."""
        slice_ = self.scope(where=where).filters
        return self._ask(
            lambda catalog: ask_slice_compare.slice_compare_of(catalog, scope or Scope(), slice_)
        )

    def error_map(
        self,
        scope: Scope | None = None,
        metric: str | None = None,
        x: str | None = None,
        y: str | None = None,
    ) -> Results[MapCellRow]:
        """A metric for every pair of values of two fields, luck taken out."""
        return self._ask(lambda catalog: ask_error_map.error_map_of(catalog, scope or Scope(), metric, x, y))

    def error_tree(
        self, scope: Scope | None = None, metric: str | None = None, *, depth: int = 3
    ) -> Results[TreeRow]:
        """Where a metric differs most, as a tree: grown on one part of the rows, measured on another."""
        return self._ask(
            lambda catalog: ask_error_tree.error_tree_of(catalog, scope or Scope(), metric, depth=depth)
        )

    def gaps(self, scope: Scope | None = None) -> Results[GapRow]:
        """How far apart the values of every segment truly are, by every notion of being treated alike."""
        return self._ask(lambda catalog: ask_gaps.gaps_of(catalog, scope or Scope()))
