"""`assay plan` and its sisters: records, tables, and one line for what makes no sense."""

from __future__ import annotations

from dataclasses import fields

import orjson
import pytest

from analytics.experiments.plan_rows import PlanDayRow, PlanHorizonRow, PlanRow, PlanTrafficRow
from analytics.workbench import open_workbench
from app import cli, locations
from tests.app.views.experiment_projects import shop

SHOP = locations.sample_logs() / "shop"


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*words, width=160):
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            cli.main([*map(str, words)])
        read = capsys.readouterr()
        return ended.value.code, read.out, read.err

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("plan") / "shop")


@pytest.mark.parametrize(
    "command, row",
    [
        ("plan", PlanRow),
        ("plan-days", PlanDayRow),
        ("plan-horizons", PlanHorizonRow),
        ("plan-traffic", PlanTrafficRow),
    ],
)
def test_records_are_what_python_gives(run, folder, command, row):
    status, out, _ = run(command, folder, "spent", "--json")
    assert status == 0
    records = orjson.loads(out)
    assert list(records[0]) == ["project", *(field.name for field in fields(row))]
    with _open(folder) as bench:
        found = getattr(bench, command.replace("-", "_"))("spent").to_records()
    # sums of several threads differ in their last digits
    assert rounded(
        [{key: value for key, value in record.items() if key != "project"} for record in records]
    ) == (rounded(orjson.loads(orjson.dumps(found))))


def rounded(records):
    return [
        {key: float(f"{value:.8g}") if isinstance(value, float) else value for key, value in record.items()}
        for record in records
    ]


def _open(folder):
    from contextlib import closing

    return closing(open_workbench(folder))


@pytest.mark.parametrize("width", [60, 100, 160])
def test_tables_fit_the_terminal_and_the_sentence_goes_to_standard_error(run, folder, width):
    status, out, err = run("plan", folder, width=width)
    assert status == 0
    lines = [line for line in out.splitlines() if not line.startswith("not shown")]
    assert max(map(len, lines)) <= width
    assert "shop: " in err


def test_options_change_the_question(run, folder):
    _, out, _ = run(
        "plan", folder, "bought", "--lift", "20%", "--power", "90%", "--shares", "9:1", "--within", "10", "--traffic",
        "50%", "--looks", "3", "--boundary", "pocock", "--one-sided", "--json",
    )  # fmt: skip
    rows = {row["stopping"]: row for row in orjson.loads(out)}
    assert {row["lift"] for row in rows.values()} == {0.2}
    assert rows["group-sequential"]["looks"] == 3
    assert rows["group-sequential"]["boundary"] == "pocock"
    assert {(row["power"], row["within"], row["one_sided"], row["shares"]) for row in rows.values()} == {
        (0.9, 10, True, "0.9, 0.1")
    }


def test_a_name_alone_is_sought_in_the_samples(run):
    status, out, _ = run("plan", "answer_time", "--json")
    assert status == 0
    assert {row["project"] for row in orjson.loads(out)} == {"Simulated shop"}


def test_the_simulated_shop_is_planned(run):
    status, out, err = run("plan", SHOP, "new_ranker", "--json")
    assert status == 0
    rows = orjson.loads(out)
    assert {row["experiment"] for row in rows} == {"new_ranker"}
    assert {row["goal"] for row in rows if row["role"] == "guardrail"} == {"non-inferiority"}
    assert "Simulated shop: " in err


@pytest.mark.parametrize(
    "words, message",
    [
        (("spnt",), 'did you mean "spent"'),
        (("spent", "--lift", "1", "--difference", "2"), "not both"),
        (("spent", "--within", "0"), "1 to 182"),
        (("spent", "--looks", "0"), "--looks"),
        (("spent", "--boundary", "wide"), "wide"),
        (("spent", "more"), "found 3 words"),
    ],
)
def test_nonsense_is_one_line_and_status_2(run, folder, words, message):
    status, out, err = run("plan", folder, *words)
    assert (status, out) == (2, "")
    assert message in err
