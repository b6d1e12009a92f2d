"""Small projects with an experiment and nothing else, written by the tests that need them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

UNITS = 600
EXPOSURES = """
[exposures]
path = "exposures.parquet"
unit = "user"
variant = "variant"
timestamp = "at"

[events]
path = "events.parquet"
unit = "user"
timestamp = "at"

[metrics.bought]
kind = "proportion"
value = "event = 'purchase'"
means = "whether the user bought anything"
logged_as = "purchase events of the shop"

[metrics.spent]
kind = "mean"
value = "amount"

[experiments.new_shop]
control = "old"
variants = { old = 0.5, new = 0.5 }
primary = ["bought"]
secondary = ["spent"]
"""


def shop(folder: Path, *, name: str = "shop", lost: int = 0) -> Path:
    """A project of exposures and events in which the new arm buys more often.

    Args:
        folder: where it is written.
        name: of the project.
        lost: units of the new arm whose exposures never arrived, so that the split breaks.
    """
    draw = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    new = np.arange(UNITS) % 2 == 1
    start = pd.Timestamp("2024-03-01", tz="UTC")
    exposures = pd.DataFrame({
        "user": [f"u{i}" for i in range(UNITS)],
        "variant": np.where(new, "new", "old"),
        "at": start + pd.to_timedelta(np.arange(UNITS) * 20, unit="min"),
    })  # fmt: skip
    exposures.drop(exposures.index[new][:lost]).to_parquet(folder / "exposures.parquet", index=False)
    buys = draw.uniform(size=UNITS) < np.where(new, 0.4, 0.2)
    events = exposures[buys].assign(event="purchase", amount=draw.gamma(2.0, 10.0, buys.sum()))
    events["at"] += pd.Timedelta(hours=1)
    events.drop(columns="variant").to_parquet(folder / "events.parquet", index=False)
    (folder / "assay.toml").write_text(f'name = "{name}"\n{EXPOSURES}')
    return folder
