"""`assay row`, `neighbours`, `map`, `pin`, `unpin`, `regression`, and the kinds of `assay examples`."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from app.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two versions on the same requests; names that look like formulas."""
    path = tmp_path_factory.mktemp("rows")
    n = 240
    draw = np.random.default_rng(4)
    size = draw.normal(size=n)
    rows = pd.DataFrame({
        "id": [f"a{place}" for place in range(n)], "request": [f"q{place}" for place in range(n)],
        "at": pd.date_range("2024-01-01", periods=n, freq="1h", tz="UTC"), "size": size, "version": "=a",
        "user": [f"u{place % 10}" for place in range(n)], "score": 1 / (1 + np.exp(-size)),
        "label": (draw.random(n) < 0.5).astype(int),
    })  # fmt: skip
    both = pd.concat([rows, rows.assign(id="b" + rows["id"], version="b", score=1 - rows["score"])])
    both.assign(decision=(both["score"] >= 0.5).astype(int)).to_parquet(path / "rows.parquet", index=False)
    (path / "assay.toml").write_text(
        'name = "pairs"\n[predictions]\npath = "rows.parquet"\ntask = "binary"\nid = "id"\ntimestamp = "at"\n'
        'score = "score"\ndecision = "decision"\nlabel = "label"\nversion = "version"\nrequest = "request"\n'
        'unit = "user"\nfeatures = ["size"]\n[reference]\nstart = 2024-01-01\nend = 2024-01-06\n'
    )
    return path


@pytest.fixture
def ask(capsys, folder):
    def asked(command, *words, status=0):
        with pytest.raises(SystemExit) as ended:
            main([command, str(folder), *map(str, words)])
        said = capsys.readouterr()
        assert ended.value.code == status, said.err
        return said

    return asked


def test_rows_of_every_part(ask):
    features = json.loads(ask("row", "a7", "--json").out)
    assert [row["feature"] for row in features] == ["size"]
    versions = json.loads(ask("row", "a7", "--show", "versions", "--json").out)
    assert [row["version"] for row in versions] == ["=a", "b"]
    history = json.loads(ask("row", "a7", "--show", "history", "--json").out)
    assert {row["user"] for row in history} == {"u7"}
    assert "size" in ask("row", "a7").out


def test_neighbours_and_map(ask):
    near = json.loads(ask("neighbours", "a7", "-k", 4, "--json").out)
    assert [row["rank"] for row in near] == [1, 2, 3, 4]
    assert "differs" in ask("neighbours", "a7", "-k", 2).out
    points = json.loads(ask("map", "--points", "--version", "b", "--json").out)
    assert len(points) == 240
    assert json.loads(ask("map", "--version", "b", "--json").out)[0]["cluster"] == 1


def test_pinned_rows_and_pass_rates(ask):
    kept = ask("pin", "a7", "--set", "mine", "--by", "ana", "--json")
    assert {row["version"] for row in json.loads(kept.out)} == {"=a", "b"}
    assert "is kept in" in kept.err
    rates = json.loads(ask("regression", "--set", "mine", "--json").out)
    assert sorted(row["n_passed"] for row in rates) == [0, 1]
    rows = json.loads(ask("regression", "--rows", "--json").out)
    ask("unpin", rows[0]["pinned_id"], "--by", "ana")
    assert json.loads(ask("regression", "--json").out) == []


def test_diverse_rows_of_every_kind(ask):
    for kind in ("disagreeing", "suspected-labels", "unlike"):
        found = json.loads(ask("examples", "--kind", kind, "-k", 3, "--diverse", "--json").out)
        assert all(
            {"problem", "problem_share", "usual_share", "suggested_label"} <= set(row) for row in found
        )


@pytest.mark.parametrize(
    "words", [("row", "nobody"), ("neighbours", "nobody"), ("map", "--of", "nothing"), ("unpin", "x", "--by", "a"),
              ("regression", "--set", "nothing"), ("examples", "--diverse", "-k", 501)],
)  # fmt: skip
def test_one_clear_line_and_status_2(ask, words):
    assert ask(*words, status=2).err.count("\n") == 1
