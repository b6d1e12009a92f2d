"""Slices that were searched, the map and the tree of errors, and one slice beside all other rows."""

from __future__ import annotations

from app.glossary.base import Explanation

SLICES: dict[str, Explanation] = {
    "found_slices": Explanation(
        "Slices found",
        "Every combination of up to three conditions (values of segments and categories, stretches of numbers cut at "
        "reference quantiles, missing values) is counted on one part of the rows. Those that stand out most are "
        "measured on another part, with no unit and no day in common, and that is what is shown.",
        r"p = \max\left(p_\text{rest},\ p_\text{parents},\ p_\text{without better slices}\right)",
        "A red diamond is confirmed: worse than all other rows, than what is left of each parent (one condition less), "
        "and still so without the rows of better slices; the largest of these p-values is corrected over all slices "
        "tested. A grey circle may be luck. The bar | is all other rows.",
        "Why. Slices overlap, so their shares do not add up. A slice smaller than the support is not looked for.",
    ),
    "slice_trend": Explanation(
        "Slice over time",
        "The metric of the slice and of all other rows, window by window, each with its interval.",
        None,
        "Both lines moving together: something that all rows share. Only the slice moving: look there.",
        "Windows with few rows of the slice wander by chance: mind their intervals.",
    ),
    "error_map": Explanation(
        "Error map",
        "The metric for every pair of values of two fields, pulled towards all rows by as much as luck explains how "
        "cells differ (empirical Bayes).",
        None,
        "Darker is worse in light mode, brighter in dark. A diamond marks a cell worse than all other rows after "
        "correction over all cells; a dot stands for under 20 rows. Click a cell to see its worst rows.",
        "Whether a third field is behind it. Fields chosen by the search are shown on rows that did not choose them.",
    ),
    "error_tree": Explanation(
        "Error tree",
        "The rows split in two, up to three times, each time where that explains most of how the loss differs. Grown "
        "on one part of the rows; every number is of another part.",
        r"\max_{\text{split}}\ \frac{W_L W_R}{W_L + W_R} (\bar\ell_L - \bar\ell_R)^2",
        "Read from the top; each question's answers stand below it, indented, the worse one second. A grey circle does "
        "not differ from its sibling beyond luck on the rows that confirm.",
        "The best tree: it is grown greedily, and another with the same message may look different. Slices found look "
        "at every combination.",
    ),
    "slice_compare": Explanation(
        "Slice against the rest",
        "Everything measured of the slice and of all other rows: quality, what its rows look like, labels, latency "
        "and failures.",
        None,
        "Differences come with intervals that take days and units as independent; p-values are corrected within each "
        "kind. Of a feature, the share of rows that would have to move to make both sides alike, and what luck gives.",
        "What causes what. The fields that define the slice are left out.",
    ),
}
