"""Why an example is shown, in words."""

from __future__ import annotations

import math

from analytics.examples.boundaries import Boundary

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


def _digits(value: float) -> str:
    # three significant digits, whole from a thousand on; a trailing point says nothing
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".removesuffix(".")
