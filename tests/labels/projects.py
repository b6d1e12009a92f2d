"""Projects with planted ways for labels to come late: at random, by decision, positive first, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analytics.workbench import Workbench
from tests.ask.projects import START, write_project

NEVER = np.inf


def late_project(
    folder: Path,
    *,
    versions: int = 1,
    days: int = 20,
    per_day: int = 100,
    hours: dict[tuple[int, int], float] | None = None,
    never: float = 0.0,
    seed: int = 0,
    more: str = "",
) -> tuple[Workbench, pd.DataFrame]:
    """Versions as independent replicates of one system whose labels take a while.

    Args:
        folder: where.
        versions: replicates.
        days: from START on.
        per_day: predictions of each version, spread evenly.
        hours: mean delay by (decision, label); 6 hours where left out.
        never: share that never gets a label.
        seed: of the draws.
        more: keys of [labels].
    """
    draw = np.random.default_rng(seed)
    n = versions * days * per_day
    frame = pd.DataFrame(
        {"id": np.arange(n).astype(str), "version": np.repeat(np.arange(versions), days * per_day)}
    )
    frame["version"] = "v" + frame["version"].astype(str).str.zfill(4)
    second = np.tile(np.arange(days * per_day) * 86_400 / per_day, versions)
    frame["ts"] = START + pd.to_timedelta(second + draw.uniform(0, 60, n), unit="s").round("us")
    frame["score"] = draw.beta(2, 3, n)
    frame["decision"] = (frame["score"] >= 0.5).astype(int)
    frame["truth"] = (draw.uniform(size=n) < 0.1 + 0.6 * frame["score"]).astype(int)
    mean = np.full(n, 6.0)
    for (decision, label), late in (hours or {}).items():
        mean[((frame["decision"] == decision) & (frame["truth"] == label)).to_numpy()] = late
    frame["delay"] = np.where(draw.uniform(size=n) < never, NEVER, draw.gamma(3, mean / 3, n))
    came = frame[np.isfinite(frame["delay"])]
    feed = pd.DataFrame({
        "id": came["id"], "label": came["truth"],
        "ts": (came["ts"] + pd.to_timedelta(came["delay"], unit="h")).dt.round("us"),
    })  # fmt: skip
    logged = frame.drop(columns=["truth", "delay"])
    roles = ("id", "score", "decision", "version")
    predictions = 'task = "binary"\nfeatures = []\n' + "".join(f'{role} = "{role}"\n' for role in roles)
    return write_project(folder, logged, predictions, more, feed), frame
