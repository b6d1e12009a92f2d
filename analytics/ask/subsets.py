"""Questions that read many rows: a sample that answers at once, and how long all rows will take.

Stored parts answer most of what a page shows. What they cannot (several filters at once, filters on features or scores,
drift under a filter, windows shorter than a day, everything before the first build) reads rows, ten and more seconds of
ten million. A sample of the whole log is drawn once, held in memory, and asked first. All rows follow: those that pass
the filters are copied into memory once, labels with them, so that files are read once a page and not once a card.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any

from analytics.aggregates.additive import split_of_parts
from analytics.engines.text import all_of
from analytics.results import Results
from analytics.scope import FINER, Filter, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.subsets import (
    OF_LABELS,
    bytes_a_row,
    count_passing,
    count_rows,
    passing,
    sample,
    subset,
)

LARGE_ROWS = 1_000_000
"""Of fewer rows in the window the exact answer comes soon enough."""
DRAWN = 200_000
"""Rows of a sample, about."""
DRAWN_BYTES = 400 * 2**20
"""What they may take in memory: with long texts or embeddings in them, they are fewer."""
LEAST_ROWS = 300
"""Fewer rows of a sample say too little: rare rows are soon found exactly."""
HELD_BYTES = 400 * 2**20
"""What the rows that pass the filters may take in memory."""
HELD_SHARE = 0.3
"""Of more of the rows, reading them as they are is as quick as a copy."""
HELD = 2
COUNTED = 1000
"""Scopes of which the rows in the sample are remembered: one that ends now is another one every minute."""
_SHARES = tuple(n / 10**k for k in range(1, 6) for n in (5, 2, 1))
_A_MILLION = {"drift": 3.0, "histogram": 3.0, "segments": 2.5}
"""Seconds a million rows that pass, of questions that take longer than `_OTHER` (docs/performance.md)."""
_OTHER = 1.0
_BY_ITSELF = frozenset({"drift", "histogram"})
"""Questions whose parts are not split by segments."""
QUESTIONS = frozenset(
    {
        "quality", "confusion", "roc", "calibration", "calibration_tests", "score_histogram", "deciles", "pairs",
        "segments", "drift", "histogram",
    }
)  # fmt: skip
"""Those whose answer from a sample is an estimate of the exact one: shares, means and distances; no totals."""

HEAVY_TAILED = frozenset({"mean_absolute_percentage_error"})
"""Metrics that a few rows of very small labels rule: intervals of only 107 of 160 samples held the exact value."""

_Passing = tuple[tuple[Filter, ...], object, object]


def believable(answer: Any) -> Any:
    """A sample's answer without values of which it does not bound the error; their rows say why there is none."""
    if not isinstance(answer, Results):
        return answer
    return replace(answer, rows=tuple(_unless_heavy_tailed(row) for row in answer.rows))


def _unless_heavy_tailed(row: Any) -> Any:
    if getattr(row, "metric", None) not in HEAVY_TAILED or getattr(row, "value", None) is None:
        return row
    reason = "a few rows rule it, so a sample does not tell it; the exact value follows"
    return replace(row, value=None, ci_low=None, ci_high=None, status="undefined", reason=reason)


@dataclass(frozen=True)
class Outlook:
    """What to expect of a question that reads many rows.

    Attributes:
        share: of the rows that the sample holds.
        n: rows of the sample that pass.
        seconds: how long the exact answer will take, from what reading took so far.
    """

    share: float
    n: int
    seconds: float


class Subsets:
    """The sample of one open catalog, and the rows that pass what was filtered for last. Safe for several threads.

    Args:
        whole: the catalog.
    """

    def __init__(self, whole: Catalog) -> None:
        self.whole = whole
        self._drawing, self._holding, self._shelf, self._learning = Lock(), Lock(), Lock(), Lock()
        self._sample: Catalog | None = None
        self._read_seconds = 0.0
        self._row_bytes = 0.0
        self._held: OrderedDict[_Passing, Catalog] = OrderedDict()
        self._counts: dict[Scope, tuple[int, int]] = {}
        self._reading: dict[_Passing, float] = {}
        self._off = 1.0

    def is_worth_it(self, question: str, scope: Scope) -> bool:
        """Whether this question would read many rows, and a sample can estimate its answer.

        Args:
            question: the name of the method of `Workbench`.
            scope: of the monitored rows.
        """
        whole = self.whole
        if question not in QUESTIONS or whole.live is not None or not whole.has_predictions:
            return False
        known = whole.known("predictions")
        if known is None or known.n <= LARGE_ROWS or known.n * self._of_time(scope) <= LARGE_ROWS:
            return False
        return not _stored(whole, question, scope)

    def sample(self) -> Catalog:
        """The sample; drawn when it is first asked for."""
        with self._drawing:
            if self._sample is None:
                start = time.monotonic()
                drawn = sample(self.whole, self.share)
                self._read_seconds = time.monotonic() - start
                self._row_bytes = bytes_a_row(drawn)
                self._sample = drawn
            return self._sample

    @cached_property
    def share(self) -> float:
        """The share of all rows that is drawn."""
        known = self.whole.known("predictions")
        n_drawn = min(DRAWN, DRAWN_BYTES / max(bytes_a_row(self.whole), 1.0))
        wanted = n_drawn / known.n if known is not None and known.n else 1.0
        return float(next((share for share in _SHARES if share <= wanted), _SHARES[-1]))

    def exact(self, scope: Scope) -> Catalog:
        """A catalog that answers for all rows of a scope: those that pass, held in memory, or the whole one."""
        if not self._is_held(scope):
            return self.whole
        key = _key(scope)
        held = self._known(key)
        if held is not None:
            return held
        with self._holding:  # one copy at a time; whose rows are there already does not wait for it
            held = self._known(key)
            if held is None:
                held = self._copied(scope)
                with self._shelf:
                    while len(self._held) >= HELD:
                        self._held.popitem(last=False)
                    self._held[key] = held
            return held

    def _copied(self, scope: Scope) -> Catalog:
        key = _key(scope)
        self._reading[key] = time.monotonic()
        try:
            return subset(self.whole, all_of(passing(self.whole, scope)))
        finally:  # also where it was stopped: the next copy begins anew, and takes as long as one does
            del self._reading[key]

    def _known(self, key: _Passing) -> Catalog | None:
        with self._shelf:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def outlook(self, question: str, scope: Scope, sampled_seconds: float) -> Outlook:
        """What to expect of a question.

        Args:
            question: its name.
            scope: of it.
            sampled_seconds: how long the sample took to answer it.
        """
        n, n_passing = self._counted(scope)
        rows = n_passing / self.share
        seconds = self._reading_seconds(scope) + sampled_seconds
        seconds += rows / 1e6 * _A_MILLION.get(question, _OTHER)
        return Outlook(self.share, n, seconds * self._off)

    def _reading_seconds(self, scope: Scope) -> float:
        """How long files will still be read: as the sample took, less what another question has read already."""
        seconds = self._read_seconds * self._of_time(scope)
        if not self._is_held(scope):
            return 2 * seconds  # labels are joined with all of them
        key = _key(scope)
        if key in self._held:
            return 0.0
        so_far = time.monotonic() - self._reading.get(key, time.monotonic())
        # what takes longer than expected is not about to end
        return max(seconds - so_far, so_far / 4)

    def rows(self, scope: Scope) -> int:
        """Rows of the sample that a scope asks about."""
        return self._counted(scope)[0]

    def took(self, expected: float, seconds: float) -> None:
        """Learn from an exact answer how far off what was expected is on this machine, as busy as it is now."""
        with self._learning:
            ratio = self._off * seconds / max(expected, 0.1)
            self._off = min(max(0.5 * self._off + 0.5 * ratio, 0.25), 8.0)

    def _counted(self, scope: Scope) -> tuple[int, int]:
        """Rows of the sample that a scope asks about, and those that pass before labels are known."""
        scope = replace(scope, grain="all", by=None)
        found = self._counts.get(scope)
        if found is None:
            drawn = self.sample()
            found = count_rows(drawn, scope), count_passing(drawn, scope)
            if len(self._counts) >= COUNTED:
                self._counts.clear()
            self._counts[scope] = found
        return found

    def _is_held(self, scope: Scope) -> bool:
        if all(one.kind in OF_LABELS for one in scope.filters):
            return False
        drawn = self.sample()
        n_passing = self._counted(scope)[1]
        known = self.whole.known("predictions")
        if known is None:
            return False
        rows = n_passing / drawn.share
        return rows <= HELD_SHARE * known.n and rows * self._row_bytes <= HELD_BYTES

    def _of_time(self, scope: Scope) -> float:
        """The share of the logs' time that a scope asks for: files and row groups outside are not opened."""
        extent = self.whole.extent
        if extent is None or extent[0] >= extent[1]:
            return 1.0
        start, end = max(scope.start or extent[0], extent[0]), min(scope.end or extent[1], extent[1])
        return max((end - start) / (extent[1] - extent[0]), 0.0)


def _key(scope: Scope) -> _Passing:
    plain = tuple(one for one in scope.filters if one.kind not in OF_LABELS)
    return plain, scope.start, scope.end


def _stored(catalog: Catalog, question: str, scope: Scope) -> bool:
    """Whether stored parts hold what a question asks for."""
    if catalog.parts is None:
        return False
    if scope.grain in FINER and question != "segments":
        return False  # what is stored of these questions are days; segments are asked of the whole window
    if not scope.filters:
        return True
    if question in _BY_ITSELF:
        return False
    by = (scope.by,) if scope.by is not None else ()
    splits = [(name,) for name in catalog.segments] if question == "segments" else [by]
    return all(split_of_parts(catalog, split, scope.filters) is not None for split in splits)
