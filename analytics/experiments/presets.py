"""Plans to start from: usual experiments with the words of `assay power` that make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.errors import ExperimentError
from analytics.experiments.power import power_of
from analytics.experiments.power_terms import Terms
from analytics.experiments.rows import PowerRow


@dataclass(frozen=True)
class Preset:
    """One usual plan.

    Attributes:
        title: what people call it.
        says: what it is for, in a sentence.
        words: of `analytics.experiments.power.power_of`.
        terms: of the plan.
    """

    title: str
    says: str
    words: Mapping[str, Any] = field(default_factory=dict)
    terms: Terms = Terms()  # noqa: RUF009  # frozen


PRESETS: dict[str, Preset] = {
    "small-web-test": Preset(
        "Small web test",
        "A conversion of 4%, 500 visitors a day, and a rise by a fifth that would pay for the change.",
        {"kind": "proportion", "baseline": 0.04, "lift": 0.2, "daily_units": 500},
    ),
    "guardrail": Preset(
        "Guardrail",
        "Shows that a share of 10% does not fall by 5% of itself, where nothing truly changes.",
        {"kind": "proportion", "baseline": 0.1, "lift": -0.05},
        Terms("non-inferiority", relative=True),
    ),
    "model-canary": Preset(
        "Model canary",
        "A tenth of the traffic gets a new model, watched ten times with alarms that stay honest: errors, 1% now, must "
        "not double.",
        {"kind": "proportion", "baseline": 0.01, "lift": 1.0, "shares": (0.9, 0.1), "one_sided": True},
        Terms(stopping="group-sequential", looks=10),
    ),
    "a-a": Preset(
        "A/A",
        "Two arms that are the same, to test the machinery: shows that they differ by less than 5% of a share of 10%.",
        {"kind": "proportion", "baseline": 0.1, "lift": 0.05},
        Terms("equivalence"),
    ),
}
"""By the word of ``--preset`` and of the address."""


def preset(name: str) -> Preset:
    """A plan to start from.

    Raises:
        ExperimentError: there is none of this name.
    """
    if name not in PRESETS:
        raise ExperimentError(f"there is no preset {name!r}; there are: {', '.join(PRESETS)}")
    return PRESETS[name]


def preset_row(name: str) -> PowerRow:
    """The plan as it stands.

    >>> preset_row("small-web-test").n_per_variant
    10317
    """
    found = preset(name)
    return power_of(**found.words, terms=found.terms)
