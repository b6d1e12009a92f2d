"""How checks compare two arms: within strata and phases where the split differs by them, else as they are."""

from __future__ import annotations

from analytics.aggregates.arms import ArmMoments
from analytics.experiments.compare import compare
from analytics.experiments.design import Design
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import pair
from analytics.experiments.rows import Kind
from analytics.experiments.structure import compare_within


def compare_cells(design: Design, moments: ArmMoments, variant: str, kind: Kind) -> Comparison | NotTested:
    """One arm against the control; arms differ in who is in them where shares differ by stratum or phase."""
    if moments.strata is None and moments.phases is None:
        return compare(pair(moments, variant, design.control), kind)
    return compare_within(design, moments, variant, kind)
