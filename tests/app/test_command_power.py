"""`assay power`: the sentence, the record, and one line for every question that makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import orjson
import pytest

from analytics.experiments.power import power_of
from analytics.experiments.rows import PowerRow
from app import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(line: str, width: int = 120) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            cli.main(["power", *line.split()])
        read = capsys.readouterr()
        return ended.value.code, read.out, read.err

    return run


def record(run: Run, line: str) -> dict[str, object]:
    status, out, err = run(f"{line} --json")
    assert (status, err, out.count("\n")) == (0, "", 1)
    (found,) = orjson.loads(out)
    return found


def test_the_sentence_comes_first_then_a_table_and_what_was_assumed(run):
    status, out, err = run("proportion --baseline 0.10 --lift 0.10 --daily-units 2000")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0] == (
        "To see 10.0% become 11.0% (+10% of it) with 80% power at alpha .05, two-sided, you need 14,751 units in "
        "each of 2 arms, 29,502 in all: 15 days at 2,000 units a day."
    )
    assert lines[2] == "plan · proportion"
    assert lines[5].split() == ["14,751", "29,502", "+1", "pp", "+10%", "80%", "15", "0.05"]
    assert lines[-1].startswith("Assumed: Two-sided normal approximation without continuity correction")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_the_terminal(run, width):
    _, out, _ = run("proportion --baseline 0.10 --n 5000 --shares 5:3:2", width)
    table = out.split("\n\n")[1].splitlines()
    assert max(len(line) for line in table if not line.startswith("not shown")) <= width
    assert "5,000" in out


def test_the_record_is_what_python_gives(run):
    found = record(
        run, "mean --baseline 11.2 --sd 3.1 --lift 5% --alpha .01 --power 90% --shares 2,1,1 --one-sided"
    )
    row = power_of(
        "mean",
        baseline=11.2,
        standard_deviation=3.1,
        lift=0.05,
        alpha=0.01,
        power=0.9,
        shares=[2, 1, 1],
        one_sided=True,
    )
    assert list(found) == [field.name for field in fields(PowerRow)]
    assert found == {name: getattr(row, name) for name in found}
    assert (found["variants"], found["one_sided"], found["alpha_per_comparison"]) == (3, True, 0.005)


def test_units_give_the_effect_and_both_give_the_power(run):
    effect = record(run, "proportion --baseline 0.1 --n 14,751")
    assert (effect["solved_for"], effect["power"]) == ("effect", 0.8)
    assert effect["mde_absolute"] == pytest.approx(0.01, rel=1e-4)
    fall = record(run, "proportion --baseline 0.1 --n 14751 --down")
    assert -0.01 < fall["mde_absolute"] < -0.009
    power = record(run, "proportion --baseline 0.1 --n 14751 --difference 0.01")
    assert (power["solved_for"], power["power"]) == ("power", pytest.approx(0.8, abs=1e-4))


def test_a_negative_difference_is_not_taken_for_an_option(run):
    assert record(run, "mean --baseline -3 --sd 2 --difference -0.5")["mde_absolute"] == -0.5
    assert record(run, "proportion --baseline 0.2 --lift -10%")["mde_absolute"] == pytest.approx(-0.02)


def test_correction_can_be_switched_off(run):
    plain = record(run, "proportion --baseline 0.1 --lift 0.1")
    loose = record(run, "proportion --baseline 0.1 --lift 0.1 --variants 3 --no-correction")
    holm = record(run, "proportion --baseline 0.1 --lift 0.1 --variants 3")
    assert plain["n_per_variant"] == loose["n_per_variant"] < holm["n_per_variant"]
    assert (holm["correction"], loose["correction"]) == ("holm", "none")


def test_kinds_without_a_deviation(run):
    assert record(run, "count --baseline 4 --lift 10%")["standard_deviation"] == 2.0
    assert record(run, "ratio --baseline 0.3 --sd 0.8 --lift 10%")["standard_deviation"] == 0.8


def test_no_answer_is_an_answer_and_says_why(run):
    status, out, err = run("proportion --baseline 0.999 --n 50")
    assert (status, err) == (0, "")
    assert out.startswith("No rise from 99.9% can be seen with so few units")
    found = record(run, "proportion --baseline 0.3 --difference 1e-9")
    assert (found["status"], found["n_total"]) == ("undefined", None)
    assert "no sample is enough" in found["reason"]


@pytest.mark.parametrize(
    "line, message",
    [
        ("", "Missing argument"),
        ("median --baseline 1 --lift 1", "is not one of"),
        ("proportion --lift 0.1", "Missing option '--baseline'"),
        ("proportion --baseline 0.1", "which effect"),
        ("proportion --baseline text --lift 0.1", '"text" is not a finite number; write one such as 0.1 or 10%'),
        ("proportion --baseline nan --lift 0.1", '"nan" is not a finite number'),
        ("proportion --baseline 0.1 --lift inf", '"inf" is not a finite number'),
        ("proportion --baseline 0.1 --lift 1e999", '"1e999" is too large'),
        ("proportion --baseline -0.1 --lift 0.1", "between 0 and 1"),
        ("proportion --baseline 10 --lift 0.1", "write 0.1 for 10 %"),
        ("proportion --baseline 0.9 --lift 0.2", "but a proportion lies between 0 and 1"),
        ("proportion --baseline 0.1 --lift 0", "difference of 0"),
        ("proportion --baseline 0.1 --lift 0.1 --difference 0.1", "not both"),
        ("proportion --baseline 0.1 --lift 0.1 --sd 2", "takes no standard deviation"),
        ("proportion --baseline 0.1 --lift 0.1 --alpha 5", "alpha 5 must lie"),
        ("proportion --baseline 0.1 --lift 0.1 --power 0.01", "power 0.01 must lie"),
        ("proportion --baseline 0.1 --lift 0.1 --variants 1", "there must be 2 to 100"),
        ("proportion --baseline 0.1 --lift 0.1 --variants two", "not a valid integer"),
        ("proportion --baseline 0.1 --lift 0.1 --shares 1,0", "not above 0"),
        ("proportion --baseline 0.1 --lift 0.1 --shares 1;1", "is not a finite number; write one such as 0.5,0.3"),
        ("proportion --baseline 0.1 --lift 0.1 --shares 1,1 --variants 3", "2 shares for 3 variants"),
        ("proportion --baseline 0.1 --lift 0.1 --daily-units 0", "units a day"),
        ("proportion --baseline 0.1 --lift 0.1 --down", "a fall is a negative --lift"),
        ("proportion --baseline 0.1 --lift 0.1 --n 100 --power 0.8", "leave --power out"),
        ("proportion --baseline 0.1 --n 1", "at least 2"),
        ("proportion --baseline 0.1 --n 0", "at least 2"),
        ("proportion --baseline 0.1 --n -5", '"-5" is not a whole number'),
        ("proportion --baseline 0.1 --n 2.5", '"2.5" is not a whole number'),
        ("proportion --baseline 0.1 --n 1e18", '"1e18" is not a whole number'),
        ("proportion --baseline 0.1 --n 1000000000000000000", "is more than 1,000,000,000,000"),
        ("mean --baseline 1 --lift 0.1", "needs the standard deviation"),
        ("mean --baseline 1 --lift 0.1 --sd -1", "standard deviation -1 must"),
        ("mean --baseline 0 --sd 1 --lift 0.1", "give a difference"),
        ("count --baseline -1 --lift 0.1", "must not be negative"),
        ("proportion --baseline 0.1 --lift 0.1 --onesided", "No such option"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", ["", " --json"])
def test_nonsense_is_one_line_and_status_2(run, line, message, more):
    status, out, err = run(line + more)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_huge_numbers_are_planned_or_refused_without_a_traceback(run):
    assert record(run, "mean --baseline 1e18 --sd 1e18 --difference 1e18")["n_per_variant"] == 16
    assert record(run, "mean --baseline 1 --sd 1e18 --difference 1e-18")["status"] == "undefined"
    assert record(run, "mean --baseline 1 --sd 1e307 --n 2")["status"] in {"ok", "undefined"}


def test_help_names_the_options(run):
    status, out, _ = run("--help")
    assert status == 0
    for option in (
        "--baseline",
        "--difference",
        "--lift",
        "--sd",
        "--shares",
        "--one-sided",
        "--daily-units",
    ):
        assert option in out
