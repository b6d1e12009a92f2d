"""The first sentences of Label next."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.review.rows import AgreementRow, ErrorModelRow, QueuedRow, ReviewedRow
from app.formats import count, interval, number, percent, plural
from app.glossary import show, title


def queue_headline(rows: Sequence[QueuedRow], waiting: int) -> str:
    """How far a queue is.

    Args:
        rows: of the queue.
        waiting: rows without a label anywhere in the window.
    """
    if not rows:
        return (
            f"{plural(waiting, 'row')} of this window wait for a label; draw the ones that teach most."
            if waiting
            else "Every row of this window has a label; a draw among them can still say whether the labels are right."
        )
    done = sum(row.labels >= 1 + row.double for row in rows)
    if done == len(rows):
        return f"Queue {rows[0].queue} is done: all {plural(len(rows), 'row')} labelled."
    return f"Queue {rows[0].queue}: {count(done)} of {plural(len(rows), 'row')} labelled."


def reviewed_headline(rows: Sequence[ReviewedRow]) -> str:
    """What the labels say of all rows the queue stands for."""
    first = next((row for row in rows if row.status == "ok" and row.metric in _FIRST), None)
    if first is None:
        missing = next(iter(rows), None)
        return f"The labels say nothing yet: {missing.reason if missing else 'no queue has been drawn'}."
    return (
        f"{title(first.metric)} of the {count(first.n_total)} rows this queue stands for is "
        f"{show(first.metric, first.value)} ({_between(first)}), by {plural(first.n_labelled, 'label')}."
    )


def agreement_headline(rows: Sequence[AgreementRow]) -> str:
    """How far people agree."""
    whole = next((row for row in rows if row.first is None), None)
    if whole is None or whole.kappa is None:
        return f"Agreement: {whole.reason if whole is not None else 'no queue has been drawn yet'}."
    strength = next(word for least, word in _STRENGTH if whole.kappa >= least)
    return (
        f"People agree {strength}: kappa {number(whole.kappa)} ({interval(whole.ci_low, whole.ci_high)}), the same "
        f"label for {percent(whole.agreement)} of {plural(whole.n, 'row')}."
    )


def error_model_headline(row: ErrorModelRow | None) -> str:
    """Whether mistakes can be told beforehand, and whether that is more than the score says."""
    if row is None or row.auc is None:
        return (
            f"Where the model will be wrong cannot be told: {row.reason if row is not None else 'no rows'}."
        )
    if row.auc_ci_low is not None and row.auc_ci_low <= 0.5:
        return "Where the model will be wrong cannot be told beforehand, neither from its features nor from its score."
    gain = row.auc_gain or 0.0
    clear = row.auc_gain_ci_low is not None and row.auc_gain_ci_low > 0
    area = f"AUC {number(row.auc)}, {interval(row.auc_ci_low, row.auc_ci_high)}"
    if clear:
        return f"Mistakes can be told beforehand ({area}), {number(gain)} better than by the score alone."
    return f"Mistakes can be told beforehand ({area}), but no better than the score alone tells them."


_FIRST = ("accuracy", "mean_absolute_error", "log_loss")
# Landis and Koch, Biometrics 33 (1977); words, no more
_STRENGTH = (
    (0.8, "almost perfectly"),
    (0.6, "well"),
    (0.4, "moderately"),
    (0.2, "little"),
    (-1.0, "hardly at all"),
)


def _between(row: ReviewedRow) -> str:
    return f"{show(row.metric, row.ci_low)} to {show(row.metric, row.ci_high)}"
