"""Experiments beside the peers on the same data: the same numbers where they should be, and how often they contradict.

``python -m benchmarks.peers_experiments 2000 --tea-tasting PYTHON --gbstats PYTHON`` prints the tables of
docs/methods/experiments/peers.md. PYTHON is the interpreter of an environment that has the peer (they need other
versions of numpy and pandas than Assay); without one, or where the peer does not import, it is left out, with a word
why. Every tool sees the same arrays, drawn from the same seeds.
"""

# ruff: noqa: PLC0415 - each tool is imported in its own environment only
from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
Arms = dict[str, np.ndarray]
"""Arm -> a row a unit: numerator, denominator, and both from before."""


class Answer(NamedTuple):
    """What a tool says of one comparison; None where it has no such number."""

    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None


Compare = Callable[[str, Arms], Answer]
KINDS = ("mean", "proportion", "ratio", "mean, CUPED", "ratio, CUPED")


def users(rng: np.random.Generator, n: int, effect: float) -> Arms:
    """Orders and sessions of users, now and before."""
    arms = {}
    for arm, moved in (("A", 0.0), ("B", effect)):
        own = rng.gamma(2.0, 0.5, n)
        sessions, before = 1 + rng.poisson(3, n), 1 + rng.poisson(3, n)
        orders = rng.poisson(0.25 * (1 + moved) * own * sessions)
        arms[arm] = np.column_stack([orders, sessions, rng.poisson(0.25 * own * before), before]).astype(
            float
        )
    return arms


def noisy_control(rng: np.random.Generator) -> Arms:
    """A small control of which the mean is hardly known: where intervals of a lift part ways."""
    return {
        arm: np.column_stack([rng.exponential(mean, n), np.ones(n), np.ones(n), np.ones(n)])
        for arm, n, mean in (("A", 12, 1.0), ("B", 60, 1.5))
    }


def of_assay() -> Compare:
    """Assay, from the arrays as a scan would sum them."""
    sys.path.insert(0, str(ROOT))
    from tests.experiments.arms import one

    def compare(kind: str, arms: Arms) -> Answer:
        plain, _, adjusted = kind.partition(", ")
        columns = slice(0, 2) if plain == "ratio" else 0
        values = {arm: table[:, columns] for arm, table in arms.items()}
        if plain == "proportion":
            values = {arm: (own > 0).astype(float) for arm, own in values.items()}
        before = {arm: table[:, slice(2, 4) if plain == "ratio" else 2] for arm, table in arms.items()}
        card = one(plain, values, covariate=before if adjusted else None)
        row = next(row for row in card.rows if row.method == ("cuped" if adjusted else "unadjusted"))
        return Answer(
            row.difference, row.ci_low, row.ci_high, row.p_value, row.lift, row.lift_ci_low, row.lift_ci_high
        )

    return compare


def of_tea_tasting() -> Compare:
    """tea-tasting as its guide has it; t quantiles, as it does by default."""
    import pandas as pd
    import tea_tasting as tt

    metrics = {
        "mean": tt.Mean("orders"),
        "proportion": tt.Mean("bought"),
        "ratio": tt.RatioOfMeans("orders", "sessions"),
        "mean, CUPED": tt.Mean("orders", "orders_before"),
        "ratio, CUPED": tt.RatioOfMeans("orders", "sessions", "orders_before", "sessions_before"),
    }

    def compare(kind: str, arms: Arms) -> Answer:
        names = ["orders", "sessions", "orders_before", "sessions_before"]
        table = pd.concat(
            [
                pd.DataFrame(own, columns=names).assign(variant=i)
                for i, own in enumerate((arms["A"], arms["B"]))
            ]
        )
        table["bought"] = (table["orders"] > 0).astype(float)
        found = tt.Experiment(m=metrics[kind]).analyze(table)["m"]
        return Answer(
            found.effect_size,
            found.effect_size_ci_lower,
            found.effect_size_ci_upper,
            found.pvalue,
            found.rel_effect_size,
            found.rel_effect_size_ci_lower,
            found.rel_effect_size_ci_upper,
        )

    return compare


def of_gbstats() -> Compare:
    """GrowthBook's statistics: the absolute test for difference and p, the relative one for the lift."""
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
    from gbstats.models.statistics import (
        ProportionStatistic,
        RatioStatistic,
        RegressionAdjustedStatistic,
        SampleMeanStatistic,
    )

    def of_mean(values: np.ndarray) -> Any:
        return SampleMeanStatistic(n=len(values), sum=values.sum(), sum_squares=(values**2).sum())

    def statistic(kind: str, own: np.ndarray, theta: float) -> Any:
        n, values = len(own), own[:, 0]
        if kind == "proportion":
            return ProportionStatistic(n=n, sum=float((values > 0).sum()))
        if kind == "ratio":
            return RatioStatistic(
                n=n,
                m_statistic=of_mean(values),
                d_statistic=of_mean(own[:, 1]),
                m_d_sum_of_products=float((values * own[:, 1]).sum()),
            )
        if kind == "mean, CUPED":
            return RegressionAdjustedStatistic(
                n=n,
                post_statistic=of_mean(values),
                pre_statistic=of_mean(own[:, 2]),
                post_pre_sum_of_products=float((values * own[:, 2]).sum()),
                theta=theta,
            )
        return of_mean(values)

    def compare(kind: str, arms: Arms) -> Answer:
        if kind == "ratio, CUPED":
            return Answer(None, None, None, None)
        both = np.vstack(list(arms.values()))
        theta = (
            float(np.cov(both[:, 0], both[:, 2])[0, 1] / both[:, 2].var(ddof=1)) if "CUPED" in kind else 0.0
        )
        sides = [statistic(kind, own, theta) for own in (arms["A"], arms["B"])]
        absolute, relative = (
            TwoSidedTTest(*sides, FrequentistConfig(difference_type=word)).compute_result()
            for word in ("absolute", "relative")
        )
        return Answer(absolute.expected, *absolute.ci, absolute.p_value, relative.expected, *relative.ci)

    return compare


TOOLS: dict[str, Callable[[], Compare]] = {
    "assay": of_assay, "tea-tasting": of_tea_tasting, "gbstats": of_gbstats,
}  # fmt: skip


def lines(tool: str, runs: int) -> Iterator[dict[str, Any]]:
    """All that is measured of one tool."""
    compare = TOOLS[tool]()
    arms = users(np.random.default_rng(11), 4000, 0.1)
    for kind in KINDS:
        began = time.perf_counter()
        answer = compare(kind, arms)
        took = time.perf_counter() - began
        yield {"table": "same data", "tool": tool, "kind": kind, **answer._asdict(), "seconds": took}
    rng = np.random.default_rng(23)
    contradictions = covered = known = 0
    for _ in range(runs):
        answer = compare("mean", noisy_control(rng))
        if answer.lift_low is None or answer.lift_high is None or answer.p_value is None:
            continue
        known += 1
        contradictions += (answer.lift_low > 0 or answer.lift_high < 0) != (answer.p_value < 0.05)
        covered += answer.lift_low <= 0.5 <= answer.lift_high
    yield {
        "table": "noisy control", "tool": tool, "runs": runs, "with_lift": known,
        "contradictions": contradictions / max(known, 1), "coverage": covered / max(known, 1),
    }  # fmt: skip


def measured(tool: str, python: str | None, runs: int) -> list[dict[str, Any]]:
    """The lines of one tool, from its own interpreter."""
    # Assay's package is not on the path of a peer's interpreter
    from benchmarks.peers import lines_of

    return lines_of(__file__, tool, python, runs)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.5g}"


def main() -> None:
    """One tool's lines as JSON, or the tables of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=2000)
    parser.add_argument("--tea-tasting", metavar="PYTHON")
    parser.add_argument("--gbstats", metavar="PYTHON")
    parser.add_argument("--only", choices=tuple(TOOLS))
    words = parser.parse_args()
    warnings.simplefilter("ignore")
    if words.only:
        for line in lines(words.only, words.runs):
            print(json.dumps(line, default=float), flush=True)
        return
    interpreters = {"assay": sys.executable, "tea-tasting": words.tea_tasting, "gbstats": words.gbstats}
    found = [line for tool, python in interpreters.items() for line in measured(tool, python, words.runs)]
    for line in sorted(
        found, key=lambda line: (line["table"] == "noisy control", KINDS.index(line.get("kind", "mean")))
    ):
        if line["table"] == "same data":
            numbers = " | ".join(_shown(line[name]) for name in Answer._fields)
            print(f"| {line['kind']} | {line['tool']} | {numbers} | {1000 * line['seconds']:.1f} ms |")
        else:
            print(
                f"| {line['tool']} | {line['contradictions']:.2%} | {line['coverage']:.1%} "
                f"| {line['with_lift'] / line['runs']:.1%} |"
            )


if __name__ == "__main__":
    main()
