"""The table of a project file that says where stored aggregates lie and which pairs of segments they hold."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from analytics.project.base import Name, Section

LOCAL_ENGINE = "duckdb"
SPARK_CONNECT = "sc://"
ENGINE = "ASSAY_ENGINE"
PATH = "ASSAY_AGGREGATES"


class Aggregates(Section):
    """Stored aggregates.

    Attributes:
        path: the folder they lie in; the user's cache folder where left out.
        pairs: pairs of segments that are aggregated together, beside each segment alone.
    """

    path: Name | None = None
    pairs: tuple[tuple[Name, Name], ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for one, other in self.pairs:
            if one == other:
                raise ValueError(f'pairs: "{one}" is paired with itself')
        if len({frozenset(pair) for pair in self.pairs}) < len(self.pairs):
            raise ValueError("pairs: a pair is named twice")
        return self

    def folder(self, environment: Mapping[str, str] | None = None) -> str | None:
        """Where they lie: what the environment says, else what the file says; None for the user's cache folder."""
        known = os.environ if environment is None else environment
        return known.get(PATH) or self.path


def own_folder(kind: str, environment: Mapping[str, str] | None = None) -> Path:
    """The folder for what this user's programs can make again, as the platform has it.

    Args:
        kind: of what.
        environment: instead of this process's.

    >>> own_folder("facts", {"XDG_CACHE_HOME": "/var/cache/ana"}).as_posix()
    '/var/cache/ana/assay/facts'
    """
    known = os.environ if environment is None else environment
    named = known.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", "")
    # the specification says that a relative one is to be ignored
    if named and Path(named).is_absolute():
        return Path(named) / "assay" / kind
    try:
        return Path.home() / ".cache" / "assay" / kind
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir()) / f"assay-{kind}"


def _known_engine(value: str) -> str:
    if value != LOCAL_ENGINE and not value.startswith(SPARK_CONNECT):
        raise ValueError(
            f'must be "{LOCAL_ENGINE}" or the address of a Spark Connect server, {SPARK_CONNECT}HOST:PORT'
        )
    return value


Engine = Annotated[str, AfterValidator(_known_engine)]
"""What builds stored aggregates: this process, or a cluster behind Spark Connect."""
