"""The first lines of "All at once" and "Does it matter"."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from analytics.drift.damage_rows import DamageRow
from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow
from app.charts.damage import by_damage
from app.formats import in_window, interval, listed, number, percent, plural
from app.headlines.verdict import Verdict

MOST_NAMED = 3


def together_verdict(
    rows: Sequence[MultivariateRow], carriers: Sequence[CarrierRow], *, zone: ZoneInfo
) -> Verdict:
    """Whether all features of one version together moved in one window, and which carry it.

    Args:
        rows: of one window and version.
        carriers: of the same.
        zone: of the project.
    """
    by_method = {row.method: row for row in rows if row.feature is None}
    classifier, error = by_method.get("domain_classifier"), by_method.get("reconstruction_error")
    if classifier is None or classifier.value is None:
        reason = (
            classifier.reason
            if classifier is not None and classifier.reason
            else "there is nothing to compare"
        )
        return Verdict("unknown", f"All features together cannot be judged: {reason}.")
    when = in_window(classifier.window_start, classifier.window_end, zone)
    told = (
        f"a classifier told the window's rows from the reference's with a ROC AUC of {number(classifier.value)} "
        f"({interval(classifier.ci_low, classifier.ci_high)}); without drift, at most {number(classifier.null_high)}"
    )
    if classifier.drifted:
        names = [row.feature for row in carriers if (row.ci_low or 0.0) > 0][:MOST_NAMED]
        which = f", carried most by {listed(names)}" if names else ""
        return Verdict(
            "changed",
            f"All features together moved {when}: at least {percent(classifier.effect)} of rows{which}; {told}.",
        )
    if error is not None and error.drifted:
        way = "worse" if (error.value or 0.0) > (error.null_mean or 0.0) else "better"
        return Verdict(
            "changed",
            f"The features hang together differently {when}: the reference's components describe the rows {way} than "
            f"usual (error {number(error.value)}, usual {number(error.null_low)} to {number(error.null_high)}).",
        )
    others = [str(row.feature) for row in rows if row.feature is not None and row.drifted]
    if others:
        return Verdict("changed", f"{listed(others)} moved {when}; all features together did not: {told}.")
    return Verdict("same", f"All features together did not move beyond chance and tolerance {when}: {told}.")


def damage_verdict(rows: Sequence[DamageRow], *, zone: ZoneInfo) -> Verdict:
    """Which features moved and matter, in one window of one version."""
    known = [row for row in by_damage(rows) if row.quadrant is not None]
    if not known:
        reason = next((row.reason for row in rows if row.reason), "there is nothing to compare")
        return Verdict("unknown", f"Whether drift matters cannot be said: {reason}.")
    when = in_window(known[0].window_start, known[0].window_end, zone)
    moved = [row for row in known if row.drifted]
    both = [row.feature for row in known if row.quadrant == "moved and matters"]
    if not moved:
        return Verdict("same", f"No single feature drifted {when}, so none has done damage on its own.")
    drifted = f"{plural(len(moved), 'feature')} drifted {when}"
    measure = "the model's attributions" if known[0].method == "attribution" else "how wrong the model is"
    if not both:
        return Verdict("same", f"{drifted}, but {measure} {_depend(known[0])} little on any of them.")
    names = listed(both[:MOST_NAMED]) + (
        f" and {len(both) - MOST_NAMED} more" if len(both) > MOST_NAMED else ""
    )
    return Verdict("changed", f"{drifted}, and {measure} {_depend(known[0])} on {names}: look there first.")


def _depend(row: DamageRow) -> str:
    return "depend" if row.method == "attribution" else "depends"
