"""Every method of comparison by name: which metrics it is for, what it reads, and in a sentence when to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from analytics.errors import ExperimentError
from analytics.experiments.rows import Kind

MEANS: frozenset[Kind] = frozenset({"mean", "count"})
LINEAR: frozenset[Kind] = MEANS | {"ratio"}
YES_NO: frozenset[Kind] = frozenset({"proportion", "retention", "funnel"})
Intervals = Literal["difference and lift", "difference", "lift", "none"]


@dataclass(frozen=True)
class Method:
    """One way to compare an arm with the control.

    Attributes:
        name: as it is asked for.
        test: what it is called in records.
        kinds: of metrics it is for.
        intervals: which of its intervals invert the test; the others are left out.
        when: to use it, in a sentence.
        reads: ``moments``, or ``values`` of single units.
        clustered: whether it allows for clusters.
        for_all_arms: whether it compares all arms at once, and not one with the control.
    """

    name: str
    test: str
    kinds: frozenset[Kind]
    intervals: Intervals
    when: str
    reads: Literal["moments", "values"] = "moments"
    clustered: bool = False
    for_all_arms: bool = False


_METHODS = (
    Method(
        "welch", "welch", LINEAR | YES_NO, "difference and lift",
        "The means of independent units, each arm with a variance of its own; right whatever the sizes and spreads "
        "of the arms, once they are large.",
    ),
    Method(
        "cluster-robust", "cluster-robust t", LINEAR | YES_NO, "difference and lift",
        "Units come in clusters that hang together (visits of a user, users of a shop): only clusters count as "
        "independent.", clustered=True,
    ),
    Method(
        "paired", "paired t", LINEAR | YES_NO, "difference and lift",
        "Units come in pairs, one in each arm (twins, two screens of one visit): only what differs within a pair "
        "counts. Of shares McNemar's test.",
    ),
    Method(
        "student", "pooled t", LINEAR | YES_NO, "difference and lift",
        "Both arms are known to have one variance; a little sharper then with a few units, and wrong where sizes and "
        "spreads both differ.",
    ),
    Method(
        "score", "score", YES_NO, "difference and lift",
        "Shares of any size, also near 0 or 1 and in small arms; the intervals of difference and lift invert the "
        "same test.",
    ),
    Method(
        "z", "z, unpooled", YES_NO, "difference and lift",
        "The textbook's interval of a difference of shares, for numbers that are to match another tool; too narrow "
        "near 0 or 1.",
    ),
    Method(
        "pooled-z", "z, pooled", YES_NO, "difference and lift",
        "Pearson's chi-squared of the 2 x 2 table without correction; the score test without its factor N / (N - 1).",
    ),
    Method(
        "newcombe", "newcombe", YES_NO, "difference and lift",
        "An interval of the difference from the arms' own Wilson intervals; p is where it touches 0.",
    ),
    Method(
        "fisher", "fisher exact", YES_NO, "none",
        "Never more false alarms than it says, however few there are; usually far fewer, so it sees less.",
    ),
    Method(
        "boschloo", "boschloo exact", YES_NO, "none",
        "Exact as Fisher's and always sharper; for small arms, as it takes long.",
    ),
    Method(
        "barnard", "barnard exact", YES_NO, "none",
        "Exact without conditioning on how many there are in all; for small arms, as it takes long.",
    ),
    Method(
        "chi-squared", "chi-squared over arms", YES_NO, "none",
        "Whether any of several arms differs at all, before asking which; it says neither which nor by how much.",
        for_all_arms=True,
    ),
    Method(
        "poisson", "score of rates", frozenset({"count"}), "difference and lift",
        "Events that do not hang together, with the exposure of each arm: typed counts, or counts whose variance is "
        "their mean.",
    ),
    Method(
        "poisson-exact", "exact conditional", frozenset({"count"}), "lift",
        "Few events that do not hang together: never more false alarms than it says.",
    ),
    Method(
        "e-test", "e-test", frozenset({"count"}), "none",
        "Few events that do not hang together: sharper than the exact conditional test, and nearly as safe.",
    ),
    Method(
        "mann-whitney", "mann-whitney", MEANS, "difference",
        "Whether a unit of one arm usually beats one of the other: for values with wild tails, where the mean is not "
        "what matters. The difference is the shift of Hodges and Lehmann.", reads="values",
    ),
    Method(
        "permutation", "studentised permutation", LINEAR, "none",
        "A small arm with skewed values, where Student's t is not to be trusted: the same t among reassignments.",
        reads="values",
    ),
    Method(
        "delta-lift", "delta method of the lift", LINEAR | YES_NO, "lift",
        "To match tools that test the lift by its own error; it can contradict the test of the difference.",
    ),
    Method(
        "log-lift", "log ratio", LINEAR | YES_NO, "lift",
        "To match tools that test the logarithm of the ratio; symmetric, and only for values above 0.",
    ),
    Method(
        "quantile", "quantile", frozenset({"quantile"}), "difference and lift",
        "Quantiles, with an error that allows for all values of a unit hanging together.", clustered=True,
    ),
)  # fmt: skip
METHODS: Mapping[str, Method] = {method.name: method for method in _METHODS}

_WHY: Mapping[str, str] = {
    "welch": (
        "It assumes no equal variances, which costs next to nothing where they are equal, and its interval, p-value "
        "and Fieller's interval of the lift come from one statistic."
    ),
    "count": (
        "Events of one unit hang together (who buys, buys again), so their variance is above their mean and a Poisson "
        "test raises false alarms: one in six at variance/mean 2. The totals of units are independent."
    ),
    "score": (
        "It holds its level also for rare events and small arms, where z does not, and test, difference and lift "
        "come from one statistic."
    ),
    "paired": (
        "Units were drawn in pairs, so what a pair has in common cancels out; taken apart, arms would look noisier "
        "than they are."
    ),
    "ratio": (
        "Numerator and denominator of a unit hang together; the delta method takes a unit's pair as one value, and "
        "units are independent."
    ),
    "cluster-robust": (
        "Units of a cluster are no independent evidence. Any test that takes them so claims too much, often many "
        "times over."
    ),
    "quantile": (
        "All values of a unit count as one observation of how many lie below the quantile; nothing is assumed about "
        "the shape of the distribution."
    ),
}


def default_method(kind: Kind, *, clustered: bool = False, paired: bool = False) -> str:
    """The name of the method by which metrics of a kind are compared.

    >>> default_method("retention"), default_method("mean", clustered=True), default_method("quantile")
    ('score', 'cluster-robust', 'quantile')
    """
    if kind == "quantile":
        return "quantile"
    if paired:
        return "paired"
    if clustered:
        return "cluster-robust"
    return "score" if kind in YES_NO else "welch"


def why_default(kind: Kind, *, clustered: bool = False, paired: bool = False) -> str:
    """Why it is the default, in a sentence."""
    name = default_method(kind, clustered=clustered, paired=paired)
    return _WHY[kind if name == "welch" and kind in _WHY else name]


def suiting(kind: Kind, *, clustered: bool = False, paired: bool = False) -> list[Method]:
    """The methods for a kind of metric, the default first."""
    default = default_method(kind, clustered=clustered, paired=paired)
    needs = {"cluster-robust": clustered, "paired": paired}
    found = [one for one in _METHODS if kind in one.kinds and needs.get(one.name, True)]
    return sorted(found, key=lambda one: one.name != default)


def require_method(name: str) -> Method:
    """A method by name.

    Raises:
        ExperimentError: there is none; with the nearest name.
    """
    if name in METHODS:
        return METHODS[name]
    near = get_close_matches(name, METHODS, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(METHODS)}"
    raise ExperimentError(f'there is no method "{name}"; {hint}')


def unfit(method: Method, kind: Kind) -> str | None:
    """Why a method is not for a kind of metric, and what is; None where it fits."""
    if kind in method.kinds:
        return None
    what = {"proportion": "shares", "count": "counts of events", "quantile": "quantiles"}
    made_for = next(
        (what[one] for one in what if one in method.kinds and len(method.kinds & MEANS) < 2), "means"
    )
    others = ", ".join(one.name for one in suiting(kind))
    return f"{method.name} compares {made_for}, and this metric is a {kind}: ask for {others}"
