"""What the models see: one row of numbers per flight, made the same way for a table and for one flight."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_logs.builder.source import WEATHER

CATEGORIES = ["weekday", "carrier", "origin", "dest", "engine_type"]
NUMBERS = ["hour", "distance", *WEATHER, "plane_age", "seats", "engines"]
# The order in which the logs show them: when and where first, then the weather, then the aircraft.
FEATURES = [
    "hour", "weekday", "carrier", "origin", "dest", "distance", *WEATHER,
    "plane_age", "seats", "engines", "engine_type",
]  # fmt: skip
CATEGORY_POSITIONS = list(range(len(CATEGORIES)))
NUMBER_POSITIONS = list(range(len(CATEGORIES), len(CATEGORIES) + len(NUMBERS)))

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Encoder:
    """Category codes learned on the training rows; unseen and missing categories become NaN."""

    codes: Mapping[str, Mapping[str, int]]

    @classmethod
    def fit(cls, flights: pd.DataFrame) -> Self:
        """Number the categories of the training rows in alphabetical order."""
        return cls(
            {
                name: {value: code for code, value in enumerate(sorted(flights[name].dropna().unique()))}
                for name in CATEGORIES
            }
        )

    def table(self, flights: pd.DataFrame) -> Matrix:
        """Rows x (categories, then numbers)."""
        columns = [flights[name].map(self.codes[name]).to_numpy(dtype=float) for name in CATEGORIES]
        columns += [flights[name].to_numpy(dtype=float) for name in NUMBERS]
        return np.column_stack(columns)

    def row(self, flight: Mapping[str, object]) -> Matrix:
        """One flight, as a request to a scoring service would bring it."""
        codes = [self.codes[name].get(str(flight[name]), np.nan) for name in CATEGORIES]
        return np.array([codes + [flight[name] for name in NUMBERS]], dtype=float)
