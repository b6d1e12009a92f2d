"""Expected calibration error: plug-in, interval for the true error, noise floor and debiased value.

Inputs are arrays over the score bins (ten of equal width in this project): what happened inside a bin is
summed up by its number of rows, its mean score and its mean label.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats, divide

BINS = 10
DRAWS = 200
_SEED = 20131
_STEPS = 20
_ALONG = np.linspace(0, 1, _STEPS) ** 1.5
_AT_ONCE = 5
"""Steps drawn at a time: a limit is mostly met in the first half, and steps beyond it say nothing."""
_CLEAR = (2.0, 3.0)
"""From how many standard errors on a bin counts as truly miscalibrated when the lower limit is looked for."""


class CalibrationError(NamedTuple):
    """The plug-in, its interval, its mean if nothing were wrong, and the debiased error."""

    value: float
    low: float
    high: float
    noise_floor: float
    debiased: float


def score_bins(scores: npt.ArrayLike, bins: int = BINS) -> npt.NDArray[np.int64]:
    """Return the bin of each score: min(floor(bins x score), bins - 1).

    >>> score_bins([0.0, 0.3, 0.999, 1.0]).tolist()
    [0, 3, 9, 9]
    """
    return np.minimum(np.floor(bins * as_floats(scores)), bins - 1).astype(np.int64)


def calibration_error(
    n: npt.ArrayLike,
    mean_score: npt.ArrayLike,
    mean_label: npt.ArrayLike,
    confidence: float,
    *,
    share: npt.ArrayLike | None = None,
    residual_variance: npt.ArrayLike | None = None,
) -> CalibrationError:
    """Return the expected calibration error sum n_b / n |mean score - mean label| with everything beside it.

    ``n`` rows per bin, ``mean_score`` and ``mean_label`` (weighted) means, 0 in empty bins; ``share`` of the
    weight per bin where rows are weighted (then ``n`` are Kish's effective rows); where rows are correlated,
    divide ``n`` by the design effect. ``residual_variance`` is the variance (divisor n - 1) of label - score
    per bin, for the debiased value; it defaults to that of a 0/1 label.

    >>> error = calibration_error([100, 100], [0.2, 0.7], [0.25, 0.6], 0.95)
    >>> round(error.value, 4), round(error.noise_floor, 4)
    (0.075, 0.0341)
    """
    rows, score, label = as_floats(n), as_floats(mean_score), as_floats(mean_label)
    total = float(rows.sum())
    if total <= 0:
        raise ValueError("the calibration error needs at least one row with a score and a label")
    weights = rows / total if share is None else as_floats(share)
    value = plug_in_error(weights, score, label)
    low, high = _true_error_limits(rows, weights, score, label, confidence)
    variance = (
        label * (1 - label) * divide(rows, rows - 1) if residual_variance is None else residual_variance
    )
    return CalibrationError(
        value=value,
        low=min(low, value),
        high=max(high, value),
        noise_floor=noise_floor(rows, score, weights),
        debiased=debiased_error(rows, weights, label - score, variance),
    )


def plug_in_error(share: FloatArray, mean_score: FloatArray, mean_label: FloatArray) -> float:
    """Return sum share |mean score - mean label|."""
    return float(share @ np.abs(mean_score - mean_label))


def noise_floor(n: npt.ArrayLike, mean_score: npt.ArrayLike, share: npt.ArrayLike | None = None) -> float:
    """Return the mean of the plug-in error if every score were exactly right.

    Uses de Moivre's mean absolute deviation of a binomial, 2 m C(n, m) p^m (1 - p)^(n - m + 1) / n with
    m = floor(n p) + 1: exact where a bin's scores are alike, and right also for a handful of expected
    positives, where the half-normal sqrt(2 p (1 - p) / (pi n)) is not. The scores of a bin .1 wide differ too
    little to matter.
    """
    rows, p = as_floats(n), np.clip(as_floats(mean_score), 0, 1)
    weights = rows / max(float(rows.sum()), 1.0) if share is None else as_floats(share)
    size = np.maximum(np.round(rows), 1.0)
    m = np.minimum(np.floor(size * p) + 1, size)
    log_deviation = (
        special.gammaln(size + 1)
        - special.gammaln(m + 1)
        - special.gammaln(size - m + 1)
        + special.xlogy(m, p)
        + special.xlog1py(size - m + 1, -p)
    )
    deviation = 2 * m * np.exp(log_deviation) / size
    return float(weights @ np.where(rows > 0, deviation, 0.0))


def debiased_error(
    n: npt.ArrayLike, share: npt.ArrayLike, mean_residual: npt.ArrayLike, residual_variance: npt.ArrayLike
) -> float:
    """Return sqrt(max(0, sum share (mean residual^2 - s2 / n))), residual = label - score.

    The mean square less what chance alone puts there (Kumar, Liang and Ma, NeurIPS 2019). A bin with a single
    row says nothing about its own noise and adds 0.
    """
    rows, residual, variance = as_floats(n), as_floats(mean_residual), as_floats(residual_variance)
    excess = np.where(rows > 1, np.square(residual) - divide(np.where(rows > 1, variance, 0.0), rows), 0.0)
    return float(np.sqrt(max(0.0, float(as_floats(share) @ excess))))


@functools.cache
def _normal_draws(bins: int) -> FloatArray:
    """Draws x bins standard normals; every column the same quantiles in an order of its own."""
    generator = np.random.default_rng(_SEED)
    quantiles = special.ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
    return np.column_stack([generator.permutation(quantiles) for _ in range(bins)])


class _Chance(NamedTuple):
    """What chance does to the bins' label rates in every draw, the same along each path; all draws x bins.

    Cornish-Fisher: a rate p of n rows is off by sqrt(p (1 - p)) errors + (1 - 2p) skews, as the skewness
    (1 - 2p) / sqrt(n p (1 - p)) times the standard error is (1 - 2p) / n.
    """

    shares: FloatArray
    errors: FloatArray
    skews: FloatArray

    @classmethod
    def of(cls, shares: FloatArray, total: float) -> _Chance:
        """Draws for so many rows, spread over the bins by drawn shares."""
        z, size = _normal_draws(shares.shape[1]), np.maximum(shares * total, 1)
        return cls(shares, z / np.sqrt(size), (np.square(z) - 1) / 6 / size)


def _true_error_limits(
    rows: FloatArray, share: FloatArray, score: FloatArray, label: FloatArray, confidence: float
) -> tuple[float, float]:
    """Invert the plug-in's sampling distribution along directions of growing miscalibration.

    The plug-in is biased upwards, most where true errors are small against the noise, so a bootstrap around
    it misses the truth (50 % coverage under perfect calibration). Instead: which true errors make a plug-in
    like this one unsurprising? Each limit moves the label rates away from the scores step by step along one
    direction, and draws the plug-in there (multinomial bin shares, label noise with binomial variance and
    skewness). How much bias a given true error brings depends on how it is spread over the bins, so each
    limit takes the direction that is hard on it: the lower one puts all of it into the bins that are clearly
    off (most bias), the upper one spreads it over all (least).
    """
    total = float(rows.sum())
    residual = np.where(rows > 0, label - score, 0.0)
    # The larger of the variances that labels and scores speak for: 0 of 3 is no certainty.
    spread = np.maximum(label * (1 - label), score * (1 - score))
    error = np.sqrt(spread / np.maximum(rows, 1))
    observed = float(share @ np.abs(residual))
    reach = 1.2 * (observed + 5 * float(np.sqrt(np.square(share) @ np.square(error))))
    generator = np.random.default_rng(_SEED)
    shares = generator.multinomial(max(round(total), 1), share / share.sum(), size=DRAWS) / max(
        round(total), 1
    )
    tail = (1 - confidence) / 2
    chance = _Chance.of(shares, total)

    def path(direction: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
        length = float(share @ np.abs(direction))
        rates = np.clip(
            score + reach * _ALONG[:, None] * (direction / length if length > 0 else direction), 0, 1
        )
        return _plug_in_quantiles(rates, score, share, chance, level=level, observed=observed)

    lower = [
        _first_reached(*path(direction, 1 - tail), observed)
        for direction in _clear_directions(residual, error, share)
    ]
    away = np.where(residual != 0, np.sign(residual), np.where(score < 0.5, 1.0, -1.0))
    truths, quantiles = path(np.where(rows > 0, residual + away * error, 0.0), tail)
    return min(lower), _last_reached(truths, quantiles, observed)


def _clear_directions(residual: FloatArray, error: FloatArray, share: FloatArray) -> list[FloatArray]:
    standardised = divide(np.abs(residual), error)
    largest = np.arange(residual.size) == np.argmax(share * np.abs(residual))
    directions: list[FloatArray] = []
    for least in _CLEAR:
        clear = standardised >= least
        direction = np.where(clear if clear.any() else largest, residual, 0.0)
        if not directions or (direction != directions[-1]).any():
            directions.append(direction)
    return directions


def _plug_in_quantiles(
    rates: FloatArray, score: FloatArray, share: FloatArray, chance: _Chance, *, level: float, observed: float
) -> tuple[FloatArray, FloatArray]:
    """Return true errors along a path of label rates (steps x bins), and the plug-in's quantile at each.

    It ends with the steps that were drawn together with the first whose quantile lies above ``observed``.
    """
    truths = np.abs(rates - score) @ share
    quantiles: list[FloatArray] = []
    for first in range(0, len(rates), _AT_ONCE):
        p = rates[first : first + _AT_ONCE, None, :]
        drawn = np.sqrt(p * (1 - p)) * chance.errors
        drawn += (1 - 2 * p) * chance.skews
        drawn += p
        np.clip(drawn, 0, 1, out=drawn)
        drawn -= score
        np.abs(drawn, out=drawn)
        quantiles.append(_quantile(np.einsum("sdb,db->sd", drawn, chance.shares), level))
        if (quantiles[-1] > observed).any():
            break
    reached = np.maximum.accumulate(np.concatenate(quantiles))
    return truths[: len(reached)], reached


def _quantile(values: FloatArray, level: float) -> FloatArray:
    """The quantile of each row, between two values as `numpy.quantile` has it, which takes longer to look around."""
    place = level * (values.shape[1] - 1)
    below = min(int(place), values.shape[1] - 2)
    values.partition((below, below + 1), axis=1)
    low, high = values[:, below], values[:, below + 1]
    return as_floats(low + (high - low) * (place - below))


def _first_reached(truths: FloatArray, quantiles: FloatArray, observed: float) -> float:
    """Smallest true error whose plug-in reaches the observed one; infinite where none does."""
    reached = np.flatnonzero(quantiles >= observed)
    if reached.size == 0:
        return float("inf")
    i = int(reached[0])
    return 0.0 if i == 0 else float(np.interp(observed, quantiles[i - 1 : i + 1], truths[i - 1 : i + 1]))


def _last_reached(truths: FloatArray, quantiles: FloatArray, observed: float) -> float:
    """Largest true error whose plug-in may still be as small as the observed one."""
    reached = np.flatnonzero(quantiles <= observed)
    if reached.size == 0:
        return observed
    i = int(reached[-1])
    if i == truths.size - 1:
        return float(truths[i])
    return float(np.interp(observed, quantiles[i : i + 2], truths[i : i + 2]))
