"""A project file that points at other logs: every declared path absolute, some of them replaced."""

from __future__ import annotations

import glob
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from analytics.engines.text import WILDCARDS
from analytics.errors import ProjectError
from analytics.project import FILE_NAME


def write_project_file(source: Path, folder: Path, replaced: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write a copy of a project file into another folder.

    Args:
        source: the project file.
        folder: where the copy goes; must not be the folder of the source.
        replaced: section -> key -> value that stands there instead.

    Raises:
        ProjectError: the folder is the project's own.
    """
    folder = folder.resolve()
    if folder == source.parent.resolve():
        raise ProjectError(
            f"{folder}: a copy must not stand in the folder of the project itself; name another one"
        )
    data = tomllib.loads(source.read_text(encoding="utf-8-sig"))
    for name, section in data.items():
        if isinstance(section, dict) and "path" in section:
            patterns = [section["path"]] if isinstance(section["path"], str) else section["path"]
            data[name] = {
                **section,
                "path": [absolute(source.parent.resolve(), pattern) for pattern in patterns],
            }
    for name, keys in replaced.items():
        data[name] = {**data[name], **keys}
    file = folder / FILE_NAME
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(toml_text(data), encoding="utf-8")
    return file


def absolute(folder: Path, pattern: str) -> str:
    """A declared path, as it reads from anywhere."""
    given = Path(pattern).expanduser()
    if given.is_absolute():
        return str(given)
    found = folder / given
    if found.exists() or not any(sign in pattern for sign in WILDCARDS):
        return str(found)
    return f"{glob.escape(str(folder))}/{pattern}"


def toml_text(data: Mapping[str, Any]) -> str:
    r"""Plain values, lists and tables as TOML: what `tomllib` reads back is equal.

    >>> print(toml_text({"name": 'a "b"', "labels": {"path": ["x"], "day": date(2013, 3, 1)}, "odd key": 1.0}), end="")
    name = "a \"b\""
    "odd key" = 1.0
    <BLANKLINE>
    [labels]
    path = ["x"]
    day = 2013-03-01
    """
    plain = {name: value for name, value in data.items() if not isinstance(value, dict)}
    lines = [f"{_key(name)} = {_value(value)}" for name, value in plain.items()]
    for name, value in data.items():
        if isinstance(value, dict):
            lines += ["", f"[{_key(name)}]", *(f"{_key(key)} = {_value(one)}" for key, one in value.items())]
    return "\n".join((*lines, ""))


def _value(value: Any) -> str:  # noqa: PLR0911  # one line a type
    match value:
        case bool():
            return "true" if value else "false"
        case float() if not math.isfinite(value):
            return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return "{" + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(_value(one) for one in value) + "]"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _key(name: str) -> str:
    plain = name and all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in name)
    return name if plain else _text(name)


def _text(value: str) -> str:
    # JSON escapes what TOML asks for, but for the delete character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
