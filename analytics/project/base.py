"""What the tables of a project file are made of: strict sections, and values with one clear complaint each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from analytics.durations import parse_duration

Task = Literal["binary", "multiclass", "regression"]
Block = Literal["hour", "day", "week", "none"]
LATER_TASKS = ("multilabel", "ranking")


def as_list(value: object) -> object:
    """One text as a list of one."""
    return [value] if isinstance(value, str) else value


def _as_duration(value: object) -> object:
    if not isinstance(value, str):
        # pydantic turns a ValueError into its own, and lets a TypeError through
        raise ValueError('write a duration as text, such as "7 days"')  # noqa: TRY004
    duration = parse_duration(value)
    if duration <= timedelta(0):
        raise ValueError("a duration must be longer than nothing")
    return duration


def _as_moment(value: object) -> object:
    if isinstance(value, str):
        try:
            return (
                datetime.fromisoformat(value) if len(value) > len("2013-03-01") else date.fromisoformat(value)
            )
        except ValueError:
            pass
    elif isinstance(value, date):
        return value
    raise ValueError("write a day (2013-03-01) or a time (2013-03-01T14:00:00)")


def keep_truth(value: object) -> object:
    """Refuse a truth value where a number is meant."""
    # TOML's true and 1 are different values, but true is a number to pydantic
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004
    return value


def _without_repeats(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'"{name}" is named twice')
    return names


def table_or(word: str) -> Callable[[object], str]:
    """Tell a table from the other kind of value a key takes."""
    # without this pydantic tells about every kind of value that was not meant
    return lambda value: "table" if isinstance(value, dict) else word


Number = Annotated[float, BeforeValidator(keep_truth), Field(allow_inf_nan=False, strict=True)]
Share = Annotated[float, BeforeValidator(keep_truth), Field(allow_inf_nan=False, strict=True, ge=0, le=1)]
LabelValue = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str
Paths = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(as_list), Field(min_length=1)
]
Duration = Annotated[timedelta, BeforeValidator(_as_duration)]
Moment = Annotated[datetime | date, BeforeValidator(_as_moment)]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(as_list), AfterValidator(_without_repeats)]


class Section(BaseModel):
    """A table of the project file: frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)
