"""False alarms of drift."""

from __future__ import annotations

from app.glossary.base import Explanation

ALARMS: dict[str, Explanation] = {
    "false_alarms": Explanation(
        "Promised and observed false alarms",
        "The share of windows in which any field is called different although nothing has drifted: promised, on the "
        "reference with its days in random order, and of every real stretch of the reference against the rest of it.",
        None,
        "Dotted: the promise, 5% of windows. A red diamond lies above it with its whole interval. Days in random order "
        "cannot have drifted, so what is seen there is false; real stretches may differ by trend and season.",
        "What your windows will do when the world does change; and shuffled days follow one another by chance, while "
        "real days may carry over from one to the next.",
        "share",
    ),
}
