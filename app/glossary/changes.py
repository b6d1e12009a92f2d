"""Changes since when, quality by age, and releases."""

from __future__ import annotations

from app.glossary.base import Explanation

CHANGES: dict[str, Explanation] = {
    "changes_timeline": Explanation(
        "Since when",
        "The day from which a metric or field was different, with the days that fit about as well. One value a day; "
        "fields by the mean rank of their values in the reference, or by the share of a category or of missing values. "
        "Weekdays are set equal at the same time.",
        r"\max_k \frac{\hat\delta_k^2}{\widehat{\mathrm{Var}}(\hat\delta_k)}, \quad "
        r"\{k : LR(\hat k) - LR(k) \le -2 \ln(1 - \sqrt{0.95})\}",
        "Dot: a jump, with the interval of its day. Dotted line with an arrow: slow, on no single day. Red diamond: a "
        "metric for the worse. The p-value is of no change at all, on days that go together, and is corrected over "
        "all metrics (or fields) shown.",
        "It looks for one change. Several show as the largest; a season shows as a change. What caused it: two dates "
        "that agree are a hint, no proof.",
    ),
    "release_forest": Explanation(
        "Was it the release?",
        "How much worse each metric is by the release, in units of what is tolerated. Where the old version still runs "
        "in shadow, the two on the same days; else four weeks before against four weeks after, weekday by weekday.",
        None,
        "Left of 0: better. Whole interval right of 0 and the dot at 1 or beyond: roll back. Whole interval left of 1: "
        "keep. Else: watch; the table says how many days would tell.",
        "Without a shadow the days may have changed rather than the model. Intervals are corrected over the metrics.",
    ),
    "quality_by_age": Explanation(
        "Quality by age",
        "The metric of an average day in four weeks of age, for each version; age counts from the end of its training.",
        None,
        "Lines of versions of different birth that fall at the same age: ageing. Lines that fall on the same days: the "
        "season, or the world. The difference of two versions on the same days stands in the table (refresh).",
        "From one version alone age and season cannot be told apart.",
    ),
}
