from __future__ import annotations

import numpy as np
import pytest

from analytics.examples.diverse import choose
from analytics.examples.marks import learn

N = 4_000


def world(seed: int = 0):
    draw = np.random.default_rng(seed)
    return {
        "x": draw.normal(size=N), "y": draw.normal(size=N),
        "kind": draw.choice(list("abcdefgh"), N).tolist(), "site": draw.choice(list("uvwxyz"), N).tolist(),
    }, draw  # fmt: skip


def flags_of(columns, chosen):
    marks = learn(columns)
    return marks, marks.of(columns)[chosen], marks.of(columns)


def test_every_planted_problem_gets_a_row_where_the_first_rows_share_one():
    columns, draw = world()
    kind, site = np.array(columns["kind"]), np.array(columns["site"])
    problems = [kind == "a", kind == "b", site == "u", site == "v", columns["x"] > 1.6]
    loss = draw.random(N)
    for size, rows in enumerate(problems):
        loss[rows & (draw.random(N) < 0.15)] += 1 + (size == 0)
    order = np.argsort(-loss)[:400]
    marks, candidates, everything = flags_of(columns, order)
    chosen = choose(candidates, everything, 10, marks.kin)
    covered = {number for number, rows in enumerate(problems) for one in chosen if rows[order[one.place]]}
    assert covered == {0, 1, 2, 3, 4}
    named = {marks.names[one.slice] for one in chosen if one.slice is not None}
    assert {"kind=a", "kind=b", "site=u", "site=v"} <= named
    assert any(name.startswith("x=[") for name in named)
    # nearly all of the first by loss are of the costliest problem
    assert (kind[order[:20]] == "a").mean() >= 0.85


def test_where_candidates_are_drawn_at_random_no_slice_is_named():
    named = 0
    for seed in range(30):
        columns, draw = world(seed)
        _, candidates, everything = flags_of(columns, draw.permutation(N)[:400])
        named += any(one.slice is not None for one in choose(candidates, everything, 5))
    assert named <= 2


@pytest.mark.parametrize("k", [1, 7, 50])
def test_as_many_as_wanted_and_none_twice(k):
    columns, draw = world()
    _, candidates, everything = flags_of(columns, draw.permutation(N)[:40])
    places = [one.place for one in choose(candidates, everything, k)]
    assert len(places) == min(k, 40) == len(set(places))


def test_no_rows_no_slices():
    assert choose(np.zeros((0, 4), dtype=bool), np.zeros((0, 4), dtype=bool), 5) == []
    assert [one.place for one in choose(np.zeros((3, 0), dtype=bool), np.zeros((9, 0), dtype=bool), 2)] == [
        0,
        1,
    ]


def test_slices_are_named_as_where_reads_them():
    marks = learn({"x": np.array([1.0] * 50 + [np.nan, np.inf]), "kind": ["a"] * 40 + [None] * 12})
    assert marks.names == ("x=(-inf, inf)", "x=", "kind=a", "kind=")
    assert marks.of({"x": np.array([np.nan, 5.0, np.inf]), "kind": [None, "a", "new"]}).tolist() == [
        [False, True, False, True], [True, False, True, False], [True, False, False, False],
    ]  # fmt: skip


def test_a_million_categories_are_few_slices():
    columns = {"id": [str(place) for place in range(20_000)]}
    assert learn(columns).names == ()
