"""What each kind of fault does to the logs: the plan of an alteration, and its consequences on rows that were read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics.ask.live import live_version as released_last
from analytics.ask.samples import Column, numbers
from analytics.drills import kinds
from analytics.drills.kinds import KINDS, Fault
from analytics.engines.text import identifier, literal
from analytics.errors import ScopeError
from analytics.scope import parse_filter
from analytics.telemetry import altered, typed
from analytics.telemetry.altered import DRAW, KEY, VERSION, Alteration, Place
from analytics.telemetry.catalog import Catalog, Feature

Effect = Literal["changed", "lost", "doubled", "burst"]
Floats = npt.NDArray[np.float64]
_SECOND = "CAST({} AS DOUBLE) * INTERVAL '1' SECOND"
_TINY = "1e-6"


@dataclass(frozen=True)
class Plan:
    """What a fault comes to for one project.

    Attributes:
        fault: what was asked.
        alteration: of the predictions' files.
        label_columns: column of the label feed -> SQL that takes its place.
        effect: whether rows are changed, lost, or come again.
        copies: for rows that come again, the share of the hit ones that do at each turn.
        of_predictions, of_labels: which files are touched.
        rescored_features: feature -> SQL of what the model is given instead.
        decides: whether decisions follow from the new scores.
        notes: what a reader should know.
    """

    fault: Fault
    alteration: Alteration
    label_columns: Mapping[str, str] = field(default_factory=dict)
    effect: Effect = "changed"
    copies: tuple[float, ...] = ()
    of_predictions: bool = True
    of_labels: bool = False
    rescored_features: Mapping[str, str] = field(default_factory=dict)
    decides: bool = False
    notes: tuple[str, ...] = ()


def plan_of(catalog: Catalog, fault: Fault) -> Plan:
    """What to do to the logs.

    Raises:
        ScopeError: the fault makes no sense for this project.
    """
    _check(catalog, fault)
    names = [feature.name for feature in catalog.features]
    filters = tuple(parse_filter(text, catalog.project, names) for text in fault.where)
    for one in filters:
        if one.kind in {"outcome", "label"}:
            raise ScopeError(
                f"{one.text}: a fault sits at a segment or feature, not at labels; name one of those"
            )
    versions = () if fault.version is None else (fault.version,)
    return _MAKERS[fault.kind](catalog, fault, Place(fault.start, fault.end, filters, versions, fault.seed))


def _check(catalog: Catalog, fault: Fault) -> None:
    if fault.kind not in KINDS:
        raise ScopeError(f'"{fault.kind}" is no kind of fault; known: {", ".join(KINDS)}')
    if not 0 <= fault.severity <= 1:
        raise ScopeError(f"severity {fault.severity:g}: must be between 0 and 1")
    if fault.start.tzinfo is None or fault.end.tzinfo is None:
        raise ScopeError("a fault begins and ends at instants: give their time zone")
    if fault.start >= fault.end:
        raise ScopeError("a fault must end after it begins")
    if fault.version is not None and fault.version not in catalog.versions:
        known = ", ".join(str(name) for name in catalog.versions)
        raise ScopeError(f'"{fault.version}" is not a version in the logs; known: {known}')
    reference = catalog.project.reference
    if reference is None or reference.start is None or reference.end is None:
        return
    start, end = catalog.project.instant(reference.start), catalog.project.instant(reference.end)
    if fault.start < end and start < fault.end:
        raise ScopeError(
            "the fault would change the reference, and what is normal with it; begin after reference.end"
        )


def _labels_flipped(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    name, value = _label_column(catalog)
    if catalog.predictions.task == "regression":
        text = f"2e0 * {literal(altered.middle_label(catalog))} - {value}"
    else:
        text = altered.word_cases(value, _opposites(catalog))
    if catalog.has_label_feed:
        return _of_labels(fault, place, {name: text}, fault.severity)
    return Plan(fault, Alteration(place, fault.severity, {name: text}))


def _opposites(catalog: Catalog) -> dict[Any, Any]:
    words, section = altered.label_words(catalog), catalog.predictions
    if section.task == "binary":
        words = {1: section.positive, 0: section.negative_class} | words
        if words[0] is None:
            raise ScopeError("labels_flipped: the logs hold no negative label to flip to")
        return {0: words[1], 1: words[0]}
    classes = section.classes
    return {
        name: words.get(after, after) for name, after in zip(classes, (*classes[1:], classes[0]), strict=True)
    }


def _labels_delayed(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    later = _SECOND.format(literal(fault.severity * kinds.LABEL_DAYS * 86_400.0))
    section = catalog.project.labels
    if section is not None:
        return _of_labels(fault, place, {section.timestamp: f"r.ts + {later}"}, 1.0)
    name = catalog.predictions.label_timestamp
    if name is None:
        raise ScopeError("labels_delayed: labels are known at once here, so nothing can delay them")
    return Plan(fault, Alteration(place, 1.0, {name: f"own_label_ts + {later}"}, {name: "own_label_ts"}))


def _of_labels(fault: Fault, place: Place, columns: Mapping[str, str], share: float) -> Plan:
    return Plan(fault, Alteration(place, share), columns, of_predictions=False, of_labels=True)


def _label_column(catalog: Catalog) -> tuple[str, str]:
    if catalog.project.labels is not None:
        return catalog.project.labels.label, "r.label"
    if catalog.predictions.label is None:
        raise ScopeError("the project declares no labels, so none can be wrong")
    return catalog.predictions.label, "own_label"


def _feature_null(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    feature = _feature(catalog, fault.feature)
    return _feature_plan(catalog, fault, Alteration(place, fault.severity, {feature.name: "NULL"}))


def _feature_scaled(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    feature = _number(catalog, fault)
    text = f"{_value(feature)} * {literal(kinds.TENFOLD**fault.severity)}"
    return _feature_plan(catalog, fault, Alteration(place, 1.0, {feature.name: text}))


def _feature_shifted(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    feature = _number(catalog, fault)
    spread = altered.spread_before(catalog, feature.column, fault.start)
    if spread is None:
        raise ScopeError(f"feature_shifted: {feature.name} does not vary, so no shift has a size")
    text = f"{_value(feature)} + {literal(fault.severity * kinds.SHIFT_SPREADS * spread)}"
    return _feature_plan(catalog, fault, Alteration(place, 1.0, {feature.name: text}))


def _feature_stale(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    feature = _feature(catalog, fault.feature)
    value = _value(feature)
    present = f"CASE WHEN isfinite({value}) THEN {value} END" if feature.kind == "numeric" else value
    wanted, whole = {"stale": present}, Place(place.start, place.end)
    last = altered.last_values(catalog, wanted, whole, None).column("stale")[0].as_py()
    if last is None:
        raise ScopeError(f"feature_stale: {feature.name} has no value before the fault that could be kept")
    if catalog.predictions.unit is None:
        lookup, on = None, "TRUE"
        text = literal(last)
    else:
        lookup, on = altered.last_values(catalog, wanted, whole, "unit"), f"r.unit = l.{identifier('by')}"
        text = f"coalesce(l.stale, {literal(last)})"
    return _feature_plan(
        catalog, fault, Alteration(place, fault.severity, {feature.name: text}, lookup=lookup, on=on)
    )


def _feature_swapped(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    one = _feature(catalog, fault.feature)
    others = [
        feature for feature in catalog.features if feature.kind == one.kind and feature.name != one.name
    ]
    if not others:
        raise ScopeError(f"feature_swapped: no other feature is {one.kind} like {one.name}")
    after = [feature for feature in others if catalog.features.index(feature) > catalog.features.index(one)]
    other = (after or others)[0] if fault.other is None else _feature(catalog, fault.other)
    if other not in others:
        raise ScopeError(f"feature_swapped: {other.name} is not another {one.kind} feature than {one.name}")
    changes = {one.name: _value(other), other.name: _value(one)}
    return _feature_plan(catalog, fault, Alteration(place, fault.severity, changes))


def _feature_plan(catalog: Catalog, fault: Fault, alteration: Alteration) -> Plan:
    """A fault in features: the columns take doubles where they are numbers, and scores are computed anew."""
    changed = {name: _feature(catalog, name) for name in alteration.columns}
    numeric = {name: _value(feature) for name, feature in changed.items() if feature.kind == "numeric"}
    after = {
        name: f"CAST({text} AS {'DOUBLE' if name in numeric else 'VARCHAR'})"
        for name, text in alteration.columns.items()
    }
    retyped = {**numeric, **_typed_scores(catalog)}
    whole = Alteration(
        alteration.place, alteration.share, alteration.columns, retyped, alteration.lookup, alteration.on
    )
    return Plan(fault, whole, rescored_features=after, decides=True)


def _scores_biased(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    section, size = catalog.predictions, fault.severity * kinds.SCORE_LOGITS
    if section.task == "regression":
        spread = altered.spread_before(catalog, "score", fault.start)
        if spread is None:
            raise ScopeError("scores_biased: predictions do not vary, so no bias has a size")
        changes = {section.score_columns[0]: f"score + {literal(size * spread)}"}
    elif section.task == "binary":
        inside = f"greatest(least(score, 1e0 - {_TINY}), {_TINY})"
        odds = f"ln({inside} / (1e0 - {inside})) + {literal(size)}"
        changes = {
            section.score_columns[0]: f"CASE WHEN scored THEN 1e0 / (1e0 + exp(-({odds}))) ELSE score END"
        }
    else:
        first, *rest = (typed.score_column(name) for name in section.classes)
        grown = f"{first} * {literal(math.exp(size))}"
        total = " + ".join((grown, *rest))
        texts = [grown, *rest]
        changes = {
            name: f"({text}) / ({total})" for name, text in zip(section.score_columns, texts, strict=True)
        }
    return Plan(fault, Alteration(place, 1.0, changes, _typed_scores(catalog)), decides=True)


def _scores_frozen(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    by = "version" if catalog.predictions.version is not None else None
    scores = {f"score_{i}": text for i, text in enumerate(_typed_scores(catalog).values())}
    lookup = altered.last_values(catalog, {**scores, "decision": "logged_decision"}, place, by)
    on = f"r.version = l.{identifier('by')}" if by else "TRUE"
    return _answered(catalog, fault, Alteration(place, fault.severity, lookup=lookup, on=on))


def _version_swapped(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    version = catalog.predictions.version
    if version is None or len(catalog.versions) < 2:
        raise ScopeError("version_swapped: needs logs with two versions or more")
    name = fault.version or str(live_version(catalog, fault))
    others = [str(one) for one in catalog.versions if one != name]
    if fault.other is not None and fault.other not in others:
        raise ScopeError(f'"{fault.other}" is not another version in the logs; known: {", ".join(others)}')
    place = Place(place.start, place.end, place.filters, (name,), place.seed)
    if catalog.predictions.request is not None:
        for other in others if fault.other is None else [fault.other]:
            lookup = altered.other_answers(catalog, place, other)
            if lookup.num_rows:
                plan = Alteration(place, fault.severity, lookup=lookup, on="r.request = l.request")
                return _answered(catalog, fault, plan, (f"{other} answers under the name of {name}",))
    other = fault.other or others[-1]
    changes, retyped = {version: literal(other)}, {version: "version"}
    note = f"requests that {name} answered are logged under {other}"
    return Plan(fault, Alteration(place, fault.severity, changes, retyped), notes=(note,))


def _answered(catalog: Catalog, fault: Fault, found: Alteration, notes: tuple[str, ...] = ()) -> Plan:
    """Scores and decisions from the lookup, where it has any."""
    section, scores = catalog.predictions, _typed_scores(catalog)
    changes = {
        name: f"coalesce(l.score_{i}, r.{scores[name]})" for i, name in enumerate(section.score_columns)
    }
    if section.decision is not None:
        words = altered.decision_words(catalog)
        changes[section.decision] = (
            f"coalesce({altered.word_cases('l.decision', words)}, r.{altered.raw(section.decision)})"
        )
    retyped = {name: f"r.{text}" for name, text in scores.items()}
    return Plan(
        fault, Alteration(found.place, found.share, changes, retyped, found.lookup, found.on), notes=notes
    )


def live_version(catalog: Catalog, fault: Fault) -> str | None:
    """The version a fault is about: its own, else the one released last before it, else the newest one there is."""
    if fault.version is not None or catalog.predictions.version is None:
        return fault.version
    return released_last(catalog, before=fault.start + timedelta.resolution)


def _requests_delayed(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    section = catalog.predictions
    changes, retyped = {}, {}
    if section.latency is not None:
        middle = altered.median_before(catalog, "latency", fault.start) or 1.0
        changes[section.latency] = f"latency + {literal(fault.severity * kinds.LATENCY_MEDIANS * middle)}"
        retyped[section.latency] = "latency"
    if section.received is not None:
        later = _SECOND.format(literal(fault.severity * kinds.RECEIVED_HOURS * 3_600.0))
        changes[section.received], retyped[section.received] = f"received + {later}", "received"
    if not changes:
        raise ScopeError(
            "requests_delayed: the project declares neither latency nor received, so nothing would show it"
        )
    return Plan(fault, Alteration(place, 1.0, changes, retyped))


def _traffic_lost(_catalog: Catalog, fault: Fault, place: Place) -> Plan:
    return Plan(fault, Alteration(place, fault.severity), effect="lost")


def _traffic_doubled(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    alteration = Alteration(place, fault.severity, retyped=_texts(catalog))
    return Plan(
        fault, alteration, effect="doubled", copies=(fault.severity,), of_labels=_labelled_by_id(catalog)
    )


def _burst(catalog: Catalog, fault: Fault, place: Place) -> Plan:
    turns = fault.severity * kinds.BURST_COPIES
    copies = tuple(min(1.0, turns - turn) for turn in range(math.ceil(turns)))
    alteration = Alteration(place, 1.0, retyped=_texts(catalog))
    return Plan(fault, alteration, effect="burst", copies=copies, of_labels=_labelled_by_id(catalog))


def _texts(catalog: Catalog) -> dict[str, str]:
    """Ids as text: copies of rows carry ids that no number could."""
    section = catalog.predictions
    return {name: role for role in ("id", "request") if (name := getattr(section, role)) is not None}


def _labelled_by_id(catalog: Catalog) -> bool:
    return catalog.has_label_feed and catalog.predictions.id is not None


_MAKERS: dict[str, Callable[[Catalog, Fault, Place], Plan]] = {
    "labels_flipped": _labels_flipped,
    "labels_delayed": _labels_delayed,
    "feature_null": _feature_null,
    "feature_scaled": _feature_scaled,
    "feature_shifted": _feature_shifted,
    "feature_stale": _feature_stale,
    "feature_swapped": _feature_swapped,
    "scores_biased": _scores_biased,
    "scores_frozen": _scores_frozen,
    "requests_delayed": _requests_delayed,
    "traffic_lost": _traffic_lost,
    "traffic_doubled": _traffic_doubled,
    "version_swapped": _version_swapped,
    "burst": _burst,
}


def _feature(catalog: Catalog, name: str | None) -> Feature:
    known = {feature.name: feature for feature in catalog.features}
    if name is None:
        raise ScopeError(f"this fault needs a feature; there are: {', '.join(known) or 'none'}")
    if name not in known:
        raise ScopeError(f'"{name}" is not a feature; known: {", ".join(known) or "none"}')
    return known[name]


def _number(catalog: Catalog, fault: Fault) -> Feature:
    feature = _feature(catalog, fault.feature)
    if feature.kind != "numeric":
        raise ScopeError(
            f"{fault.kind}: {feature.name} is {feature.kind}, and only a number can be; try feature_null"
        )
    return feature


def _value(feature: Feature) -> str:
    return f"CAST({feature.column} AS DOUBLE)" if feature.kind == "numeric" else feature.column


def _typed_scores(catalog: Catalog) -> dict[str, str]:
    """Logged score column -> the typed one."""
    section = catalog.predictions
    columns = [typed.score_column(name) for name in section.classes] or ["score"]
    return dict(zip(section.score_columns, columns, strict=True))


def features_before(catalog: Catalog) -> dict[str, str]:
    """Every feature as the model was given it."""
    return {
        f"before:{feature.name}": f"CAST({feature.column} AS {'DOUBLE' if feature.kind == 'numeric' else 'VARCHAR'})"
        for feature in catalog.features
    }


def features_after(plan: Plan) -> dict[str, str]:
    """The broken ones as the model would be given them."""
    return {f"after:{name}": text for name, text in plan.rescored_features.items()}


def both_columns(catalog: Catalog, rows: pa.Table, plan: Plan) -> tuple[dict[str, Column], dict[str, Column]]:
    """The columns of rows before and after."""
    before = {feature.name: _column(rows, f"before:{feature.name}", feature) for feature in catalog.features}
    after = {
        feature.name: _column(rows, f"after:{feature.name}", feature)
        for feature in catalog.features
        if feature.name in plan.rescored_features
    }
    return before, before | after


def _column(rows: pa.Table, name: str, feature: Feature) -> Column:
    if feature.kind == "numeric":
        return numbers(rows, name)
    return [str(value) if value is not None else None for value in rows.column(name).to_pylist()]


def scores_in(catalog: Catalog, table: pa.Table) -> Floats:
    """The scores of every row of an altered table, (n, k)."""
    return np.column_stack([numbers(table, name) for name in catalog.predictions.score_columns])


def with_scores(catalog: Catalog, table: pa.Table, scores: Floats, hit: npt.NDArray[np.bool_]) -> pa.Table:
    """The table with the scores of the rows that are hit set anew."""
    for place, name in enumerate(catalog.predictions.score_columns):
        old = table.column(name).to_numpy(zero_copy_only=False)
        new = np.where(hit & np.isfinite(scores[:, place]), scores[:, place], old)
        # a row without a score had none, and has none
        table = _set(table, name, pa.array(new, from_pandas=True, type=pa.float64()))
    return table


def with_decisions(catalog: Catalog, table: pa.Table, decided: Mapping[int, Any]) -> pa.Table:
    """The table with some rows' typed decisions, written as this project logs them."""
    name = catalog.predictions.decision
    if name is None or not decided:
        return table
    words = altered.decision_words(catalog)
    values = table.column(name).to_pylist()
    for place, value in decided.items():
        if value in words and values[place] is not None:
            values[place] = words[value]
    return _set(table, name, pa.array(values, type=table.schema.field(name).type))


def templates(
    table: pa.Table, hits: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The row that each chosen one becomes a copy of: one drawn row of its version."""
    lots, versions = table.column(DRAW).to_pylist(), table.column(VERSION).to_pylist()
    first: dict[Any, int] = {}
    for place in sorted(hits.tolist(), key=lambda one: lots[one]):
        first.setdefault(versions[place], place)
    return np.array([first[versions[place]] for place in chosen.tolist()], dtype=np.int64)


def copied(
    catalog: Catalog,
    table: pa.Table,
    chosen: npt.NDArray[np.int64],
    model: npt.NDArray[np.int64],
    suffix: str,
) -> pa.Table:
    """Rows like ``model`` at the times of ``chosen``, with ids of their own."""
    section = catalog.predictions
    there, rows = table.take(pa.array(chosen)), table.take(pa.array(model))
    for name in (section.timestamp, section.received, section.label_timestamp):
        if name is not None and name in table.column_names:
            rows = _set(rows, name, there.column(name))
    for name in (section.id, section.request):
        if name is not None and name in table.column_names:
            keys = [None if key is None else f"{key}{suffix}" for key in there.column(name).to_pylist()]
            rows = _set(rows, name, pa.array(keys, type=table.schema.field(name).type))
    return rows


def keyed_as_text(catalog: Catalog, table: pa.Table) -> pa.Table:
    """Label reports whose ids are text."""
    section = catalog.project.labels
    return table if section is None else _set(table, section.id, table.column(KEY))


def relabelled(catalog: Catalog, rows: pa.Table, said: Sequence[tuple[str, Any]]) -> pa.Table:
    """Reports with other ids and, where a word is given, another label."""
    section = catalog.project.labels
    if section is None:
        return rows
    kind = rows.schema.field(section.label).type
    labels = [
        word if word is not None else old
        for (_, word), old in zip(said, rows.column(section.label).to_pylist(), strict=True)
    ]
    rows = _set(rows, section.id, pa.array([key for key, _ in said], type=pa.string()))
    return _set(rows, section.label, pa.array(labels, type=kind))


def _set(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)
