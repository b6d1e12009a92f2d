"""The tables of docs/methods/experiments on strata, pairs, clusters and covariates.

`python -m tests.statistical.structure_table` prints them: false alarms at p < .05 where nothing has an effect, and how
much noise is left. Seeded.
"""

from __future__ import annotations

import sys

import numpy as np

from analytics.aggregates.arms import ArmMoments
from analytics.experiments.compare import compare, compare_strata
from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import ClusterSums, PairMoments
from analytics.experiments.structure import compare_pairs
from analytics.stats.moments import Comoments

ALPHA = 0.05
COUNTRIES = {"three large": ([40, 300, 30], [360, 300, 30]), "ten small": ([4] * 10, [12] * 10)}
"""Units of arm and control in each stratum."""


def false_alarms(outcomes: list) -> float:
    """Share of comparisons with p < .05."""
    return float(np.mean([not isinstance(one, NotTested) and one.p_value < ALPHA for one in outcomes]))


def both(draw, sizes: tuple[int, int]) -> PairMoments:
    return PairMoments(*(Comoments.from_values(draw(n)) for n in sizes))


def strata(times: int, seed: int = 1) -> dict[str, dict[str, float]]:
    """Means and shares whose level differs by stratum, without an effect: within strata, and pooled."""
    rng, answer = np.random.default_rng(seed), {}
    for name, (n, n0) in COUNTRIES.items():
        levels = np.linspace(0.05, 0.5, len(n))
        for kind, draw in (
            ("mean", lambda level: lambda m: 10 * level + rng.exponential(1.0, (m, 1))),
            ("proportion", lambda level: lambda m: (rng.random((m, 1)) < level) * 1.0),
        ):
            within, pooled = [], []
            for _ in range(times):
                parts = [
                    both(draw(level), sizes)
                    for level, sizes in zip(levels, zip(n, n0, strict=True), strict=True)
                ]
                within.append(compare_strata(parts, kind))
                whole = [sum_of([part.arm for part in parts]), sum_of([part.control for part in parts])]
                pooled.append(compare(PairMoments(*whole), kind))
            answer[f"{name}, {kind}"] = {"within": false_alarms(within), "pooled": false_alarms(pooled)}
    return answer


def sum_of(parts: list[Comoments]) -> Comoments:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def pairs(times: int, seed: int = 2) -> dict[str, dict[str, float]]:
    """Pairs that share a level (means) or a chance (shares), without an effect: in pairs, and not."""
    rng, answer = np.random.default_rng(seed), {}
    for n in (10, 30, 100):
        for kind in ("mean", "proportion"):
            within, apart = [], []
            for _ in range(times):
                level = rng.normal(size=n)
                if kind == "mean":
                    table = level[:, None] + rng.exponential(1.0, (n, 2))
                else:
                    table = (rng.random((n, 2)) < 1 / (1 + np.exp(1 - 2 * level[:, None]))) * 1.0
                found = Comoments.from_values(table)
                moments = ArmMoments(
                    ("value", "control value"), np.array(["B"]), np.full(1, np.datetime64("NaT"), "datetime64[D]"),
                    None, np.array([found.n]), found.means[None], found.comoments[None],
                )  # fmt: skip
                within.append(compare_pairs(moments, "B", kind))
                apart.append(
                    compare(PairMoments(*(Comoments.from_values(table[:, [k]]) for k in (0, 1))), kind)
                )
            answer[f"{n} pairs, {kind}"] = {"in pairs": false_alarms(within), "not": false_alarms(apart)}
    return answer


def covariates(times: int, seed: int = 3) -> dict[str, dict[str, float]]:
    """Five covariates, of which two explain half of the variance: false alarms, and the variance that is left."""
    rng, answer = np.random.default_rng(seed), {}
    names = ("value", *(f"covariate_{k}" for k in range(5)))
    for n in (20, 50, 200):
        adjusted, ratio = [], []
        for _ in range(times):
            sides = []
            for _ in range(2):
                x = rng.exponential(1.0, (n, 5))
                y = (x[:, 0] + x[:, 1]) / np.sqrt(2) + rng.exponential(1.0, n)
                sides.append(Comoments.from_values(np.column_stack([y, x])))
            two = PairMoments(*sides, columns=names)
            one, plain = compare(two, "mean", adjusted=True), compare(two, "mean")
            adjusted.append(one)
            ratio.append((one.standard_error / plain.standard_error) ** 2)
        answer[f"{n} units an arm"] = {
            "false alarms": false_alarms(adjusted),
            "variance left": float(np.mean(ratio)),
        }
    return answer


def clusters(times: int, seed: int = 4) -> dict[str, dict[str, float]]:
    """Clusters of 20 units, or of log-normal size, correlation .2 within; whole or mixed; half or a fifth in B."""
    answer: dict[str, dict[str, float]] = {}
    for groups in (6, 10, 20, 30, 100):
        row = {}
        for share in (0.5, 0.2):
            for sizes in ("like", "unlike"):
                for how in ("whole", "mixed"):
                    if how == "mixed" and share < 0.5:
                        continue
                    rng = np.random.default_rng(
                        [seed, groups, int(10 * share), sizes == "like", how == "whole"]
                    )
                    row[f"{how}, {sizes}, {share}"] = false_alarms(
                        [_clustered(rng, groups, share, sizes, how) for _ in range(times)]
                    )
        answer[f"{groups} clusters"] = row
    return answer


def _clustered(rng: np.random.Generator, groups: int, share: float, sizes: str, how: str):
    size = (
        np.full(groups, 20) if sizes == "like" else np.maximum(rng.lognormal(2.5, 1.0, groups), 1).astype(int)
    )
    first = max(2, round(groups * share))
    arm = np.where(rng.permutation(groups) < first, size, 0) if how == "whole" else rng.binomial(size, share)
    n = np.column_stack([arm, size - arm]).astype(float)
    common = rng.normal(size=(groups, 1)) * np.sqrt(0.2)
    sums = n * common + rng.normal(size=(groups, 2)) * np.sqrt(0.8 * n)
    total, units = sums.sum(axis=0), n.sum(axis=0)
    sides = [
        Comoments(u, u, u, np.array([t / u]), np.array([[u]])) for u, t in zip(units, total, strict=True)
    ]
    found = ClusterSums(n, sums[:, :, None], np.zeros(1), np.arange(groups))
    return compare(PairMoments(*sides, found, ("value",)), "mean")


def main(times: int = 4000) -> None:
    """Print every table."""
    for table in (strata, pairs, covariates, clusters):
        print(f"{table.__name__}: {table.__doc__}")
        for name, row in table(times).items():
            print(
                f"  {name:28}",
                "  ".join(f"{what} {100 * value:.1f} %" for what, value in row.items()),
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
