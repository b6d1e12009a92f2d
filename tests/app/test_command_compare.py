"""`assay compare-counts` and `compare-means`: numbers typed by hand to a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import orjson
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from analytics.experiments.rows import ExperimentRow
from app import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(line: str, width: int = 150) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            cli.main(line.split())
        read = capsys.readouterr()
        return ended.value.code, read.out, read.err

    return run


def records(run: Run, line: str) -> list[dict[str, object]]:
    status, out, _ = run(f"{line} --json")
    assert (status, out.count("\n")) == (0, 1)
    found: list[dict[str, object]] = orjson.loads(out)
    assert all(list(row) == [field.name for field in fields(ExperimentRow)] for row in found)
    return found


def test_counts_are_statsmodels_numbers(run):
    arm, control = records(run, "compare-counts 462/3568 378/3662")
    _, p = proportions_ztest([462, 378], [3568, 3662])
    # the score test has the factor (N - 1)/N that the pooled z test lacks
    assert arm["p_value"] == pytest.approx(p, rel=2e-3)
    assert 0 < arm["ci_low"] < arm["difference"] < arm["ci_high"]
    assert (arm["variant"], arm["control"], arm["n"], arm["n_control"]) == ("A", "B", 3568, 3662)
    assert (arm["badge"], arm["test"], arm["experiment"]) == ("better", "score", None)
    assert (control["variant"], control["control"], control["n"]) == ("B", "B", 3662)


def test_means_are_scipys_numbers(run):
    arm, _ = records(run, "compare-means 11.2,3.1,2158 10.9,2.8,10")
    t = stats.ttest_ind_from_stats(11.2, 3.1, 2158, 10.9, 2.8, 10, equal_var=False)
    assert (arm["statistic"], arm["p_value"]) == (pytest.approx(t.statistic), pytest.approx(t.pvalue))
    assert arm["df"] == pytest.approx(9.103, abs=5e-4)
    assert "10 units" in arm["warnings"]


def test_the_control_has_its_own_record_and_nothing_that_is_compared(run):
    for line in ("compare-counts 462/3568 378/3662", "compare-means 11.2,3.1,2158 10.9,2.8,10"):
        _, control = records(run, line)
        assert control["status"] == "ok"
        assert control["mean"] == control["mean_control"] != None  # noqa: E711
        compared = (
            "difference", "standard_error", "statistic", "df", "ci_low", "ci_high", "p_value", "p_adjusted",
            "ci_adjusted_low", "ci_adjusted_high", "lift", "lift_ci_low", "lift_ci_high", "lift_ci_adjusted_low",
            "lift_ci_adjusted_high", "chance_to_beat", "permutation_p_value", "badge", "warnings", "reason",
        )  # fmt: skip
        assert {control[name] for name in compared} == {None}
        assert {"kind", "metric", "direction", "test", "n", "n_control"} <= {
            name for name, value in control.items() if value is not None
        }


def test_arms_stay_in_the_order_typed_whichever_is_the_control(run):
    line = "compare-counts new=462/3568 old=378/3662 mid=430/3600"
    last = records(run, line)
    assert [row["variant"] for row in last] == ["new", "old", "mid"]
    assert {row["control"] for row in last} == {"mid"}
    named = records(run, f"{line} --control old")
    assert [row["variant"] for row in named] == ["new", "old", "mid"]
    assert [row["difference"] is None for row in named] == [False, True, False]
    # two comparisons, so the smaller p counts twice
    assert named[0]["p_adjusted"] == pytest.approx(2 * named[0]["p_value"])
    assert named[0]["ci_adjusted_low"] < named[0]["ci_low"]


def test_names_may_hold_an_equals_sign_and_letters_follow_the_place(run):
    assert [row["variant"] for row in records(run, "compare-counts a=b=1/20 3/20 4/20")] == ["a=b", "B", "C"]


def test_swapping_the_arms_negates(run):
    one, _ = records(run, "compare-means x=11.2,3.1,200 y=10.9,2.8,100")
    _, other = records(run, "compare-means x=11.2,3.1,200 y=10.9,2.8,100 --control x")
    assert other["difference"] == -one["difference"]
    assert other["p_value"] == one["p_value"]
    assert (other["ci_low"], other["ci_high"]) == (-one["ci_high"], -one["ci_low"])


def test_less_may_be_better(run):
    arm, _ = records(run, "compare-counts 462/3568 378/3662 --down")
    up, _ = records(run, "compare-counts 462/3568 378/3662")
    assert (arm["direction"], arm["badge"]) == ("down", "worse")
    assert arm["chance_to_beat"] == pytest.approx(1 - up["chance_to_beat"])


def test_confidence_and_alpha_are_one_option(run):
    one = records(run, "compare-counts 462/3568 378/3662 --confidence 0.9")
    assert one == records(run, "compare-counts 462/3568 378/3662 --alpha 10%")
    assert one[0]["confidence"] == 0.9
    wide, _ = records(run, "compare-counts 462/3568 378/3662")
    assert wide["ci_low"] < one[0]["ci_low"] < one[0]["ci_high"] < wide["ci_high"]


def test_shares_test_the_split_and_a_broken_one_has_no_winner(run):
    *_, split = records(run, "compare-counts 462/3568 378/3662 --shares 50:50")
    assert (split["metric"], split["variant"]) == ("srm", None)
    assert split["p_value"] == pytest.approx(stats.chisquare([3568, 3662]).pvalue)
    assert [row["metric"] for row in records(run, "compare-counts 462/3568 378/3662")] == ["conversion"] * 2
    _, out, _ = run("compare-counts 462/3568 378/3662 --shares 2:1")
    assert out.startswith("No verdict")
    assert "split: 7,230 in all" in out


def test_the_verdict_comes_first_and_on_standard_error_with_json(run):
    sentence = "wins on conversion: 12.9% against 10.3%, +25.4% (10.4% to 42.6%), p = .00049."
    status, out, err = run("compare-counts new=462/3568 old=378/3662")
    assert status == 0
    assert out.splitlines()[0].endswith(sentence)
    assert "+2.6 pp" in out
    assert "+10.4% to +42.6%" in out
    assert "One comparison" in err
    _, out, err = run("compare-counts new=462/3568 old=378/3662 --json")
    assert err.splitlines()[-1].endswith(sentence)
    assert out.startswith("[{")


@pytest.mark.parametrize("width", [80, 120, 150])
@pytest.mark.parametrize(
    "line",
    [
        "compare-counts new=462/3568 mid=430/3600 old=378/3662 --control old",
        "compare-means 11.2,3.1,2158 0,2.8,10",
    ],
)
def test_tables_fit_the_terminal_and_keep_what_decides(run, line, width):
    _, out, _ = run(line, width)
    table = out.split("\n\n")[1].splitlines()
    assert max(len(row) for row in table if not row.startswith("not shown")) <= width
    assert ("12.9%" in out and "p adjusted" in out) or ("difference interval" in out and "no lift" in out)


def test_doubts_and_reasons_stand_in_full_under_the_table(run):
    _, out, _ = run("compare-means 11.2,3.1,2158 10.9,2.8,10", 80)
    assert out.rstrip().endswith("A: only 10 units in B: the interval holds its 95% only roughly")
    status, out, _ = run("compare-counts 0/10 0/20")
    assert status == 0
    assert "A: no unit of either arm has it" in out


@pytest.mark.parametrize(
    "line",
    [
        "compare-counts 0/10 0/20",
        "compare-counts 10/10 20/20",
        "compare-means 5,0,10 5,0,10",
        "compare-means 5,2,1 4,2,10",
    ],
)
def test_what_cannot_be_tested_is_null_with_a_reason_never_p_1(run, line):
    arm, control = records(run, line)
    assert arm["status"] in {"undefined", "too_few"}
    assert arm["reason"]
    assert (arm["p_value"], arm["ci_low"], arm["lift"], arm["badge"]) == (None,) * 4
    assert arm["mean"] is not None
    assert control["status"] == "ok"


COUNTS = "write CONVERSIONS/VISITORS"
MEANS = "write MEAN,SD,N"


@pytest.mark.parametrize(
    "line, message",
    [
        ("compare-counts", "Missing argument"),
        ("compare-counts 462/3568", "one arm alone"),
        ("compare-counts 0/0 1/2", "A has 0 visitors"),
        ("compare-counts 5/3 1/2", "A has more conversions than visitors, 5 of 3"),
        ("compare-counts text 1/2", '"text" is not CONVERSIONS/VISITORS'),
        ("compare-counts 1/2/3 1/2", '"1/2/3" is not CONVERSIONS/VISITORS'),
        ("compare-counts /2 1/2", '"" is not a whole number'),
        ("compare-counts nan/10 1/2", f'A: "nan" is not a whole number; {COUNTS}'),
        ("compare-counts 1/inf 1/2", f'A: "inf" is not a whole number; {COUNTS}'),
        ("compare-counts -1/10 1/2", f'A: "-1" is not a whole number; {COUNTS}'),
        ("compare-counts 1/-10 1/2", '"-10" is not a whole number'),
        ("compare-counts 1.5/10 1/2", '"1.5" is not a whole number'),
        ("compare-counts 1/1e18 1/2", '"1e18" is not a whole number'),
        ("compare-counts 1/1000000000000000000 1/2", "1000000000000000000 is more than 1,000,000,000,000"),
        (f"compare-counts 1/{'9' * 5000} 1/2", "… is more than"),
        ("compare-counts x=1/2 x=1/3", 'two arms are called "x"'),
        ("compare-counts B=1/2 1/3", 'two arms are called "B"'),
        ("compare-counts =1/2 1/3", "1 to 60 letters"),
        (f"compare-counts {'x' * 61}=1/2 1/3", "1 to 60 letters"),
        (f"compare-counts {'1/2 ' * 101}", "101 arms are too many"),
        ("compare-counts 1/2 3/4 --control C", '"C" is none of the arms: A, B'),
        ("compare-counts 1/2 3/4 --contrl A", "No such option"),
        ("compare-counts 1/2 3/4 --alpha 2", "--alpha: 2 must lie between 0 and 1"),
        ("compare-counts 1/2 3/4 --confidence 95", "--confidence: 95 must lie"),
        ("compare-counts 1/2 3/4 --confidence nan", '"nan" is not a finite number'),
        ("compare-counts 1/2 3/4 --confidence 0.9 --alpha 0.1", "either --alpha or --confidence"),
        ("compare-counts 1/2 3/4 --shares 1", "1 shares for 2 arms"),
        ("compare-counts 1/2 3/4 --shares 1:x", '"x" is not a finite number'),
        ("compare-counts 1/2 3/4 --shares 1:-1", "not above 0"),
        ("compare-means 11.2,3.1,2158", "one arm alone"),
        ("compare-means 1,2 1,2,3", '"1,2" is not MEAN,SD,N'),
        ("compare-means x,2,3 1,2,3", f'A: "x" is not a finite number; {MEANS}'),
        ("compare-means nan,2,3 1,2,3", '"nan" is not a finite number'),
        ("compare-means 1,inf,3 1,2,3", '"inf" is not a finite number'),
        ("compare-means 1,-2,3 1,2,3", "A has a negative standard deviation, -2"),
        ("compare-means 1,2,0 1,2,3", "A has 0 units"),
        ("compare-means 1,2,-3 1,2,3", '"-3" is not a whole number'),
        ("compare-means 1,2,2.5 1,2,3", '"2.5" is not a whole number'),
        ("compare-means 1,2,1000000000000000000 1,2,3", "is more than 1,000,000,000,000"),
        ("compare-means 1e99,2,10 1,2,3", "beyond 1e+50"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", ["", " --json"])
def test_nonsense_is_one_line_and_status_2(run, line, message, more):
    status, out, err = run(line + more)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize(
    "line",
    [
        "compare-counts 1/1000000000000 0/1000000000000",
        "compare-counts 1/2 1/1000000000000",
        "compare-counts 1000000000000/1000000000000 999999999999/1000000000000",
        "compare-means 1e50,1e50,2 -1e50,1e50,1000000000000",
        "compare-means 1e-50,1e-50,20 0,1e-50,20",
        "compare-means 1e18,1,100 1e18,1,100",
        "compare-means 1,1e-200,100 2,1e50,100",
    ],
)
def test_extreme_numbers_end_in_finite_records(run, line):
    arm, _ = records(run, line)
    assert arm["status"] in {"ok", "undefined", "too_few"}
    assert arm["status"] == "ok" or arm["reason"]


def test_a_negative_mean_is_no_option(run):
    arm, _ = records(run, "compare-means -11.2,3.1,200 -10.9,2.8,100")
    assert (arm["mean"], arm["mean_control"]) == (-11.2, -10.9)
    # relative to the size of the control's mean
    assert arm["lift"] == pytest.approx(-0.3 / 10.9)


def test_a_name_cannot_steer_the_terminal(run, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        cli.main(["compare-counts", "\x1b[31mred=462/3568", "b=378/3662"])
    assert "\x1b" not in capsys.readouterr().out
