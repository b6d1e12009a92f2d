"""A binary model's sums and scores by random groups of units, from the rows that its quality is condensed from.

Rows are prepared for `analytics.aggregates.condensed` anyway: in a build these two take one more grouping of each
split, and the digest of a unit is made once.
"""

from __future__ import annotations

from dataclasses import dataclass

from analytics.aggregates.additive import Additive, Steps
from analytics.aggregates.condensed import Condensed
from analytics.aggregates.keys import KEYS
from analytics.aggregates.unit_groups import UnitSums
from analytics.aggregates.unit_scores import BINS
from analytics.engines.text import Sql

_UNSCORED = 9
_KIND = f"CASE WHEN scored THEN label_code * 3 + decision_code ELSE {_UNSCORED} END"
_IS = {
    "scored": f"kind < {_UNSCORED}",
    "labelled": "kind < 6",
    "label": "kind >= 3 AND kind < 6",
    # true class by decided class, no label last
    **{
        f"decided_{true}_{decided}": f"kind = {true * 3 + decided}"
        for true in (0, 1, 2)
        for decided in (0, 1)
    },
}


@dataclass(frozen=True)
class CondensedUnits:
    """Sums by group beside the aggregates of a binary model's quality.

    Attributes:
        quality: what the rows are prepared for.
        scores: whether groups tell scores apart.
    """

    quality: Condensed
    scores: bool

    def sums(self) -> UnitSums:
        """Row statistics and decisions, as `analytics.aggregates.unit_groups.read_group_sums` reads them."""
        names = (
            *(one.name for one in self.quality.sums.statistics),
            *(name for name in _IS if name.startswith("decided")),
        )
        items = ", ".join(f"{self._summed(name)} AS g{i}" for i, name in enumerate(names))

        def finish(groups: Sql) -> Sql:
            return Sql(
                f"SELECT {KEYS}, unit_group, CAST(sum(n) AS BIGINT) AS n, {items} FROM ({groups.text}) "
                f"GROUP BY {KEYS}, unit_group",
                groups.parameters,
            )

        steps = Steps(self.quality.prepare, self._condense, finish)
        return UnitSums(Additive("unit sums", steps, ("n", *(f"g{i}" for i in range(len(names))))), names)

    def by_score(self) -> Additive:
        """Labelled rows by coarse score bin, as `analytics.aggregates.unit_scores.stored_score_squares` reads them."""
        keys = f"{KEYS}, unit_group, is_positive, place"
        sums = ("n",) if self.quality.sums.plain else ("n", "w")
        items = ", ".join(f"{self._total(name)} AS {name}" for name in sums)

        def finish(groups: Sql) -> Sql:
            return Sql(
                f"SELECT {keys}, {items} FROM (SELECT *, CASE WHEN kind >= 3 THEN 1 ELSE 0 END AS is_positive "
                f"FROM ({groups.text}) WHERE kind < 6) GROUP BY {keys}",
                groups.parameters,
            )

        return Additive("unit scores", Steps(self.quality.prepare, self._condense, finish), sums)

    @staticmethod
    def _total(name: str) -> str:
        return "CAST(sum(n) AS BIGINT)" if name == "n" else f"sum({name})"

    def _summed(self, name: str) -> str:
        """SQL of the sum of a statistic over groups that are as fine as `_condense` makes them."""
        plain = self.quality.sums.plain
        weight, nothing = ("n", "0") if plain else ("w", "0e0")
        if name in _IS:
            counted = f"sum(CASE WHEN {_IS[name]} THEN {weight} ELSE {nothing} END)"
            return f"CAST({counted} AS BIGINT)" if plain else counted
        if name == "residual":
            weight = "CAST(n AS DOUBLE)" if plain else "w"
            positive = f"CASE WHEN {_IS['label']} THEN {weight} ELSE 0e0 END"
            return f"sum(CASE WHEN {_IS['labelled']} THEN {positive} - score ELSE 0e0 END)"
        return f"sum({name})"

    def _condense(self, rows: Sql) -> Sql:
        weight = "" if self.quality.sums.plain else "weight * "
        sums = "".join(
            f", sum({weight}z{i}) AS {one.name}"
            for i, one in enumerate(self.quality.sums.statistics)
            if one.name not in _IS and one.name != "residual"
        )
        total = "" if self.quality.sums.plain else ", sum(weight) AS w"
        place = f"CAST(floor(place / {BINS}e0) AS INTEGER)" if self.scores else "0"
        return Sql(
            f"SELECT {KEYS}, unit_group, kind, place, count(*) AS n{total}{sums} FROM (SELECT {KEYS}, unit_group, "
            f"weight, {_KIND} AS kind, {place} AS place, {self._zs()} FROM ({rows.text})) "
            f"GROUP BY {KEYS}, unit_group, kind, place",
            rows.parameters,
        )

    def _zs(self) -> str:
        return ", ".join(
            f"z{i}"
            for i, one in enumerate(self.quality.sums.statistics)
            if one.name not in _IS and one.name != "residual"
        )
