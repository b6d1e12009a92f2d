"""Why an example is shown, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analytics.examples.boundaries import Boundary
from analytics.stats.usual import Place

RANDOM = "drawn at random"
PRIVATE = "not shown: the columns it stands on are private"


def of_likelihood(label: str, loss: float) -> str:
    """Of a labelled row of a classifier.

    >>> of_likelihood("1", 3.912)
    'gave its true class 1 a probability of 0.0200: log loss 3.91'
    """
    likelihood = _digits(math.exp(-loss))
    return f"gave its true class {label} a probability of {likelihood}: log loss {_digits(loss)}"


def of_error(prediction: float, label: float) -> str:
    """Of a labelled row of a regression.

    >>> of_error(12.0, 85.5)
    'predicted 12.0, was 85.5: 73.5 too low'
    """
    error = prediction - label
    how = "exact" if error == 0 else f"{_digits(abs(error))} too {'high' if error > 0 else 'low'}"
    return f"predicted {_digits(prediction)}, was {_digits(label)}: {how}"


def of_distance(score: float, boundary: Boundary) -> str:
    """Of a row near the decision.

    >>> of_distance(0.49, Boundary("v1", 0.5, "declared in the project file"))
    'score 0.490 is 0.0100 from the decision boundary 0.500'
    """
    assumed = " (assumed)" if boundary.assumed else ""
    distance, at = _digits(abs(score - boundary.value)), _digits(boundary.value)
    return f"score {_digits(score)} is {distance} from the decision boundary {at}{assumed}"


def of_entropy(entropy: float, highest: float) -> str:
    """Of a row whose class is in doubt.

    >>> of_entropy(1.05, math.log(3))
    'entropy of its scores 1.05 of at most 1.10'
    """
    return f"entropy of its scores {_digits(entropy)} of at most {_digits(highest)}"


def of_disagreement(said: Sequence[tuple[str, float | None, str | None]]) -> str:
    """Of a request that several versions saw differently: version, score, decision.

    >>> of_disagreement([("v1", 0.91, "1"), ("v2", 0.2, "0")])
    'v1 scored 0.910 and decided 1; v2 scored 0.200 and decided 0'
    """
    parts = []
    for version, score, decision in said:
        scored = "gave no score" if score is None else f"scored {_digits(score)}"
        parts.append(f"{version} {scored}" + (f" and decided {decision}" if decision is not None else ""))
    return "; ".join(parts)


def of_suspicion(label: str, suggested: str, logged: float, other: float) -> str:
    """Of a label that is likely wrong.

    >>> of_suspicion("0", "1", 0.93, 0.88)
    'labelled 0, looks like 1: the logged score gives 1 a probability of 0.930, a model of other rows 0.880'
    """
    return (
        f"labelled {label}, looks like {suggested}: the logged score gives {suggested} a probability of "
        f"{_digits(logged)}, a model of other rows {_digits(other)}"
    )


def of_far_label(label: float, logged: float, other: float, times: float) -> str:
    """Of a number that is likely wrong.

    >>> of_far_label(500.0, 12.0, 20.0, 24.0)
    'labelled 500, predicted 12.0, a model of other rows says 20.0: 24.0 usual errors away from both'
    """
    return (
        f"labelled {_digits(label)}, predicted {_digits(logged)}, a model of other rows says {_digits(other)}: "
        f"{_digits(times)} usual errors away from both"
    )


def of_novelty(share: float, told: Sequence[str]) -> str:
    """Of a row unlike the reference.

    >>> of_novelty(0.999, ["temp 104, above all of the reference"])
    'farther from the reference than 99.9% of its own rows: temp 104, above all of the reference'
    """
    # never "100 %": there are always reference rows that were not looked at
    written = "any of its own rows looked at" if share >= 1 else f"{share:.1%} of its own rows"
    return f"farther from the reference than {written}" + (f": {', '.join(told)}" if told else "")


def of_place(name: str, value: float | str | None, place: Place) -> str:
    """What is out of the ordinary about one value.

    >>> of_place("temp", 104.0, Place("highest", 1.0, None, 20.0, 98.0))
    'temp 104 is above all of the reference (highest 98)'
    """
    shown = "" if value is None else value if isinstance(value, str) else f"{value:.6g}"
    low, high = (None if end is None else f"{end:.6g}" for end in (place.low, place.high))
    share = "" if place.share is None else f"{place.share:.2%}"
    words = {
        "usual": f"{name} {shown}".rstrip(),
        "unknown": f"{name} {shown}".rstrip(),
        "lowest": f"{name} {shown} is below all of the reference (lowest {low})",
        "highest": f"{name} {shown} is above all of the reference (highest {high})",
        "low": f"{name} {shown} is among the lowest {place.quantile or 0:.2%} of the reference",
        "high": f"{name} {shown} is among the highest {1 - (place.quantile or 0):.2%} of the reference",
        "rare": f"{name} {shown} is rare in the reference ({share})",
        "unseen": f"{name} {shown} was never seen in the reference",
        "missing": f"{name} is missing, {'which is rare' if place.share else 'as never'} in the reference"
        + (f" ({share})" if place.share else ""),
        "infinite": f"{name} is {shown}, which is rare in the reference ({share})",
    }
    return words[place.finding]


def _digits(value: float) -> str:
    # three significant digits, whole from a thousand on; a trailing point says nothing
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".removesuffix(".")
