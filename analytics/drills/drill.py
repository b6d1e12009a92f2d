"""A drill: faults planted in copies of the logs and replayed through the project's own rules at their real cadence."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean, median

from analytics.ask.curves import confusion_of
from analytics.drills.effects import live_version
from analytics.drills.faults import Injector
from analytics.drills.kinds import KINDS, SEVERITIES, Fault, FaultKind, Planted
from analytics.drills.replayed import Replay, Told, hours, replay_of
from analytics.drills.rows import DrillRow, DrillRun, SeverityRow
from analytics.errors import ScopeError
from analytics.project import read_project
from analytics.scope import Scope, parse_filter
from analytics.stats.intervals import clopper_pearson
from analytics.telemetry.altered import frequent_values
from analytics.telemetry.catalog import Catalog

MOST_RUNS = 30
WATCH = timedelta(days=7)
BETWEEN = timedelta(days=7)
CONFIDENCE = 0.95


@dataclass(frozen=True)
class DrillPlan:
    """What to try.

    Attributes:
        kind: of fault.
        start: of the first run's fault; every further seed begins a week later, so that it meets other days.
        length: of each fault.
        severities: from 0 to 1.
        seeds: how many runs of each severity.
        where, feature, version, other: where it sits.
        rules: only these; all that are declared where left out.
        watch: how long after its end it is still watched whether anybody tells.
    """

    kind: FaultKind
    start: datetime
    length: timedelta
    severities: tuple[float, ...] = SEVERITIES
    seeds: int = 2
    where: tuple[str, ...] = ()
    feature: str | None = None
    version: str | None = None
    other: str | None = None
    rules: tuple[str, ...] = ()
    watch: timedelta = WATCH

    def faults(self) -> Iterator[Fault]:
        """Every fault, the largest severity first: it says soonest whether anything is told at all."""
        for severity in sorted(set(self.severities), reverse=True):
            for seed in range(self.seeds):
                start = self.start + seed * BETWEEN
                yield Fault(
                    self.kind, severity, start, start + self.length, self.where, self.feature, self.version, seed,
                    self.other,
                )  # fmt: skip

    @property
    def runs(self) -> int:
        """How many faults are planted."""
        return len(set(self.severities)) * self.seeds

    @property
    def end(self) -> datetime:
        """Until when anything is watched."""
        return self.start + (self.seeds - 1) * BETWEEN + self.length + self.watch


@dataclass(frozen=True)
class Progress:
    """How far a drill is."""

    done: int
    total: int
    doing: str


@dataclass(frozen=True)
class Drill:
    """What a drill found.

    Attributes:
        rows: every rule in every run; run 0 is the untouched replay.
        runs: every run.
        severities: the runs of each severity together, the largest first.
        sentence: what a person would say.
    """

    plan: DrillPlan
    rows: tuple[DrillRow, ...] = ()
    runs: tuple[DrillRun, ...] = ()
    severities: tuple[SeverityRow, ...] = ()
    sentence: str = ""
    notes: tuple[str, ...] = ()


def run_drill(project_file: Path, plan: DrillPlan) -> Iterator[Progress | Drill]:
    """Run a drill step by step; the last thing it yields is the `Drill`. Whoever stops asking stops it.

    Copies are written to a temporary folder, one at a time, and removed.

    Raises:
        ProjectError: the project declares no rules, or one that is named is not.
        ScopeError: the fault makes no sense for the project, or the drill is too long.
    """
    with Injector(project_file) as injector, tempfile.TemporaryDirectory(prefix="assay-drill-") as folder:
        runner = _Runner(injector, plan, Path(folder))
        yield Progress(0, plan.runs + 1, "the untouched logs")
        runner.untouched()
        for number, fault in enumerate(plan.faults(), 1):
            yield Progress(number, plan.runs + 1, f"severity {fault.severity:g}, seed {fault.seed}")
            runner.run(number, fault)
        yield runner.finished()


@dataclass
class _Runner:
    injector: Injector
    plan: DrillPlan
    folder: Path
    names: tuple[str, ...] = field(init=False)
    plain: dict[str, Replay] = field(init=False, default_factory=dict)
    rows: list[DrillRow] = field(init=False, default_factory=list)
    runs: list[DrillRun] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.names = self.catalog.project.declared("alerts", self.plan.rules)
        _check(self.catalog, self.plan)

    @property
    def catalog(self) -> Catalog:
        return self.injector.catalog

    def untouched(self) -> None:
        plan = self.plan
        for name in self.names:
            found = replay_of(self.catalog, name, plan.start, plan.end)
            self.plain[name] = found
            none = replace(_fault_of(plan), severity=0.0, end=plan.end)
            self.rows.append(_row(0, none, found, found.told[0] if found.told else None, "silent"))

    def run(self, number: int, fault: Fault) -> None:
        target = self.folder / f"run_{number}"
        file, planted = self.injector.plant(fault, target)
        copy = Catalog(read_project(file))
        try:
            self._replayed(number, fault, planted, copy)
        finally:
            copy.close()
            shutil.rmtree(target)

    def _replayed(self, number: int, fault: Fault, planted: Planted, copy: Catalog) -> None:
        until = fault.end + self.plan.watch
        mine = []
        for name in self.names:
            found = replay_of(copy, name, fault.start, until)
            first, masked = new_of(found, self.plain[name], fault, live_version(self.catalog, fault))
            state = "told" if first is not None else "already firing" if masked else "silent"
            mine.append(_row(number, fault, found, first, state))
        self.rows += mine
        self.runs.append(self._run_row(number, fault, planted, mine, copy))

    def _run_row(
        self, number: int, fault: Fault, planted: Planted, rows: Sequence[DrillRow], copy: Catalog
    ) -> DrillRun:
        told = sorted(
            (row for row in rows if row.told_at is not None), key=lambda row: row.told_at or fault.end
        )
        first = told[0] if told else None
        at = first.told_at if first is not None else None
        until = min(at, fault.end) if at is not None else fault.end
        version = live_version(self.catalog, fault)
        of_labels = fault.kind in {"labels_flipped", "labels_delayed"}
        without = wrong_decisions(self.catalog, fault, version, until)
        # a decision is not wrong because its label is: the true labels stand in the untouched logs
        wrong = without if of_labels else wrong_decisions(copy, fault, version, until)
        return DrillRun(
            number, fault.kind, fault.severity, fault.seed, fault.feature, " ".join(fault.where), fault.start,
            fault.end, planted.n_hit, len(told), sum(row.state == "silent" for row in rows),
            first.alert if first is not None else None, at, first.delay_hours if first is not None else None,
            wrong[0] if wrong else None, without[0] if without else None, wrong[1] if wrong else None, version,
            planted.explained, planted.notes, "ok" if planted.n_hit else "no_data",
            None if planted.n_hit else "no prediction is logged at this place and time, so nothing was broken",
        )  # fmt: skip

    def finished(self) -> Drill:
        severities = tuple(
            severity_row([run for run in self.runs if run.severity == severity])
            for severity in sorted({run.severity for run in self.runs}, reverse=True)
        )
        notes = tuple(dict.fromkeys(note for run in self.runs for note in run.notes))
        false = sum(row.pages for row in self.rows if row.run == 0)
        days = (self.plan.end - self.plan.start).days
        sentence = drill_sentence(self.plan, severities, len(self.names), false, days)
        return Drill(self.plan, tuple(self.rows), tuple(self.runs), severities, sentence, notes)


def new_of(found: Replay, plain: Replay, fault: Fault, version: str | None) -> tuple[Told | None, bool]:
    """The first thing told that is not told without the fault; whether the rule fired for the version all the same."""
    usual = (*plain.before, *plain.told)
    masked = False
    for told in found.told:
        if told.at < fault.start or told.reading.window_end <= fault.start:
            continue
        same = [one for one in usual if one.target == told.target and one.state == told.state]
        if not any(one.at <= told.at and (one.ended is None or one.ended > told.at) for one in same):
            return told, False
        masked = True
    busy = any(
        one.active(fault.start, fault.end)
        for one in usual
        if one.state == "firing" and one.target.version in {None, version}
    )
    return None, masked or busy


def wrong_decisions(
    catalog: Catalog, fault: Fault, version: str | None, until: datetime
) -> tuple[int, int] | None:
    """Wrong decisions and labelled ones in the fault's place until an instant; None where none are logged."""
    if catalog.predictions.task == "regression" or not catalog.has_labels or until <= fault.start:
        return None
    names = [feature.name for feature in catalog.features]
    # a broken feature no longer says where a row belongs, but the segments of a place are hardly ever broken themselves
    scope = Scope(
        fault.start, until, versions=() if version is None else (version,),
        filters=tuple(parse_filter(text, catalog.project, names) for text in fault.where),
    )  # fmt: skip
    known = [row for row in confusion_of(catalog, scope) if row.n]
    if not known:
        return None
    return round(sum(row.n for row in known if row.true_class != row.decided_class)), round(
        sum(row.n for row in known)
    )


def severity_row(runs: Sequence[DrillRun]) -> SeverityRow:
    """All runs of one severity; those that hit nothing are left out."""
    tried = [run for run in runs if run.status == "ok"]
    told = [run for run in tried if run.told_at is not None]
    delays = [run.delay_hours for run in told if run.delay_hours is not None]
    extra = [
        run.wrong_before - run.wrong_without
        for run in tried
        if run.wrong_before is not None and run.wrong_without is not None
    ]
    share = clopper_pearson(len(told), len(tried), CONFIDENCE) if tried else None
    firsts = [run.first for run in told if run.first is not None]
    return SeverityRow(
        runs[0].kind, runs[0].severity, len(tried), len(told), len(told) / len(tried) if tried else None,
        share.low if share else None, share.high if share else None, median(delays) if delays else None,
        min(delays, default=None), max(delays, default=None), max((run.n_told for run in tried), default=0),
        max(firsts, key=firsts.count) if firsts else None, mean(run.n_hit for run in tried) if tried else 0.0,
        mean(extra) if extra else None, "ok" if tried else "no_data", None if tried else runs[0].reason,
    )  # fmt: skip


def drill_sentence(
    plan: DrillPlan, severities: Sequence[SeverityRow], rules: int, false: int, days: int
) -> str:
    """What a person would say: what is told and when, what nobody notices, and what fires without any fault."""
    kind = KINDS[plan.kind]
    what = kind.title
    if plan.feature is not None:
        what = what.replace("A feature", plan.feature).replace(
            "Two features", f"{plan.feature} and another feature"
        )
    place = f" in {', '.join(plan.where)}" if plan.where else ""
    parts = []
    told = [row for row in severities if row.told]
    silent = [row for row in severities if row.status == "ok" and not row.told]
    if not any(row.status == "ok" for row in severities):
        return f"{what}{place}: no prediction is logged there, so nothing was broken."
    if told:
        largest = told[0]
        by = f"{largest.rules} of {_many(rules, 'rule')}"
        always = "" if largest.told == largest.runs else f" in {largest.told} of {largest.runs} runs"
        parts.append(
            f"{what}{place}: told after {_after(largest.delay_hours)} by {by} "
            f"at severity {largest.severity:g}{always}"
        )
        for row in told[1:]:
            some = "" if row.told == row.runs else f" in {row.told} of {row.runs} runs"
            parts.append(f"at {row.severity:g} after {_after(row.delay_hours)}{some}")
        if silent:
            parts.append(f"at {_list(row.severity for row in silent)} nobody notices")
    else:
        parts.append(f"{what}{place}: noticed by no rule at any severity that was tried")
    quiet = f"Without a fault the same {_many(rules, 'rule')} sent {_many(false, 'page')} in {_many(days, 'day')}."
    return f"{'; '.join(parts)}. {quiet}"


def segment_texts(catalog: Catalog, most: int) -> tuple[str, ...]:
    """The most frequent values of every declared segment that is no number, as filters are written."""
    names = [name for name in catalog.predictions.segments if catalog.segments[name].edges is None]
    return tuple(f"{name}={value}" for name in names for value in frequent_values(catalog, name, most))


def _after(delay: float | None) -> str:
    if delay is None:
        return "an unknown time"
    return f"{delay:.3g} h" if delay < 72 else f"{delay / 24:.3g} days"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _list(values: Iterator[float]) -> str:
    texts = [f"{value:g}" for value in values]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def _check(catalog: Catalog, plan: DrillPlan) -> None:
    if not 1 <= plan.runs <= MOST_RUNS:
        raise ScopeError(f"{plan.runs} runs: from 1 to {MOST_RUNS}; fewer severities or seeds")
    if plan.length <= timedelta(0):
        raise ScopeError("a fault must end after it begins")
    extent = catalog.extent
    if extent is None:
        raise ScopeError("the logs hold no prediction, so nothing can break")
    last = plan.start + (plan.seeds - 1) * BETWEEN
    if last > extent[1] or plan.start + plan.length < extent[0]:
        days = ", ".join(f"{moment:%d %b %Y}" for moment in extent)
        raise ScopeError(f"the faults would sit where no prediction is logged; the logs span {days}")


def _fault_of(plan: DrillPlan) -> Fault:
    return next(plan.faults())


def _row(number: int, fault: Fault, found: Replay, told: Told | None, state: str) -> DrillRow:
    reading = told.reading if told is not None else None
    target = told.target if told is not None else None
    shown = told is not None and number > 0
    no_looks = not found.readings
    return DrillRow(
        number, fault.kind, fault.severity, fault.seed, fault.feature, fault.version, " ".join(fault.where),
        fault.start, fault.end, found.alert, "told" if shown else "silent" if number == 0 else state,  # type: ignore[arg-type]
        len(found.pages), told.at if told is not None else None,
        hours(told.at - fault.start) if told is not None and shown else None,
        target.version if target else None, target.segment if target else None,
        target.segment_value if target else None,
        reading.value if reading else None, reading.ci_low if reading else None,
        reading.ci_high if reading else None,
        reading.n if reading else 0, reading.threshold if reading else None, "no_data" if no_looks else "ok",
        "no window of this stretch could be looked at" if no_looks else None, reading.sentence if reading else "",
    )  # fmt: skip
