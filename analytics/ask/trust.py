"""Questions about trust: can this experiment be believed, and if not, why not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from analytics.aggregates.arms import ArmMoments, ExperimentAggregates
from analytics.aggregates.experiments import read_experiment
from analytics.aggregates.overlaps import Overlap, read_means, read_overlaps
from analytics.aggregates.readings import Reading
from analytics.aggregates.split_causes import read_split_causes
from analytics.aggregates.unit_ages import Ages, read_ages
from analytics.ask.experiments import aggregates_of, design_of, reading_of, scorecard_of
from analytics.ask.kept import kept
from analytics.errors import AssayError
from analytics.experiments.checks import ordered
from analytics.experiments.checks.ages import AgeRow, AgeTrend, age_checks, age_rows, age_trends
from analytics.experiments.checks.causes import Evidence, cause_checks
from analytics.experiments.checks.overlap import mates_check, overlap_checks
from analytics.experiments.checks.size import TOP, leverage_checks, past_lifts, twyman_check
from analytics.experiments.checks.split import SegmentPart, SplitDay, segment_parts, split_days
from analytics.experiments.checks.words import trust_sentence
from analytics.experiments.design import Design
from analytics.experiments.rows import Check
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

MOST_OTHERS = 12
"""Other experiments that are looked at: those that begin last before this one ends."""
SUMMED = ("mean", "count", "ratio")


@dataclass(frozen=True)
class Trust:
    """Everything section Trust shows.

    Attributes:
        name: of the experiment.
        sentence: whether it can be trusted.
        checks: all of them, the blocking ones first; causes of a broken split last among the warnings.
        days: the split by day and arm.
        parts: of the segments in the deviation of the split.
        ages: effects by day since first exposure.
        trends: how they change.
        sql: the texts that scanned.
    """

    name: str
    sentence: str
    checks: tuple[Check, ...]
    days: tuple[SplitDay, ...] = ()
    parts: tuple[SegmentPart, ...] = ()
    ages: tuple[AgeRow, ...] = ()
    trends: tuple[AgeTrend, ...] = ()
    sql: tuple[str, ...] = ()


def trust_of(catalog: Catalog, scope: Scope, name: str) -> Trust:
    """All checks of one experiment; those that need more than its own reading are read here.

    Raises:
        ProjectError, TelemetryError: as `analytics.ask.experiments.scorecard_of`.
    """
    key = ("trust", name, scope.start, scope.end, scope.as_of)
    return kept(catalog, key, Trust, lambda: _trust(catalog, scope, name))


def _trust(catalog: Catalog, scope: Scope, name: str) -> Trust:
    card = scorecard_of(catalog, scope, name)
    design, found = design_of(catalog.project, name), aggregates_of(catalog, scope, name)
    reading = reading_of(catalog, scope, name)
    if reading.of_counts:  # no units, no times: what its own numbers tell is all
        return Trust(name, trust_sentence(ordered(card.checks)), ordered(card.checks), sql=card.sql)
    ages = _ages(catalog, scope, name)
    others = _others(catalog, scope, reading)
    overlaps, mates = read_overlaps(catalog, reading, others, design.control)
    earlier = frozenset(
        one.name
        for one in others
        if one.end is not None and reading.start is not None and one.end <= reading.start
    )
    rows = [
        *card.checks,
        *age_checks(design, ages),
        *overlap_checks(design, overlaps, earlier),
        mates_check(design, mates, randomised=found.split.clusters is not None),
        *leverage_checks(design, found, _cut(catalog, reading)),
        *twyman_check(
            [row for row in card.headline_rows() if row.role in {"primary", "secondary"}],
            _past(catalog, scope, name),
        ),
    ]
    parts = () if design.phases else segment_parts(design, found.split)
    if any(row.name == "srm" and row.level == "blocks" for row in rows):
        rows += _causes(catalog, reading, (design, found, parts), overlaps)
    return Trust(
        name,
        trust_sentence(ordered(rows)),
        ordered(rows),
        split_days(design, found.split),
        parts,
        age_rows(design, ages, 1.0 - design.alpha),
        age_trends(design, ages),
        (*found.sql, *ages.sql),
    )


def health_of(catalog: Catalog, scope: Scope, name: str) -> Results[Check]:
    """The checks alone.

    Raises:
        ProjectError, TelemetryError: as `trust_of`.
    """
    found = trust_of(catalog, scope, name)
    return Results(found.checks, catalog.project.zone, found.sql, (found.sentence,))


def ages_of(catalog: Catalog, scope: Scope, name: str, confidence: float | None = None) -> Results[AgeRow]:
    """The effect by day since first exposure of every metric and arm.

    Raises:
        ProjectError, TelemetryError: as `trust_of`.
    """
    design, ages = design_of(catalog.project, name), _ages(catalog, scope, name)
    rows = age_rows(design, ages, 1.0 - design.alpha if confidence is None else confidence)
    notes = [row.sentence for row in age_checks(design, ages)]
    if ages.n_left_out:
        notes.append(
            f"{ages.n_left_out:,} units are left out: they were not followed for all of the {ages.days} days."
        )
    return Results(rows, catalog.project.zone, ages.sql, tuple(notes))


def _ages(catalog: Catalog, scope: Scope, name: str) -> Ages:
    key = ("ages", name, scope.start, scope.end, scope.as_of)
    return kept(catalog, key, Ages, lambda: read_ages(catalog, reading_of(catalog, scope, name)))


def _others(catalog: Catalog, scope: Scope, reading: Reading) -> list[Reading]:
    """Other experiments over the same units that began before this one ends, the latest first."""
    project = catalog.project
    section = project.exposures or project.units
    if section is None or section.experiment is None:
        return []
    until = min(filter(None, (reading.end, reading.as_of)), default=None)
    found = []
    for name in project.experiments:
        if name == reading.name:
            continue
        other = reading_of(catalog, Scope(as_of=scope.as_of), name)
        if until is None or other.start is None or other.start < until:
            found.append(other)
    return sorted(found, key=_began, reverse=True)[:MOST_OTHERS]


def _began(reading: Reading) -> float:
    return reading.start.timestamp() if isinstance(reading.start, datetime) else 0.0


def _past(catalog: Catalog, scope: Scope, name: str) -> list[float]:
    """Lifts of other experiments of the project, as far as they can be computed."""
    lifts: list[float] = []
    for other in list(catalog.project.experiments)[: MOST_OTHERS + 1]:
        if other == name:
            continue
        try:
            reading = reading_of(catalog, Scope(as_of=scope.as_of), other)
            bare = tuple(replace(one, lookback=None) for one in reading.metrics)
            n, means = read_means(catalog, replace(reading, metrics=bare))
        except AssayError:  # its own page says why; here it has no lifts
            continue
        lifts += past_lifts(design_of(catalog.project, other), n, means)
    return lifts


def _cut(catalog: Catalog, reading: Reading) -> Mapping[str, ArmMoments]:
    """The same metrics with the top cut, of those that are sums and not cut anyway."""
    wanted = tuple(
        replace(one, metric=one.metric.model_copy(update={"winsorize": TOP}), lookback=None)
        for one in reading.metrics
        if one.metric.winsorize is None and one.metric.kind in SUMMED
    )
    if not wanted:
        return {}
    found = read_experiment(catalog, replace(reading, metrics=wanted))
    return {metric.name: metric.moments for metric in found.metrics}


def _causes(
    catalog: Catalog,
    reading: Reading,
    known: tuple[Design, ExperimentAggregates, Sequence[SegmentPart]],
    overlaps: Sequence[Overlap],
) -> tuple[Check, ...]:
    design, found, parts = known
    releases: dict[date, str] = {}
    for release in catalog.releases:
        day = catalog.project.instant(release.timestamp).astimezone(catalog.project.zone).date()
        releases[day] = f"{release.version} was released"
    causes = read_split_causes(catalog, reading)
    return cause_checks(Evidence(design, found, parts, causes, overlaps, releases))
