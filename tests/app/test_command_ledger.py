"""`assay decide` and `assay decisions`, as a shell calls them."""

from __future__ import annotations

from dataclasses import fields

import orjson
import pytest

from analytics.experiments.ledger import DecisionRow, SinceRow
from app import cli
from tests.app.views.experiment_projects import shop


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("ASSAY_STORE", str(tmp_path / "kept" / "store.sqlite3"))

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(map(str, words)))
        read = capsys.readouterr()
        return ended.value.code, read.out, read.err

    return run


@pytest.fixture
def project(tmp_path):
    return shop(tmp_path / "work" / "shop")


def test_decide_and_look_again(run, project, tmp_path):
    status, out, err = run(
        "decide", project, "new_shop", "--call", "ship", "--by", "Ana", "--note", "It sells."
    )
    assert (status, err) == (0, f"assay: decision 1 is kept in {tmp_path / 'kept' / 'store.sqlite3'}\n")
    assert out.startswith("Ana decided to ship new")
    status, out, _ = run("decisions", project, "new_shop", "--json")
    (record,) = orjson.loads(out)
    assert status == 0
    assert set(record) == {"project", *(field.name for field in fields(DecisionRow))}
    assert (record["project"], record["decision"], record["note"]) == ("shop", "ship", "It sells.")
    status, out, _ = run("decisions", project)
    assert "It sells." in out


def test_decide_answers_with_the_record(run, project):
    _, out, _ = run("decide", project, "new_shop", "--call", "hold", "--by", "Ana", "--json")
    _, listed, _ = run("decisions", project, "new_shop", "--json")
    assert orjson.loads(out) == orjson.loads(listed)


@pytest.mark.parametrize("option", ["--since", "--reproduce"])
def test_then_and_now(run, project, option):
    run("decide", project, "new_shop", "--call", "ship", "--by", "Ana", "--as-of", "2024-03-05")
    status, out, _ = run("decisions", project, "new_shop", option, "--json")
    records = orjson.loads(out)
    assert status == 0
    assert [record["metric"] for record in records] == ["bought", "spent"]
    assert all(set(record) == {"project", *(field.name for field in fields(SinceRow))} for record in records)
    assert {record["changed"] == "same" for record in records} == {option == "--reproduce"}
    assert "bought" in run("decisions", project, option)[1]


def test_corrected(run, project):
    run("decide", project, "new_shop", "--call", "ship", "--by", "Ana")
    run("decide", project, "new_shop", "--call", "hold", "--by", "Ben", "--corrects", 1)
    _, out, _ = run("decisions", project, "--json")
    assert [(r["decision_id"], r["corrects"], r["corrected_by"]) for r in orjson.loads(out)] == [
        (1, None, 2),
        (2, 1, None),
    ]


def test_nothing_was_decided(run, project, tmp_path):
    status, out, err = run("decisions", project, "new_shop", "--json")
    assert (status, orjson.loads(out)) == (0, [])
    assert f"no decision on new_shop is kept in {tmp_path / 'kept'}" in err
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    "words,problem",
    [
        (["new_shop", "--call", "ship", "--by", "Ana", "--corrects", "9"], "there is no decision 9"),
        (["new_shop", "--call", "ship", "--by", " "], "who decided is missing"),
        (["new_shop", "--call", "launch", "--by", "Ana"], "launch"),
        (["new_shop", "--by", "Ana"], "--call"),
        (["new_shop", "--call", "ship"], "--by"),
        (["new_sop", "--call", "ship", "--by", "Ana"], 'did you mean "new_shop"?'),
    ],
)
def test_one_line_says_what_is_wrong(run, project, words, problem):
    status, out, err = run("decide", project, *words)
    assert (status, out) == (2, "")
    assert problem in err
    assert err.count("\n") == 1


def test_an_unknown_name_is_told_the_known_ones(run, project):
    status, _, err = run("decisions", project, "new_sop")
    assert status == 2
    assert 'did you mean "new_shop"?' in err


def test_two_questions_at_once(run, project):
    assert run("decisions", project, "--since", "--reproduce")[0] == 2


def test_in_a_workspace(run, project, tmp_path):
    shop(tmp_path / "work" / "other", name="other")
    status, _, err = run("decide", tmp_path / "work", "new_shop", "--call", "ship", "--by", "Ana")
    assert status == 2
    assert 'several projects declare "new_shop" (other, shop); name one of them' in err
    run("decide", project, "new_shop", "--call", "ship", "--by", "Ana")
    run("decide", tmp_path / "work" / "other", "new_shop", "--call", "stop", "--by", "Ben")
    _, out, _ = run("decisions", tmp_path / "work", "new_shop", "--json")
    assert {(r["project"], r["decision"]) for r in orjson.loads(out)} == {("shop", "ship"), ("other", "stop")}


def test_a_hostile_name_cannot_steer_the_terminal(run, project):
    _, out, _ = run("decide", project, "new_shop", "--call", "ship", "--by", "Ana\x1b[31m", "--note", "=1+1")
    assert "\x1b" not in out + run("decisions", project)[1]


def test_a_store_that_cannot_be_written(run, project, monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_STORE", str(tmp_path))
    status, _, err = run("decide", project, "new_shop", "--call", "ship", "--by", "Ana")
    assert status == 2
    assert "set ASSAY_STORE" in err
