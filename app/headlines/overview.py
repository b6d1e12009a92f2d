"""One line a model."""

from __future__ import annotations

from app.headlines.verdict import Verdict


def overview_line(quality: Verdict, drift: Verdict | None = None) -> Verdict:
    """One model in a line: quality first; drift too, unless nothing drifted.

    Drift alone asks for a look, but is no harm: the state stays that of quality unless quality is quiet.
    """
    if drift is None or drift.state in {"same", "unknown"}:
        return quality
    state = "changed" if quality.state in {"same", "better", "unknown"} else quality.state
    return Verdict(state, f"{quality.sentence} {drift.sentence}")
