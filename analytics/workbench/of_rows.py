"""Questions about single rows: examples, regression sets, and rows that people label."""

from __future__ import annotations

from typing import Any

from analytics.ask import error_model as ask_error_model
from analytics.ask import error_points as ask_error_points
from analytics.ask import examples as ask_examples
from analytics.ask import regression_sets as ask_regression_sets
from analytics.ask import review as ask_review
from analytics.ask import row_card as ask_row_card
from analytics.ask.error_model import ErrorModel
from analytics.ask.error_points import ErrorMap
from analytics.ask.row_card import RowCard
from analytics.examples.card_rows import NeighbourRow, PinnedExampleRow, RegressionRow
from analytics.examples.points import Method
from analytics.examples.rows import ExampleKind, ExampleRow
from analytics.results import Results
from analytics.review.rows import AgreementRow, QueuedRow, ReviewedRow
from analytics.scope import Scope
from analytics.workbench.open_logs import OpenLogs


class OfRows(OpenLogs):
    """Single rows, and what people say of them."""

    def examples(
        self,
        scope: Scope | None = None,
        kind: ExampleKind = "worst",
        k: int = 20,
        *,
        per_class: bool = False,
        diverse: bool = False,
    ) -> Results[ExampleRow]:
        """The rows behind a number; with ``diverse`` k rows for as many problems as there are."""
        return self._ask(
            lambda catalog: ask_examples.examples_of(
                catalog, scope or Scope(), kind, k, per_class=per_class, diverse=diverse
            )
        )

    def row(self, scope: Scope | None = None, *, key: str) -> RowCard:
        """One row with all that is known about it: by its id, or as ``FILE:ROW``."""
        return self._ask(lambda catalog: ask_row_card.card_of(catalog, scope or Scope(), key))

    def rows(self, scope: Scope | None = None, *, keys: tuple[tuple[str, int], ...]) -> Results[ExampleRow]:
        """Rows known by file and row, those of the highest loss first."""
        return self._ask(lambda catalog: ask_row_card.rows_of(catalog, scope or Scope(), keys))

    def neighbours(self, scope: Scope | None = None, *, key: str, k: int = 10) -> Results[NeighbourRow]:
        """The sampled rows that are most like one row."""
        return self._ask(lambda catalog: ask_row_card.neighbours_of(catalog, scope or Scope(), key, k))

    def error_points(
        self, scope: Scope | None = None, *, of: str = ask_error_points.FEATURES, method: Method = "pca"
    ) -> ErrorMap:
        """A map of sampled rows in two dimensions with their losses, and clusters of the costliest."""
        return self._ask(lambda catalog: ask_error_points.map_of(catalog, scope or Scope(), of, method))

    def pin(
        self, name: str, key: str, *, by: str, note: str = "", scope: Scope | None = None
    ) -> Results[PinnedExampleRow]:
        """Pin a row into a regression set; what each version made of it."""
        return self._ask(
            lambda catalog: ask_regression_sets.pin_row(
                catalog, self.store, scope or Scope(), name, key, by=by, note=note
            )
        )

    def unpin(self, pinned_id: int, *, by: str) -> None:
        """Take a row out of its regression set."""
        self._ask(lambda catalog: ask_regression_sets.unpin_row(catalog, self.store, pinned_id, by=by))

    def pinned(self, scope: Scope | None = None, *, name: str | None = None) -> Results[PinnedExampleRow]:
        """Every pinned row of one set, or of all, as every version answered it."""
        return self._ask(
            lambda catalog: ask_regression_sets.pinned_of(catalog, self.store, scope or Scope(), name)
        )

    def regression(self, scope: Scope | None = None, *, name: str | None = None) -> Results[RegressionRow]:
        """The share of each regression set that each version gets right."""
        return self._ask(
            lambda catalog: ask_regression_sets.regression_of(catalog, self.store, scope or Scope(), name)
        )

    def error_model(self, scope: Scope | None = None) -> ErrorModel:
        """Where the model will be wrong: a second model of its mistakes, and what a filter by it would catch."""
        return self._ask(lambda catalog: ask_error_model.error_model_of(catalog, scope or Scope()))

    def draw_queue(self, scope: Scope | None = None, *, asked: ask_review.Ask) -> Results[QueuedRow]:
        """Draw rows that people should label next, with chances that are kept."""
        return self._ask(lambda catalog: ask_review.draw_queue(catalog, self.store, scope or Scope(), asked))

    def queued(self, name: str | None = None) -> Results[QueuedRow]:
        """The rows of one queue, or of all, with how many labels each has."""
        return self._ask(lambda catalog: ask_review.queue_of(catalog, self.store, name))

    def reviewed(self, scope: Scope | None = None, *, name: str | None = None) -> Results[ReviewedRow]:
        """Metrics of all rows that queues were drawn from, by the labels people gave."""
        return self._ask(lambda catalog: ask_review.reviewed_of(catalog, self.store, scope or Scope(), name))

    def agreement(self, scope: Scope | None = None, *, name: str | None = None) -> Results[AgreementRow]:
        """How far people agree on the rows that two of them labelled."""
        return self._ask(lambda catalog: ask_review.agreement_of(catalog, self.store, scope or Scope(), name))

    def review_records(self, name: str | None = None) -> list[dict[str, Any]]:
        """The labels people gave, one record a row, by the column names of the project's label feed."""
        return self._ask(lambda catalog: ask_review.export_records(catalog, self.store, name))
