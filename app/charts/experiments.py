"""The figures of Scorecard and Plan, each with the sentence that tells the same."""

from app.charts.experiment_arms import split_bars, split_bars_alt
from app.charts.experiment_days import FIXED_HORIZON, cumulative_effect, cumulative_effect_alt
from app.charts.experiment_effects import effect_forest, effect_forest_alt
from app.charts.experiment_values import value_distribution, value_distribution_alt
from app.charts.power import power_curve, power_curve_alt

__all__ = [
    "FIXED_HORIZON",
    "cumulative_effect",
    "cumulative_effect_alt",
    "effect_forest",
    "effect_forest_alt",
    "power_curve",
    "power_curve_alt",
    "split_bars",
    "split_bars_alt",
    "value_distribution",
    "value_distribution_alt",
]
