"""Which logged values are not what the project file says they are.

One `Check` a role: ``logged`` says that something stands there, ``usable`` that it can be used. A value
that is logged and not usable is invalid: it is left out where it is needed, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from analytics.engines.text import identifier
from analytics.project import Labels, Project, Series
from analytics.telemetry import casts, typed
from analytics.telemetry.feeds import Group


@dataclass(frozen=True)
class Check:
    """Two SQL conditions over a raw row of one group of files.

    Attributes:
        role: what the column stands for; ``feature <name>`` for a feature.
        logged: something is logged.
        usable: it is of the declared kind.
    """

    role: str
    logged: str
    usable: str

    @property
    def invalid(self) -> str:
        """The condition of an invalid value."""
        return f"({self.logged}) AND ({self.usable}) IS NOT TRUE"


def prediction_checks(project: Project, group: Group, types: dict[str, str]) -> list[Check]:
    """The checks of predictions, or of reference files of the same shape."""
    section = project.require_predictions()
    checks = [
        _instant("timestamp", section.timestamp, group, project),
        _instant("received", section.received, group, project),
        *(
            _score(role, column, group, project)
            for role, column in section.roles().items()
            if _is_score(role)
        ),
        _label(section.label, group, project),
        _instant("label_timestamp", section.label_timestamp, group, project),
        _plain("decision", section.decision, group, f"{typed.logged_decision(section, group)} IS NOT NULL"),
        _plain("latency", section.latency, group, f"{typed.latency(section, group)} IS NOT NULL"),
    ]
    if section.weight is not None and group.kind(section.weight) is not None:
        # a row without a weight cannot be used either, so nothing counts like something wrong
        checks.append(Check("weight", "TRUE", f"{typed.weight(section, group)} > 0e0"))
    taken = {*section.roles().values(), *section.private}
    checks += [
        _feature(name, group, target)
        for name, target in types.items()
        if name not in taken and target != "VARCHAR"
    ]
    return [check for check in checks if check.logged != "FALSE"]


def label_checks(project: Project, section: Labels, group: Group) -> list[Check]:
    """The checks of a label feed."""
    checks = [_label(section.label, group, project), _instant("timestamp", section.timestamp, group, project)]
    return [check for check in checks if check.logged != "FALSE"]


def experiment_checks(project: Project, name: str, group: Group, types: dict[str, str]) -> list[Check]:
    """The checks of exposures, events or units: a unit, a time where one is declared, columns of one type."""
    roles: dict[str, str] = getattr(project, name).model_dump(exclude={"path", "segments"}, exclude_none=True)
    # a row that belongs to nobody cannot be used, so nothing counts like something wrong
    checks = [
        Check("unit", "TRUE", f"{typed.cast(group, roles['unit'], casts.as_key, 'VARCHAR')} IS NOT NULL")
    ]
    if "timestamp" in roles:
        checks.append(_instant("timestamp", roles["timestamp"], group, project))
    checks += [
        replace(_feature(column, group, target), role=f"column {column}")
        for column, target in types.items()
        if column not in roles.values() and target != "VARCHAR"
    ]
    return [check for check in checks if check.logged != "FALSE"]


def series_checks(project: Project, section: Series, group: Group) -> list[Check]:
    """The checks of a series: a time, a name, a finite number."""
    name = typed.cast(group, section.name, casts.as_key, "VARCHAR")
    number = typed.cast(group, section.value, casts.as_double, "DOUBLE")
    return [
        _instant("timestamp", section.timestamp, group, project),
        # a reading that is called nothing cannot be used, so nothing counts like something wrong
        Check("name", "TRUE", f"{name} IS NOT NULL"),
        _plain("value", section.value, group, f"isfinite({number})"),
    ]


def _is_score(role: str) -> bool:
    return role == "score" or role.startswith("score.")


def _logged(name: str | None, group: Group) -> str:
    kind = group.kind(name) if name is not None else None
    return "FALSE" if name is None or kind is None else casts.present(identifier(name), kind)


def _plain(role: str, name: str | None, group: Group, usable: str) -> Check:
    return Check(role, _logged(name, group), usable)


def _instant(role: str, name: str | None, group: Group, project: Project) -> Check:
    return _plain(role, name, group, casts.usable_instant(f"({typed.instant(group, name, project)})"))


def _score(role: str, name: str, group: Group, project: Project) -> Check:
    number = typed.cast(group, name, casts.as_double, "DOUBLE")
    return _plain(role, name, group, typed.score_is_usable(project.require_predictions(), f"({number})"))


def _label(name: str | None, group: Group, project: Project) -> Check:
    expression = typed.label_expression(project.require_predictions(), group, name)
    logged = _logged(name, group)
    if name is not None and group.kind(name) in {"DOUBLE", "FLOAT"}:
        # data frames write NaN where a label is still missing
        logged = f"{logged} AND NOT isnan({identifier(name)})"
    return Check("label", logged, f"({expression}) IS NOT NULL")


def _feature(name: str, group: Group, target: str) -> Check:
    kind = group.kind(name)
    if kind is None or kind == target:
        return Check(f"feature {name}", "FALSE", "TRUE")
    value = casts.as_column(identifier(name), kind, target)
    return Check(f"feature {name}", casts.present(identifier(name), kind), f"({value}) IS NOT NULL")
