"""Plant faults in a copy of a project's logs: the copy reads like any log, and the logs themselves are never touched.

>>> from datetime import UTC, datetime
>>> import tempfile
>>> from analytics.workbench import Workbench
>>> fault = Fault("traffic_lost", 1.0, datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 8, tzinfo=UTC))
>>> with tempfile.TemporaryDirectory() as folder:
...     bench = Workbench(inject("sample_logs/flights_delay_class/assay.toml", fault, folder))
...     bench.quality(bench.scope(start="2013-07-01", end="2013-07-07", versions=["classes-2013.03"]))[0].n
0
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.drills import effects
from analytics.drills.copies import write_project_file
from analytics.drills.effects import Plan
from analytics.drills.kinds import KINDS, Fault, FaultKind, Planted
from analytics.drills.surrogate import DecisionRule, Surrogate, fit_decisions, fit_surrogate
from analytics.project import read_project
from analytics.telemetry import altered
from analytics.telemetry.altered import DRAW, HELPERS, HIT, KEY, VERSION
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.feeds import Group

_LITTLE = 0.5
_UNDERSTATED = (
    "the stand-in for {} explains {:.0%} of its scores, so what a broken feature does to them is understated"
)
__all__ = ["KINDS", "Fault", "FaultKind", "Injector", "Planted", "inject"]


def inject(
    project_file: Path | str, faults: Fault | Iterable[Fault], folder: Path | str, *, rescored: bool = True
) -> Path:
    """Write a copy of a project's predictions and labels with faults in it, and a project file that points at it.

    Files without a row that is hit are not copied: the project file names them where they lie. The reference and all
    other logs are named where they lie, too. Only ``folder`` is written to.

    Args:
        project_file: the project file, or its folder.
        faults: one or several; each acts on what the one before left.
        folder: where the copy goes.
        rescored: whether a broken feature moves the score as a stand-in for the model says; else the logged one stays.

    Raises:
        ScopeError: a fault makes no sense for this project, with what would.
        ProjectError: the folder is the project's own.
    """
    planned = [faults] if isinstance(faults, Fault) else list(faults)
    file, target = Path(project_file), Path(folder)
    for step, fault in enumerate(planned):
        last = step == len(planned) - 1
        with Injector(file) as injector:
            file, _ = injector.plant(fault, target if last else target / f"step_{step}", rescored=rescored)
    if not planned:
        source = read_project(file).file
        return write_project_file(source, target, {})
    return file


@dataclass
class Injector:
    """One project, opened once, to plant many faults in.

    Args:
        source: the project file, or its folder.
    """

    source: Path
    catalog: Catalog = field(init=False)
    _surrogates: dict[str | None, Surrogate | None] = field(init=False, default_factory=dict)
    _rules: dict[str | None, DecisionRule | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.catalog = Catalog(read_project(Path(self.source)))
        self.catalog.project.require_predictions()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the logs."""
        self.catalog.close()

    def plant(self, fault: Fault, folder: Path, *, rescored: bool = True) -> tuple[Path, Planted]:
        """Plant one fault; the project file of the copy, and what was done."""
        plan = effects.plan_of(self.catalog, fault)
        paths: dict[str, dict[str, Any]] = {
            "predictions": {"features": [f.name for f in self.catalog.features]}
        }
        copy = _Copy(self, plan, folder, rescored=rescored)
        if plan.of_predictions:
            paths["predictions"]["path"] = copy.predictions()
        if plan.of_labels:
            paths["labels"] = {"path": copy.labels()}
        file = write_project_file(self.catalog.project.file, folder, paths)
        return file, Planted(fault, copy.n_hit, copy.explained, (*plan.notes, *copy.notes))

    def surrogate(self, version: str | None) -> Surrogate | None:
        """The stand-in for one version, fitted once."""
        if version not in self._surrogates:
            self._surrogates[version] = fit_surrogate(self.catalog, version)
        return self._surrogates[version]

    def rule(self, version: str | None) -> DecisionRule | None:
        """How one version decides, found once."""
        if version not in self._rules:
            self._rules[version] = fit_decisions(self.catalog, version)
        return self._rules[version]


@dataclass
class _Copy:
    """One copy being written."""

    injector: Injector
    plan: Plan
    folder: Path
    rescored: bool
    n_hit: int = 0
    explained: float | None = None
    notes: list[str] = field(default_factory=list)
    added: list[tuple[str, str, str | None]] = field(default_factory=list)
    """New id, the id whose place in time it takes, and the id whose label it has."""

    @property
    def catalog(self) -> Catalog:
        return self.injector.catalog

    def predictions(self) -> list[str]:
        """Write the files with a row that is hit; the paths of all."""
        hit = altered.files_hit(self.catalog, self.plan.alteration)
        paths = []
        for place, group in enumerate(altered.single_files(self.catalog.predictions_feed)):
            log = group.files[0].path
            touched = str(log) in hit
            if not touched and not altered.must_be_copied(group):
                paths.append(str(log))
                continue
            table = altered.altered_predictions(self.catalog, group, self.plan.alteration)
            if touched:
                table = self._finished(group, table)
            paths.append(_write(table, self.folder / "predictions" / f"{place:05}.parquet"))
        return paths

    def labels(self) -> list[str]:
        """Write the label files with a report that is hit or has a copy; the paths of all."""
        hits = altered.rows_hit(self.catalog, self.plan.alteration)
        self.n_hit = max(self.n_hit, hits.num_rows)
        words = self._words_of_templates()
        paths = []
        for place, group in enumerate(altered.single_files(self.catalog.feeds["labels"])):
            log = group.files[0].path
            table = altered.altered_labels(self.catalog, group, hits.select(["id"]), self.plan.label_columns)
            if not pc.any(table.column(HIT)).as_py() and not altered.must_be_copied(group):
                paths.append(str(log))
                continue
            table = self._with_added_labels(table, words) if self.added else table
            paths.append(_write(table, self.folder / "labels" / f"{place:05}.parquet"))
        return paths

    def _finished(self, group: Group, table: pa.Table) -> pa.Table:
        hit = table.column(HIT).to_numpy(zero_copy_only=False)
        self.n_hit += int(hit.sum())
        if self.plan.effect == "lost":
            return table.filter(pa.array(~hit))
        if self.plan.effect in {"doubled", "burst"}:
            return self._with_added(table, np.flatnonzero(hit))
        if self.plan.rescored_features and self.rescored:
            table = self._rescored(group, table, hit)
        return self._decided(table, hit) if self.plan.decides else table

    def _rescored(self, group: Group, table: pa.Table, hit: np.ndarray[Any, Any]) -> pa.Table:
        places = np.flatnonzero(hit)
        before = effects.features_before(self.catalog)
        after = effects.features_after(self.plan)
        found = altered.features_of_hits(self.catalog, group, self.plan.alteration, {**before, **after})
        scores = effects.scores_in(self.catalog, table)
        versions = np.array(table.column(VERSION).to_pylist(), dtype=object)[places]
        for version in dict.fromkeys(versions.tolist()):
            stand_in = self.injector.surrogate(version)
            if stand_in is None:
                self._note(
                    f"scores of {version or 'this model'} stay as logged: too few rows to stand in for it"
                )
                continue
            mine = np.flatnonzero(versions == version)
            rows = found.take(pa.array(mine))
            old, new = effects.both_columns(self.catalog, rows, self.plan)
            scores[places[mine]] = stand_in.moved(scores[places[mine]], old, new)
            if stand_in.explained is not None and stand_in.explained < _LITTLE:
                self._note(_UNDERSTATED.format(version or "the model", max(stand_in.explained, 0.0)))
            if stand_in.explained is not None:
                self.explained = min(stand_in.explained, self.explained or 1.0)
        return effects.with_scores(self.catalog, table, scores, hit)

    def _decided(self, table: pa.Table, hit: np.ndarray[Any, Any]) -> pa.Table:
        if self.catalog.predictions.decision is None:
            return table
        scores = effects.scores_in(self.catalog, table)
        versions = np.array(table.column(VERSION).to_pylist(), dtype=object)
        decided: dict[int, Any] = {}
        for version in dict.fromkeys(versions[hit].tolist()):
            rule = self.injector.rule(version)
            if rule is None:
                self._note(
                    f"decisions of {version or 'this model'} stay as logged: they do not follow from its scores"
                )
                continue
            mine = np.flatnonzero(hit & (versions == version) & np.isfinite(scores).all(axis=1))
            decided |= dict(zip(mine.tolist(), rule.decide(scores[mine]), strict=True))
        return effects.with_decisions(self.catalog, table, decided)

    def _with_added(self, table: pa.Table, hits: np.ndarray[Any, Any]) -> pa.Table:
        burst = self.plan.effect == "burst"
        parts = [table]
        for turn, share in enumerate(self.plan.copies):
            lots = np.array(table.column(DRAW).to_pylist(), dtype=object)[hits]
            chosen = hits[[lot < altered.lots_below(share) for lot in lots]]
            model = effects.templates(table, hits, chosen) if burst else chosen
            suffix = f":{'burst' if burst else 'again'}-{self.plan.fault.seed}-{turn}"
            parts.append(effects.copied(self.catalog, table, chosen, model, suffix))
            keys = table.column(KEY).to_pylist()
            self.added += [
                (f"{keys[one]}{suffix}", str(keys[one]), keys[other] if burst else None)
                for one, other in zip(chosen.tolist(), model.tolist(), strict=True)
                if keys[one] is not None
            ]
        return pa.concat_tables(parts)

    def _words_of_templates(self) -> dict[str, Any]:
        wanted = {other for _, _, other in self.added if other is not None}
        if not wanted:
            return {}
        words = altered.label_words(self.catalog)
        return {
            key: words.get(value)
            for key, value in altered.newest_labels(self.catalog, sorted(wanted)).items()
        }

    def _with_added_labels(self, table: pa.Table, words: dict[str, Any]) -> pa.Table:
        reports = {key: place for place, key in enumerate(table.column(KEY).to_pylist())}
        found = [one for one in self.added if one[1] in reports and (one[2] is None or one[2] in words)]
        rows = table.take(pa.array([reports[source] for _, source, _ in found], type=pa.int64()))
        new = effects.relabelled(
            self.catalog, rows, [(key, words.get(other or "")) for key, _, other in found]
        )
        return pa.concat_tables([effects.keyed_as_text(self.catalog, table), new])

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _write(table: pa.Table, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [name for name in table.column_names if name not in HELPERS]
    pq.write_table(table.select(kept), path)
    return str(path.resolve())
