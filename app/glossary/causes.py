"""Causes, what is different about some rows, and who was first."""

from __future__ import annotations

from app.glossary.base import Explanation

CAUSES: dict[str, Explanation] = {
    "causes": Explanation(
        "Likely causes",
        "Requests, errors, latency, labels, scores and every field of the window against the up to four weeks before "
        "it, whole and by segment. What moved beyond chance and follows from nothing else that moved is a cause.",
        r"z = \frac{\Delta}{\sqrt{\overline{\Delta_{\text{earlier windows}}^2}}}",
        "The first line is the likeliest: far beyond what earlier windows did, in many rows, and upstream of the rest. "
        "What follows from it stands beside it. Silence means that nothing moved beyond chance.",
        "It compares in time: a fault that is older than four weeks is part of what is usual. A value of a segment is "
        "compared with the other values on the same days, so that weather or a holiday is no change of one of them.",
    ),
    "moved": Explanation(
        "What is different about these rows",
        "How much each field tells of whether a row is in the selection: information gain in bits, with what chance "
        "would give taken off (jackknife over days and over groups of units; the less sure of the two counts).",
        r"I = \sum_{s,b} p_{sb} \log_2 \frac{p_{sb}}{p_s\,p_b} - \text{chance}",
        "Long bars tell most. The interval reaches 0 where the field may tell nothing. The table names the values that "
        "carry it, with their shares on both sides.",
        "Different is not at fault: fields that go together all show. Fields the selection is made of are left out.",
    ),
    "first": Explanation(
        "Who was first",
        "The earliest rows of the window that pass the filters (without one: those of the likeliest cause), and the "
        "units whose first such row came earliest.",
        None,
        "One file, one unit or one release that stands at the beginning is where to look.",
        "Private columns are masked.",
    ),
}
