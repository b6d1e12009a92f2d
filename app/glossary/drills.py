"""How to read drills, faults that were real, and rules over their past."""

from __future__ import annotations

from app.glossary.base import Explanation

DRILLS: dict[str, Explanation] = {
    "drill_severity": Explanation(
        "Severity against delay",
        "One mark for each run: a fault planted once in a copy of the logs. Its height is the time from the beginning "
        "of the fault to the first message of any rule that is not sent without the fault.",
        None,
        "A cross at the top: no rule told anybody until the watch ended, a week after the fault. Every run of a "
        "severity meets other rows and begins a week after the one before.",
        "How a fault looks that nobody thought of. The model is not called: where an input is broken, a stand-in "
        "fitted to the logged scores says how the score moves.",
    ),
    "drill_table": Explanation(
        "By severity",
        "All runs of a severity together: how many were told (with the exact interval of the share of such faults "
        "that are), the median delay with the shortest and longest, and the wrong decisions until then beyond those "
        "the same requests had without the fault, by their true labels.",
        None,
        "A long delay at a small severity may be cheap: look at the wrong decisions. A negative number means that the "
        "fault happened to help.",
        "The share has a wide interval with few runs.",
    ),
    "drill_rules": Explanation(
        "By rule",
        "What each rule did in each run: it told somebody, stayed silent, or was already firing without the fault, so "
        "that nobody would have been told anew. Severity 0 is the untouched replay: its pages are what comes anyway.",
        None,
        "A rule that tells in the untouched replay as well is worth little as evidence.",
        "Whether somebody would have read the message.",
    ),
    "chaos_radius": Explanation(
        "Blast radius",
        "Each number of the window of the fault against the same hours before it (up to ten windows; of a longer "
        "window the same days of earlier weeks). The interval is that of one new value among these.",
        r"d \pm t_{k-1} \, s \sqrt{1 + 1/k}",
        "In half-widths of its own interval, so that all numbers fit one axis: beyond 1 on either side is more than "
        "chance by itself. A diamond differs after correction over all of them (Benjamini-Hochberg); red is harm.",
        "That the fault did it: whatever else happened in these hours is in it, too.",
    ),
    "backtest": Explanation(
        "Would it have fired?",
        "Every time the rule would have told somebody, replayed over the logs at its real cadence: each look knows "
        "only what was known then. A line goes from the look that told to the look that ended it.",
        r"\left[\tfrac{\chi^2_{\alpha/2,\,2k}}{2T},\ \tfrac{\chi^2_{1-\alpha/2,\,2k+2}}{2T}\right]",
        "Pages a month come with the exact interval of a count k over the time T. Grey bands are declared faults "
        "([[chaos]]); a grey line fired outside of them.",
        "What comes. A limit that is chosen on the past fits it too well: so it is chosen on the first half, and what "
        "it would have sent on the second half is what is told.",
    ),
}
