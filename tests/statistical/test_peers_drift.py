"""The comparison with peers does without them where they are not installed, and says so."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks.peers_drift import QUIET, SHIFTS, measured, of_assay, rounds


def test_a_peer_that_is_not_there_is_left_out_with_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert measured("evidently", None, 1) == []
    assert "name an interpreter that has it with --evidently PYTHON" in capsys.readouterr().err
    assert measured("nannyml", "/no/such/python", 1) == []
    assert "nannyml is left out: /no/such/python cannot be run" in capsys.readouterr().err


def test_a_peer_that_does_not_import_is_left_out_with_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert measured("nannyml", sys.executable, 1) == []
    assert "nannyml is left out: ModuleNotFoundError" in capsys.readouterr().err


def test_all_tools_see_the_same_rows() -> None:
    draw, m, n = QUIET["normal, 1001 and 50"]
    seen = []

    def look(reference: np.ndarray, current: np.ndarray) -> dict[str, tuple[float, bool]]:
        seen.append((reference.sum(), current.sum()))
        return {"x": (0.0, False)}

    for _ in range(2):
        rounds(draw, 0.0, (m, n), 3, look)
    assert seen[:3] == seen[3:]


def test_a_large_shift_passes_the_threshold() -> None:
    draw, move, m, n = SHIFTS["60 % missing, 1000 and 300"]
    found = rounds(draw, move, (m, n), 3, of_assay())
    assert found["Assay p"][:, 1].all()
    assert found["Assay drifted"][:, 1].all()
