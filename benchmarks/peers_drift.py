"""Drift beside the peers on the same data: false alarms as shipped, and power where all cry wolf equally often.

``python -m benchmarks.peers_drift 150 --evidently PYTHON --nannyml PYTHON`` prints the tables of docs/methods/drift.md.
PYTHON is the interpreter of an environment that has the peer (they need another pandas than Assay); without one, or
where the peer does not import, its column is left out, with a word why. Every tool sees the same arrays, drawn from the
same seeds. For power a tool's score must pass what 5 % of its own scores without drift pass.
"""

# ruff: noqa: PLC0415 - each tool is imported in its own environment only
from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SILENT = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
"""The peers would report their use elsewhere."""
ROOT = Path(__file__).resolve().parents[1]
Draw = Callable[[np.random.Generator, int, float], np.ndarray]
Score = tuple[float, bool]
Detect = Callable[[np.ndarray, np.ndarray], dict[str, Score]]


def normal(rng: np.random.Generator, n: int, move: float) -> np.ndarray:
    """Normal rows, moved by so many deviations."""
    return rng.normal(move, 1, n)


def lognormal(sigma: float) -> Draw:
    """Amounts with a heavy tail, so much larger."""
    return lambda rng, n, move: rng.lognormal(0, sigma, n) * (1 + move)


def categories(k: int) -> Draw:
    """Categories, the first one's share larger by so much at the cost of the others."""

    def draw(rng: np.random.Generator, n: int, move: float) -> np.ndarray:
        shares = np.full(k, (1 - 1 / k - move) / (k - 1))
        shares[0] = 1 / k + move
        return np.array([f"k{i}" for i in range(k)])[rng.choice(k, n, p=shares)]

    return draw


def missing(rng: np.random.Generator, n: int, move: float) -> np.ndarray:
    """Normal rows, such a part of them missing."""
    return np.where(rng.random(n) < move, np.nan, rng.normal(size=n))


QUIET: dict[str, tuple[Draw, int, int]] = {
    "3 categories, 1000 and 1000": (categories(3), 1000, 1000),
    "10 categories, 1000 and 1000": (categories(10), 1000, 1000),
    **{f"normal, 1001 and {n}": (normal, 1001, n) for n in (50, 100, 200, 500)},
    "normal, 1000 and 1000": (normal, 1000, 1000),
}
SHIFTS: dict[str, tuple[Draw, float, int, int]] = {
    **{
        f"lognormal ({sigma}) x 1.5, 20000 and 5000": (lognormal(sigma), 0.5, 20_000, 5000)
        for sigma in (1, 2, 3)
    },
    **{f"normal + {move} sd, 1000 and 300": (normal, move, 1000, 300) for move in (0.1, 0.2, 0.3, 0.5)},
    "share of one of 5 categories + 5 points, 1000 and 300": (categories(5), 0.05, 1000, 300),
    "60 % missing, 1000 and 300": (missing, 0.6, 1000, 300),
}


def of_assay() -> Detect:
    """Assay, from the arrays as a scan would count them."""
    sys.path.insert(0, str(ROOT))
    from tests.drift.histograms import drift_of_arrays

    def detect(reference: np.ndarray, current: np.ndarray) -> dict[str, Score]:
        row = drift_of_arrays(reference, current)
        p = 1.0 if row.p_value is None else row.p_value
        return {"Assay p": (-p, p <= 0.05), "Assay drifted": (-p, bool(row.drifted))}

    return detect


def of_evidently() -> Detect:
    """Evidently's default test and two named ones; like its reports, after dropping what is missing."""
    import pandas as pd
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    def detect(reference: np.ndarray, current: np.ndarray) -> dict[str, Score]:
        left, right = pd.Series(reference).dropna(), pd.Series(current).dropna()
        kind = ColumnType.Numerical if reference.dtype.kind == "f" else ColumnType.Categorical
        found = {}
        for title, name in (("default", None), ("PSI", "psi"), ("Jensen-Shannon", "jensenshannon")):
            test = get_stattest(left, right, kind, name)
            result = test(left, right, kind, None)
            by_p = test.name in {"ks", "chisquare", "z"}
            score = -float(result.drift_score) if by_p else float(result.drift_score)
            found[f"Evidently {title}"] = (score, bool(result.drifted))
        return found

    return detect


def of_nannyml() -> Detect:
    """NannyML's statistics on the whole current data, and its alerts for data in chunks as it cuts them."""
    import pandas as pd
    from nannyml.chunk import DefaultChunker
    from nannyml.drift.univariate.methods import FeatureType, MethodFactory
    from nannyml.thresholds import StandardDeviationThreshold

    def detect(reference: np.ndarray, current: np.ndarray) -> dict[str, Score]:
        numeric = reference.dtype.kind == "f"
        kind = FeatureType.CONTINUOUS if numeric else FeatureType.CATEGORICAL
        left, right = pd.Series(reference, name="x").dropna(), pd.Series(current, name="x").dropna()
        names = (
            ("jensen_shannon", "kolmogorov_smirnov", "wasserstein") if numeric else ("jensen_shannon", "chi2")
        )
        found = {}
        for name in names:
            threshold = StandardDeviationThreshold()
            method = MethodFactory.create(name, kind, chunker=DefaultChunker(), threshold=threshold)
            method.fit(left)
            # its alerts are about chunks, so they are counted apart
            found[f"NannyML {name}"] = (float(method.calculate(right)), False)
        return found

    return detect


def nannyml_chunks(runs: int) -> dict[str, float]:
    """Part of the chunks without drift that alert: its default, ten chunks of the reference and ten more."""
    import nannyml as nml
    import pandas as pd

    rng = np.random.default_rng(31)
    alerts: dict[str, list[bool]] = {}
    for _ in range(runs):
        left, right = (
            pd.DataFrame({"x": normal(rng, 5000, 0), "c": categories(5)(rng, 5000, 0)}) for _ in range(2)
        )
        calculator = nml.UnivariateDriftCalculator(
            column_names=["x", "c"], treat_as_categorical=["c"],
            continuous_methods=["jensen_shannon", "kolmogorov_smirnov", "wasserstein"],
            categorical_methods=["jensen_shannon", "chi2"],
        )  # fmt: skip
        calculator.fit(left)
        table = calculator.calculate(right).filter(period="analysis").to_df()
        for column, method, what in table.columns:
            if what == "alert":
                alerts.setdefault(f"{column} {method}", []).extend(table[(column, method, what)].tolist())
    return {key: float(np.mean(values)) for key, values in alerts.items()}


def rounds(draw: Draw, move: float, sizes: tuple[int, int], runs: int, detect: Detect) -> dict[str, Any]:
    """Scores and alarms by detector, over runs from one seed."""
    rng = np.random.default_rng(29)
    found: dict[str, list[Score]] = {}
    for _ in range(runs):
        reference, current = draw(rng, sizes[0], 0.0), draw(rng, sizes[1], move)
        for name, score in detect(reference, current).items():
            found.setdefault(name, []).append(score)
    return {name: np.array(scores, dtype=float) for name, scores in found.items()}


def lines(tool: str, runs: int) -> Iterator[dict[str, Any]]:
    """All that is measured of one tool."""
    detect = {"assay": of_assay, "evidently": of_evidently, "nannyml": of_nannyml}[tool]()
    for name, (draw, m, n) in QUIET.items():
        if tool != "nannyml":
            for detector, found in rounds(draw, 0.0, (m, n), 2 * runs, detect).items():
                yield {"table": "no drift", "data": name, "detector": detector, "value": found[:, 1].mean()}
    if tool == "nannyml":
        for detector, value in nannyml_chunks(max(runs // 3, 10)).items():
            yield {"table": "no drift", "data": "chunks", "detector": f"NannyML {detector}", "value": value}
    for name, (draw, move, m, n) in SHIFTS.items():
        quiet = rounds(draw, 0.0, (m, n), runs, detect)
        moved = rounds(draw, move, (m, n), runs, detect)
        for detector, found in moved.items():
            limit = np.quantile(quiet[detector][:, 0], 0.95)
            power = float((found[:, 0] > limit).mean())
            yield {"table": "power", "data": name, "detector": detector, "value": power}
            if tool != "nannyml":
                shipped = float(found[:, 1].mean())
                yield {"table": "as shipped", "data": name, "detector": detector, "value": shipped}


def measured(tool: str, python: str | None, runs: int) -> list[dict[str, Any]]:
    """The lines of one tool, from its own interpreter."""
    # Assay's package is not on the path of a peer's interpreter
    from benchmarks.peers import lines_of

    return lines_of(__file__, tool, python, runs, SILENT)


def main() -> None:
    """One tool's lines as JSON, or the tables of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=150)
    parser.add_argument("--evidently", metavar="PYTHON")
    parser.add_argument("--nannyml", metavar="PYTHON")
    parser.add_argument("--only", choices=("assay", "evidently", "nannyml"))
    words = parser.parse_args()
    warnings.simplefilter("ignore")
    if words.only:
        for line in lines(words.only, words.runs):
            print(json.dumps(line), flush=True)
        return
    found = [
        line
        for tool, python in (
            ("assay", sys.executable), ("evidently", words.evidently), ("nannyml", words.nannyml)
        )
        for line in measured(tool, python, words.runs)
    ]  # fmt: skip
    for line in found:
        print(f"| {line['table']} | {line['data']} | {line['detector']} | {line['value']:.0%} |")


if __name__ == "__main__":
    main()
