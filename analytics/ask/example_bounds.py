"""Which rows can be among the k worst or best: score histograms by label tell it before any row is read.

A row's loss depends on its score and label alone. Where a histogram says that k labelled rows have a loss beyond some
bound, no other row needs to be looked at, and labels are joined to what is left: a few rows in a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.additive import read_stored
from analytics.aggregates.decided import COUNTS, decided_parts
from analytics.aggregates.keys import column
from analytics.engines.text import Sql
from analytics.examples.rows import ExampleKind
from analytics.examples.select import CLIP, Extremes, plain_rows
from analytics.measures.standard_quality import kept_quality
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import reads_labels, scoped_rows

Floats = NDArray[np.float64]
_WORTH = 0.5
"""Share of the scored rows beyond which nothing is gained by leaving out the others."""


@dataclass(frozen=True, eq=False)
class KnownScores:
    """Scored rows by label and bin of their score.

    Attributes:
        label: 0, 1, or 2 for none, shape (E,).
        n: rows, shape (E,).
        low: the lowest score in the bin, shape (E,).
        high: the highest.
    """

    label: NDArray[np.int64]
    n: Floats
    low: Floats
    high: Floats

    @property
    def labelled(self) -> int:
        """Scored rows with a label."""
        return int(self.n[self.label < 2].sum())

    def extremes(self, kind: ExampleKind, k: int, *, per_class: bool) -> Extremes | None:
        """Bounds beyond which all of the k worst or best lie (of each class); None where they leave out too little.

        A row is as good as its fit: its score where the label is 1, else 1 - score. The fit of k rows is at most (for
        the best: at least) the bound, so that of every row among the k first is.
        """
        worst = kind == "worst"
        # the far end of each bin: all of its rows are at least as extreme
        far = np.where(
            self.label == 1, self.high if worst else self.low, 1.0 - (self.low if worst else self.high)
        )
        order = far if worst else -far
        bounds = {}
        for name in (1, 0):
            chosen = np.flatnonzero(self.label == name if per_class else self.label < 2)
            chosen = chosen[np.argsort(order[chosen], kind="stable")]
            reached = np.flatnonzero(np.cumsum(self.n[chosen]) >= k)
            if not len(reached):
                return None
            bound = float(far[chosen[reached[0]]])
            # scores nearer to 0 or 1 than this have the same loss
            bounds[name] = max(bound, CLIP) if worst else min(bound, 1 - CLIP)
        found = Extremes(worst, bounds[1], bounds[0])
        return found if self._left(found) <= _WORTH * self.n.sum() else None

    def _left(self, of: Extremes) -> float:
        """Rows in bins that the bounds do not leave out."""
        if of.worst:
            inside = (self.low <= of.one) | (1.0 - self.high <= of.zero)
        else:
            inside = (self.high >= of.one) | (1.0 - self.low >= of.zero)
        return float(self.n[inside].sum())


def known_scores(catalog: Catalog, scope: Scope) -> KnownScores | None:
    """The scores of a binary model's scope as parts hold them; None where none are stored."""
    if catalog.parts is None or catalog.predictions.task != "binary" or not catalog.has_labels:
        return None
    rows = scoped_rows(catalog, scope)
    found = read_stored(catalog, rows, kept_quality(catalog, rows).scores())
    if found is None:
        return None
    table = found[0]
    label = column(table, "label_code").astype(np.int64)
    return KnownScores(label, column(table, "n"), column(table, "low"), column(table, "high"))


def known_counts(
    catalog: Catalog, scope: Scope, scores: KnownScores | None
) -> tuple[dict[str, int], Sql] | None:
    """What `analytics.examples.select.counted` counts, without joining a label; None where that cannot be.

    Args:
        catalog: the project's views.
        scope: the question.
        scores: what is known of its scores; None leaves the rows without a label uncounted (-1).
    """
    if reads_labels(scope):
        return None
    rows = plain_rows(catalog, scope)
    additive = decided_parts(catalog)
    kept = read_stored(catalog, rows, additive)
    sql = additive.query(rows)
    table = kept[0] if kept is not None else catalog.engine.query(sql)
    counts: dict[str, Any] = {name: int(column(table, name).sum()) for name in COUNTS}
    counts["unlabelled"] = -1 if scores is None else counts["n"] - counts["unscored"] - scores.labelled
    return counts, sql
