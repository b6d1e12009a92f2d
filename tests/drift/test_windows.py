"""Windows that are tested together have the numbers that each has alone; sums of several windows are their own."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta

import numpy as np
import pytest

from analytics.aggregates.features import CellHistogram
from analytics.drift import few_blocks
from analytics.drift.compute import Prepared, VersionHistograms, drift_rows
from analytics.drift.few_blocks import BlockSums, FewBlocks
from analytics.drift.sides import Side
from analytics.drift.windows import Stacked
from analytics.project import Drift
from analytics.scope import Window
from tests.drift.histograms import KEY, WINDOW, category_bins, cell, holders, numeric_bins

DAYS = 40
STEP = timedelta(days=1)


def rows(rng: np.random.Generator, n: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A number, sometimes missing or infinite, and a name, some of them rare and some missing."""
    x = rng.normal(shift, 1, n)
    x[rng.random(n) < 0.05] = np.nan
    x[rng.random(n) < 0.02] = np.inf
    names = np.array([f"v{k}" for k in np.minimum(rng.geometric(0.15, n), 60)])
    names[rng.random(n) < 0.03] = ""
    return x, names


def several(seed: int, sizes: list[int], days: int, *, weight: float = 1.0) -> VersionHistograms:
    """A reference of many days, and windows of some days each; one holds no row."""
    rng = np.random.default_rng(seed)
    reference = rows(rng, 4000)
    blocks = rng.integers(0, DAYS, 4000).astype(float)
    held = holders(reference[1], blocks)
    bins = (numeric_bins(reference[0]), category_bins(reference[1], blocks, listed=20))
    windows: dict = {}
    for number, n in enumerate(sizes):
        own = rng.integers(0, days, n) + DAYS + number * days
        found = cell(bins, list(rows(rng, n, shift=0.1 * number)), own.astype(float), held)
        windows[KEY + number * STEP] = CellHistogram(bins, found.blocks, found.values * weight)
    return VersionHistograms(None, None, cell(bins, list(reference), blocks, held), windows)


def asked(version: VersionHistograms) -> list[Window]:
    empty = Window(WINDOW.start, WINDOW.end, KEY - STEP)
    return [empty, *(Window(WINDOW.start, WINDOW.end, key) for key in version.windows)]


@pytest.mark.parametrize("days", [1, 6, 12], ids=["one block", "few blocks", "shuffled"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_window_has_the_numbers_it_has_alone(seed: int, days: int) -> None:
    version = several(seed, [300, 20, 800, 300, 5000], days)
    together = drift_rows([version], asked(version), Drift())
    alone = []
    for window in asked(version):
        cells = {key: one for key, one in version.windows.items() if key == window.key}
        single = VersionHistograms(None, None, version.reference, cells)
        alone += drift_rows([single], [window], Drift())
    assert [row.status for row in together[:2]] == ["no_data"] * 2
    assert {row.status for row in together} == {"no_data", "too_few", "ok"}
    for row, expected in zip(together, alone, strict=True):
        for name, value in asdict(expected).items():
            close = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
            assert getattr(row, name) == close, name


def test_a_reference_that_was_prepared_before_gives_the_same_rows() -> None:
    version = several(5, [300, 800], 6)
    own, strict = Drift(), Drift(tolerance=0.5)
    first = drift_rows([version], asked(version), own), drift_rows([version], asked(version), strict)
    assert first[0][-1].tolerance_share != first[1][-1].tolerance_share
    again = replace(version, known=Prepared(version.reference))
    for _ in range(2):
        assert drift_rows([again], asked(version), own) == first[0]
        assert drift_rows([again], asked(version), strict) == first[1]


def test_a_window_on_its_own_is_a_side_as_counted() -> None:
    version = several(3, [200, 60, 90], 5, weight=0.5)
    cells = list(version.windows.values())
    for index in (0, 1):
        found = Stacked.of(cells).field(index)
        assert len(found) == 3
        for some, chosen in ((found, cells), (found.only([2, 0]), [cells[2], cells[0]])):
            for side, one in zip(some.sides, chosen, strict=True):
                plain = Side.of(one.field(index))
                np.testing.assert_allclose(side.counts, plain.counts)
                np.testing.assert_allclose(side.total, plain.total)
                for name in ("rows", "below", "above", "n", "n_blocks", "mates"):
                    assert getattr(side, name) == pytest.approx(getattr(plain, name)), name


@pytest.mark.parametrize("ordered", [True, False])
def test_windows_are_tested_in_pieces_where_they_are_many(
    ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    # days that follow one another, so that a window's number of them counts
    moved = np.repeat(rng.dirichlet(np.full(6, 5), size=12), 5, axis=0)
    reference = FewBlocks.of(np.array([rng.multinomial(90, one) for one in moved], float), ordered=ordered)
    assert reference.carry(6) > reference.carry(2) > 1
    counts = rng.multinomial(40, np.full(6, 1 / 6), size=30).astype(float)
    counts[7] = 0
    sums = BlockSums.of(counts, np.array([0, 3, 5, 12, 13]))
    assert sums.groups.tolist() == [3, 2, 6, 1, 17]
    whole = reference.p_values(sums)
    monkeypatch.setattr(few_blocks, "_AT_ONCE", 2 * 36)
    assert reference.p_values(sums) == pytest.approx(whole, rel=1e-12)
    one = [reference.p_value(piece) for piece in np.split(counts, [3, 5, 12, 13])]
    assert one == pytest.approx(whole.tolist(), rel=1e-12)
    assert len(set(one)) == 5


def test_windows_that_were_counted_in_another_order_keep_their_own_numbers() -> None:
    version = several(3, [300, 800, 5000], 6)
    turned = replace(version, windows=dict(reversed(version.windows.items())))
    windows = asked(version)[1:]
    for one, other in zip(
        drift_rows([version], windows, Drift()), drift_rows([turned], windows, Drift()), strict=True
    ):
        assert (one.window_start, one.feature, one.n) == (other.window_start, other.feature, other.n)
        assert one.psi == pytest.approx(other.psi, rel=1e-9)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-6)
