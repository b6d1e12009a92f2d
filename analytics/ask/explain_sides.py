"""What a window is compared with: the reference, an earlier window, another version or another segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from analytics.aggregates.change_parts import Side
from analytics.aggregates.reference_bins import reference_version_of
from analytics.ask.drift_against import Against, shifted
from analytics.ask.windows import resolve, versions_of
from analytics.errors import ProjectError, ScopeError
from analytics.scope import Filter, Scope, Window, format_instant
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Kind = Literal["reference", "window", "version", "segment"]
COMPARE = ("reference", "previous", "last-week", "version=NAME", "segment=COLUMN=VALUE")


@dataclass(frozen=True)
class Comparison:
    """Two sides of one change.

    Attributes:
        kind: what sets them apart.
        before, after: the rows.
        version: of the rows after.
        words: the side before, as a sentence says it.
        window: the stretch after.
        before_window: the stretch before; None for the reference.
        apart: columns that the sides are filtered by differently: they tell nothing new.
    """

    kind: Kind
    before: Side
    after: Side
    version: str | None
    words: str
    window: Window
    before_window: tuple[datetime, datetime] | None
    apart: frozenset[str]


def before_of(
    catalog: Catalog,
    scope: Scope,
    compare: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Scope | None:
    """The other side as a scope, from what is typed; None stands for the reference.

    Args:
        catalog: the project's views.
        scope: the window that changed.
        compare: one of `COMPARE`; the reference, or the window before where none is declared, if left out.
        start, end: of the other window; both or neither, and without ``compare``.

    Raises:
        ScopeError: the words do not go together, or name nothing there is.
        ProjectError: there is no reference.
    """
    if start is not None or end is not None:
        if start is None or end is None:
            raise ScopeError("the other window needs both ends: --compare-start and --compare-end")
        if compare is not None:
            raise ScopeError(f"compare: {compare} and the ends of another window exclude each other")
        return replace(scope, start=start, end=end, grain="all", by=None)
    if compare is None:
        return None
    against = Against.parse(compare, catalog.project)
    if against.kind == "reference":
        if "reference" not in catalog.sources:
            raise ProjectError(
                f"{catalog.project.file}: reference: this compares with a [reference], and there is none"
            )
        return None
    if against.kind == "version":
        versions_of(catalog, replace(scope, versions=(str(against.name),)))
        return replace(scope, versions=(str(against.name),), grain="all", by=None)
    if against.kind == "segment":
        return _other_segment(scope, against)
    return _earlier(catalog, scope, against)


def _other_segment(scope: Scope, against: Against) -> Scope:
    name, value = str(against.name), str(against.value)
    if not any(one.kind == "segment" and one.name == name for one in scope.filters):
        raise ScopeError(
            f"compare: say which rows are compared with {name}={value}: filter by {name}, such as --where {name}=VALUE"
        )
    others = tuple(one for one in scope.filters if one.name != name)
    return replace(scope, filters=(*others, Filter("segment", name, value)), grain="all", by=None)


def _earlier(catalog: Catalog, scope: Scope, against: Against) -> Scope:
    resolved, windows = resolve(catalog, replace(scope, grain="all", by=None))
    if not windows:
        return resolved
    before = shifted(windows[:1], resolved, against.kind, catalog.project)[0]
    return replace(resolved, start=before.start, end=before.end)


def comparisons(catalog: Catalog, scope: Scope, before: Scope | None) -> Iterator[Comparison]:
    """The two sides of every version of a scope whose ends are set.

    Args:
        catalog: the project's views.
        scope: the window after, grain all, not split.
        before: the other side; None for the reference or, where there is none, the window before.
    """
    if scope.start is None or scope.end is None:
        return
    window = Window(scope.start, scope.end, datetime(1970, 1, 1))  # noqa: DTZ001  # the key of grain "all"
    for version in versions_of(catalog, scope):
        if before is None and catalog.reference_versions:
            yield _with_reference(catalog, scope, window, version)
            continue
        other = before or _earlier(catalog, scope, Against("previous"))
        if other.versions and version not in other.versions and len(other.versions) > 1:
            raise ScopeError("compare: name one version to compare with")
        yield _with_scope(catalog, scope, (window, version), other)


def _with_reference(catalog: Catalog, scope: Scope, window: Window, version: str | None) -> Comparison:
    name = reference_version_of(catalog, version)
    plain = replace(scope, versions=())
    return Comparison(
        "reference", Side(scoped_rows(catalog, plain, "reference"), name), Side(scoped_rows(catalog, plain), version),
        version, "the reference", window, None, frozenset(),
    )  # fmt: skip


def _with_scope(catalog: Catalog, scope: Scope, mine: tuple[Window, str | None], before: Scope) -> Comparison:
    window, version = mine
    other, _ = resolve(catalog, replace(before, grain="all", by=None, as_of=before.as_of or scope.as_of))
    named = other.versions[0] if len(other.versions) == 1 else version
    apart = frozenset(
        one.name
        for one in (*scope.filters, *other.filters)
        if (one in scope.filters) != (one in other.filters)
    )
    same_window = (other.start, other.end) == (scope.start, scope.end)
    kind: Kind = "segment" if apart else "version" if named != version and same_window else "window"
    ends = None if other.start is None or other.end is None else (other.start, other.end)
    rows = (
        scoped_rows(catalog, replace(other, versions=())),
        scoped_rows(catalog, replace(scope, versions=())),
    )
    return Comparison(
        kind, Side(rows[0], named), Side(rows[1], version), version, _words(catalog, kind, other, named, window),
        window, ends, apart,
    )  # fmt: skip


def _words(catalog: Catalog, kind: Kind, other: Scope, named: str | None, window: Window) -> str:
    if kind == "version":
        return f"version {named}"
    if kind == "segment":
        return " and ".join(one.sentence for one in other.filters) or "all rows"
    if other.start is None or other.end is None:
        return "the window before"
    length = window.end - window.start
    if other.end == window.start and abs((other.end - other.start) - length) < timedelta(hours=2):
        return "the window before it"
    start, end = (format_instant(moment, catalog.project.zone) for moment in (other.start, other.end))
    return f"{start} to {end}"


def utc(moment: datetime) -> datetime:
    """The same instant in UTC."""
    return moment.astimezone(UTC)
