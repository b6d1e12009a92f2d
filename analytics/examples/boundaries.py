"""Where the decisions of a version turn from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Boundary:
    """The score at which one version's decision turns.

    Attributes:
        version: whose; None where no version is declared.
        value: the score.
        source: where the value comes from, in words.
        assumed: whether the value is only the usual one, for want of anything better.
    """

    ASSUMED: ClassVar[float] = 0.5

    version: str | None
    value: float
    source: str
    assumed: bool = False

    @property
    def sentence(self) -> str:
        """The boundary and where it comes from, in words."""
        whose = "" if self.version is None else f" of {self.version}"
        verb = "is taken as" if self.assumed else "is"
        return f"the decision boundary{whose} {verb} {self.value:.6g}: {self.source}"


def from_decisions(
    version: str | None, highest_negative: float | None, lowest_positive: float | None
) -> Boundary:
    """The boundary that logged decisions show, if scores separate them.

    Args:
        version: whose decisions.
        highest_negative: the highest score decided 0; None where nothing was decided 0.
        lowest_positive: the lowest score decided 1; None where nothing was decided 1.

    >>> from_decisions("v1", 0.25, 0.75).value
    0.5
    >>> print(from_decisions("v1", 0.9, 0.1).sentence)
    the decision boundary of v1 is taken as 0.5: its decisions overlap in score (0 up to 0.9, 1 from 0.1)
    """
    if highest_negative is None and lowest_positive is None:
        return Boundary(version, Boundary.ASSUMED, "no decision is logged in this window", assumed=True)
    if highest_negative is None or lowest_positive is None:
        only = 1 if highest_negative is None else 0
        return Boundary(version, Boundary.ASSUMED, f"every decision in this window is {only}", assumed=True)
    if highest_negative >= lowest_positive:
        ends = f"0 up to {highest_negative:.6g}, 1 from {lowest_positive:.6g}"
        return Boundary(version, Boundary.ASSUMED, f"its decisions overlap in score ({ends})", assumed=True)
    source = (
        f"halfway between the highest score decided 0 ({highest_negative:.6g}) "
        f"and the lowest decided 1 ({lowest_positive:.6g})"
    )
    return Boundary(version, highest_negative / 2 + lowest_positive / 2, source)


def from_threshold(version: str | None, threshold: float | dict[str, float] | None) -> Boundary:
    """The boundary the project file declares where no decision is logged.

    >>> from_threshold("v2", {"v1": 0.3}).assumed
    True
    """
    if isinstance(threshold, dict):
        threshold = threshold.get(version or "")
    if threshold is None:
        missing = "no decision is logged and no threshold is declared for it"
        return Boundary(version, Boundary.ASSUMED, missing, assumed=True)
    return Boundary(version, float(threshold), "declared in the project file")
