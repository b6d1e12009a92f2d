"""The first lines of the section Calibration, of its recalibration, its mix and its baselines."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from analytics.quality.calibration import ALARM, BaselineRow, CalibrationTestRow, MixRow, RecalibrationRow
from app.formats import in_window, interval, number, percent, points, signed, stretch
from app.glossary import inside, show, title, unit
from app.headlines.verdict import Verdict

LOSS = {"log_loss", "mean_squared_error"}


def calibration_verdict(
    whole: CalibrationTestRow, windows: Sequence[CalibrationTestRow], *, zone: ZoneInfo, of: str = ""
) -> Verdict:
    """Whether the scores of one version and class mean what they say, and when they were furthest off.

    Args:
        whole: of the whole stretch.
        windows: of the same version and class over time, corrected together.
        zone: of the project.
        of: whose scores, where a class is looked at.
    """
    share = whole.expected_calibration_error is not None
    name = ("Scores" if share else "Predictions") + (f" of {of}" if of else "")
    if whole.gap is None or whole.mean_score is None or whole.mean_label is None or whole.gap_ci_low is None:
        return Verdict("unknown", f"Whether {name.lower()} are right cannot be said: {whole.reason}.")
    if whole.miscalibrated is None:
        return Verdict("unknown", f"Whether {name.lower()} are right cannot be tested: {whole.reason}.")
    figure = percent if share else number
    true = (
        f"and {figure(whole.mean_label)} came true" if share else f"and labels are {figure(whole.mean_label)}"
    )
    means = f"{figure(whole.mean_score)} on average, {true}"
    later = _worst(windows, zone)
    if not whole.miscalibrated:
        said = f"Nothing shows that {name.lower()} are wrong: {means}"
        return Verdict("changed" if later else "same", f"{said}{later}.")
    return Verdict("worse", f"{name} {_how(whole)}: {means}{later}.")


def _how(row: CalibrationTestRow) -> str:
    share = row.expected_calibration_error is not None
    sure = row.gap_p_adjusted is not None and row.gap_p_adjusted < ALARM
    if sure and row.gap is not None and row.gap > 0:
        return "promise too much" if share else "are too high"
    if sure:
        return "promise too little" if share else "are too low"
    if row.slope is not None and row.slope_ci_high is not None and row.slope_ci_high < 1:
        return "are too sure of themselves"
    if row.slope is not None and row.slope_ci_low is not None and row.slope_ci_low > 1:
        return "are too cautious"
    return "are off in places, though right on average"


def _worst(windows: Sequence[CalibrationTestRow], zone: ZoneInfo) -> str:
    judged = [row for row in windows if row.miscalibrated is not None and row.gap is not None]
    off = [row for row in judged if row.miscalibrated]
    if len(judged) < 2 or not off:
        return ""
    worst = max(off, key=lambda row: abs(row.gap or 0.0))
    share = worst.expected_calibration_error is not None
    gap = points(worst.gap) if share else signed(worst.gap)
    when = in_window(worst.window_start, worst.window_end, zone)
    return f"; off in {len(off)} of {len(judged)} windows, most {when} ({gap})"


def recalibration_sentence(rows: Sequence[RecalibrationRow]) -> str:
    """Whether to map the scores of one version and class anew, and what that would have brought."""
    gains = [row for row in rows if row.metric in LOSS and row.method != "none"]
    known = [row for row in gains if row.difference is not None]
    if not known:
        return f"What recalibration would bring cannot be said: {gains[0].reason if gains else 'there are no labels'}."
    best = best_map(known)
    metric = inside(title(best.metric))
    before = next((row.value for row in rows if row.metric == best.metric and row.method == "none"), None)
    ends = interval(best.difference_ci_low, best.difference_ci_high)
    if _sure(best) and (best.difference or 0.0) < 0:
        error = next(
            (r for r in rows if r.method == best.method and r.metric == "expected_calibration_error"), None
        )
        also = ""
        if error is not None and error.difference is not None and _sure(error) and error.difference < 0:
            also = f" and the calibration error by {number(-error.difference)}"
        return (
            f"Recalibrate: {_article(best.method)} map fitted to earlier days would have lowered "
            f"{metric} on later ones "
            f"from {number(before)} to {number(best.value)}{also}."
        )
    if _sure(best):
        return (
            f"Leave the scores as they are: a map fitted to earlier days would have made {metric} on later ones worse "
            f"(by {ends}), because what is off changes with time."
        )
    return (
        f"Recalibrating shows no gain: {_article(best.method)} map fitted to earlier days "
        f"would have changed {metric} on "
        f"later ones by {signed(best.difference)} ({ends})."
    )


def best_map(rows: Sequence[RecalibrationRow]) -> RecalibrationRow:
    """The simplest map (logistic or linear), unless the isotonic one is better by more than a tenth of its gain."""
    simple = next((row for row in rows if row.method in {"logistic", "linear"}), rows[0])
    other = next((row for row in rows if row.method == "isotonic"), simple)
    gain, more = -(simple.difference or 0.0), -(other.difference or 0.0)
    return other if more > gain + 0.1 * abs(gain) and _sure(other) else simple


def _article(method: str) -> str:
    return f"an {method}" if method == "isotonic" else f"a {method}"


def _sure(row: RecalibrationRow) -> bool:
    return row.p_adjusted is not None and row.p_adjusted < ALARM


def mix_sentence(rows: Sequence[MixRow], *, of_values: bool = False) -> str:
    """Whether the classes of one version are predicted as often as they come, and which is furthest off."""
    known = [row for row in rows if row.came is not None and row.predicted is not None]
    if not known:
        expected = [row for row in rows if row.came is not None and row.expected is not None]
        if not expected:
            return f"Whether the mix is right cannot be said: {rows[0].reason if rows else 'there are no labels'}."
        worst = max(expected, key=lambda row: abs(row.expected_difference or 0.0))
        return (
            f"No decisions are logged; scores expect {_class(worst, of_values=of_values)} in "
            f"{percent(worst.expected)} of "
            f"rows, and {percent(worst.came)} were."
        )
    off = [row for row in known if row.p_adjusted is not None and row.p_adjusted < ALARM]
    if not off:
        return "Predictions keep the mix: nothing shows that a class is predicted more or less often than it comes."
    worst = max(off, key=lambda row: abs(row.decided_difference or 0.0))
    more = f" {len(off)} of {len(known)} are off beyond chance." if len(known) > 1 else ""
    return (
        f"The model predicts {_class(worst, of_values=of_values)} in {percent(worst.predicted)} of rows, and "
        f"{percent(worst.came)} were.{more}"
    )


def _class(row: MixRow, *, of_values: bool) -> str:
    return f"a value of {stretch(row.class_)}" if of_values else row.class_


def baseline_sentence(rows: Sequence[BaselineRow]) -> str:
    """Where the model does not beat a rule that knows nothing, else that it beats them all."""
    known = [row for row in rows if row.value is not None and row.class_ is None]
    if not known:
        return f"There is nothing to compare: {rows[0].reason if rows else 'no rows'}."
    lost = [row for row in known if row.better is False]
    open_ = [row for row in known if row.better is None]
    if lost:
        first = lost[0]
        more = f" ({len(lost)} of {len(known)} comparisons are lost)" if len(lost) > 1 else ""
        return f"{_compared(first)} is worse than {_rule(first)}{more}."
    if open_:
        return f"{_compared(open_[0])} is not shown to be better than {_rule(open_[0])}."
    return "The model beats every rule that knows nothing."


def _compared(row: BaselineRow) -> str:
    return f"{title(row.metric)} of {show(row.metric, row.value)}"


RULES = {
    "constant": "one answer for all",
    "mean": "the mean label for all",
    "last_value": "the last known label again",
}


def _rule(row: BaselineRow) -> str:
    return f"{RULES[row.baseline]} ({show(row.metric, row.baseline_value)})"


def difference_words(row: BaselineRow) -> str:
    """The difference of a metric and its baseline with its interval."""
    form = points if unit(row.metric) == "share" else signed
    if row.difference is None:
        return "–"
    return f"{form(row.difference)} ({form(row.difference_ci_low)} to {form(row.difference_ci_high)})"
