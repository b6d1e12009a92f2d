"""What people said in review, by prediction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from analytics.store import Store
from analytics.store.review import ReviewLabel, review_labels
from analytics.telemetry.catalog import Catalog


@dataclass(frozen=True)
class Answers:
    """All labels of a project that somebody gave.

    Attributes:
        all: the oldest first; an answer without a label says that the person cannot tell.
    """

    all: tuple[ReviewLabel, ...]

    @cached_property
    def _by_row(self) -> dict[str, list[ReviewLabel]]:
        found: dict[str, list[ReviewLabel]] = {}
        for one in self.all:
            if one.label is not None:
                found.setdefault(one.prediction_id, []).append(one)
        return found

    def of(self, prediction: str) -> Sequence[ReviewLabel]:
        """The labels of one prediction."""
        return self._by_row.get(prediction, [])

    def agreed(self, prediction: str) -> ReviewLabel | None:
        """The label most people gave, of equal numbers the newest; None where nobody gave one."""
        mine = self._by_row.get(prediction)
        if not mine:
            return None
        counts = Counter(one.label for one in mine)
        return max(mine, key=lambda one: (counts[one.label], one.labelled_at, one.id))


def answers_of(catalog: Catalog, store: Store, known_at: datetime | None = None) -> Answers:
    """What people said about this project's predictions until an instant."""
    found = review_labels(store, catalog.project.name)
    return Answers(tuple(one for one in found if known_at is None or one.labelled_at <= known_at))


def choices_of(catalog: Catalog) -> tuple[str, ...]:
    """The labels a person may give, as text; none of a regression, where any number is one."""
    section = catalog.predictions
    if section.task == "multiclass":
        return section.classes
    if section.task == "regression":
        return ()
    negative = section.negative_class
    return (f"not {section.positive}" if negative is None else str(negative), str(section.positive))
