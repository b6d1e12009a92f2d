"""`compare-rates`, `--method`, `experiment-methods`, `experiment-distribution`: what they print."""

from __future__ import annotations

import json

import pytest
from scipy import stats

from app.cli import main


@pytest.fixture
def run(capsys):
    """Run a command line; exit status, standard output and standard error."""

    def answer(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return answer


def records(run, *words):
    status, out, _ = run(*words, "--json")
    assert status == 0
    return json.loads(out)


def test_rates_are_compared_by_their_score(run):
    status, out, err = run("compare-rates", "new=60/51477.5", "old=30/54308.7", "--down")
    assert status == 0
    assert out.startswith("new loses on rate: 0.00117 against 0.000552, +111% (36.6% to 225.9%), p = .00063.")
    assert "One comparison" in err
    row, control = records(run, "compare-rates", "new=60/51477.5", "old=30/54308.7", "--down")
    assert (row["test"], row["n"], row["badge"]) == ("score of rates", 60, "worse")
    assert (control["variant"], control["difference"], control["mean"]) == ("old", None, 30 / 54308.7)


def test_other_methods_follow_and_are_said_not_to_be_corrected(run):
    words = ("compare-rates", "0/100", "3/100", "--method", "e-test", "--method", "poisson-exact")
    status, out, err = run(*words)
    assert status == 0
    assert "Not corrected, and no part of the verdict: e-test, poisson-exact." in err
    found = {row["method"]: row for row in records(run, *words)}
    assert found["e-test"]["p_value"] == pytest.approx(stats.poisson_means_test(0, 100, 3, 100).pvalue)
    assert found["e-test"]["lift_ci_low"] is None
    assert found["poisson-exact"]["p_value"] == 0.25
    assert found["e-test"]["p_adjusted"] is None
    assert "e-test" in out


@pytest.mark.parametrize(
    "words,message",
    [
        (("compare-rates", "1/0", "2/3"), "an exposure of 0"),
        (("compare-rates", "1", "2/3"), "is not EVENTS/EXPOSURE"),
        (("compare-rates", "1.5/3", "2/3"), "not a whole number"),
        (("compare-counts", "1/3", "2/3", "--method", "fischer"), 'did you mean "fisher"'),
        (("compare-means", "1,1,9", "2,1,9", "--method", "nothing"), "there is no method"),
        (("experiment-methods", "no_such_thing"), "there is no experiment"),
    ],
)
def test_wrong_input_is_one_line(run, words, message):
    status, out, err = run(*words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_method_for_another_kind_says_which_ones_fit(run):
    found = records(
        run, "compare-means", "1,1,90", "2,1,90", "--method", "fisher", "--method", "mann-whitney"
    )
    fisher, whitney = found[-2:]
    assert fisher["status"] == whitney["status"] == "undefined"
    assert "ask for welch" in fisher["reason"]
    assert "single units" in whitney["reason"]
    assert fisher["p_value"] is None


def test_chi_squared_over_arms_is_one_record(run):
    found = records(run, "compare-counts", "30/100", "20/100", "50/100", "--method", "chi-squared")
    over = found[-1]
    expected = stats.chi2_contingency([[30, 20, 50], [70, 80, 50]], correction=False)
    assert (over["variant"], over["n"], over["df"]) == (None, 300, 2)
    assert over["p_value"] == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(
    "kind,default", [("mean", "welch"), ("retention", "score"), ("quantile", "quantile")]
)
def test_methods_of_a_kind_need_no_logs(run, kind, default):
    status, out, _ = run("experiment-methods", kind)
    assert status == 0
    assert out.startswith(f"Default: {default}. ")
    found = records(run, "experiment-methods", kind)
    assert (found[0]["method"], found[0]["is_default"]) == (default, True)
    assert all(row["when"] for row in found)


def test_methods_and_distribution_of_a_sample_experiment(run):
    name = "gbm_against_logistic"
    found = records(run, "experiment-methods", name)
    assert {row["project"] for row in found}
    assert any(row["is_default"] for row in found)
    metric = next(row["metric"] for row in found if row["kind"] in {"mean", "ratio"})
    status, out, err = run("experiment-distribution", name, "--metric", metric)
    assert status == 0
    assert f"{metric}: " in err
    assert "quantile" in out
    steps = records(run, "experiment-distribution", name, "--metric", metric, "--shares")
    assert {"value", "share", "band"} <= set(steps[0])
    assert [row["method"] for row in records(run, "experiment", name, "--method", "student")].count(
        "student"
    ) > 0
