from __future__ import annotations

import numpy as np
import pytest

from analytics.errors import ScopeError
from analytics.examples import points
from analytics.examples.marks import learn


def test_planted_clusters_are_found_and_named():
    draw = np.random.default_rng(4)
    n = 1500
    kind = draw.choice(list("abcd"), n)
    x = draw.normal(size=n)
    loss = draw.random(n) * 0.1
    here, there = (kind == "a") & (x > 0.5), x < -1.4
    loss[here] += 5
    loss[there] += 4
    space = np.column_stack([x * 3, (kind == "a") * 3.0])
    costly = points.costly_rows(loss)
    assert costly.mean() == pytest.approx(0.2, abs=0.001)
    region = points.regions(space, costly)
    marks, columns = learn({"kind": kind.tolist(), "x": x}), {"kind": kind.tolist(), "x": x}
    named = [
        {one.text for one in points.in_common(costly & (region == cluster), marks, columns)}
        for cluster in range(region.max() + 1)
    ]
    assert any("kind=a" in one for one in named)
    assert any(text.startswith("x=(-inf") for one in named for text in one)


def test_the_share_costly_lies_in_its_interval_and_days_widen_it():
    draw = np.random.default_rng(5)
    day = np.repeat(np.arange(30), 40)
    costly = draw.random(1200) < np.where(draw.random(30) < 0.3, 0.6, 0.02)[day]
    share, low, high, independence = points.share_costly(costly, day, None, 0.95)
    assert low < share < high
    assert independence == "blocks"
    _, low_rows, high_rows, _ = points.share_costly(costly, np.zeros(1200, dtype=np.int64), None, 0.95)
    assert high - low > 2 * (high_rows - low_rows)


@pytest.mark.parametrize("loss", [np.full(50, np.nan), np.full(50, 1.0), np.zeros(0)])
def test_no_loss_no_errors(loss):
    costly = points.costly_rows(loss)
    assert not costly.any()
    assert (points.regions(np.zeros((len(loss), 2)), costly) == -1).all()


def test_umap_that_is_not_installed_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    with pytest.raises(ScopeError, match="pip install"):
        points.places(np.random.default_rng(1).normal(size=(40, 3)), "umap")
