"""What answers questions over rows besides the engine of this process: a cluster, where the project names one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from analytics.engines.text import Sql

if TYPE_CHECKING:
    from analytics.telemetry.catalog import Catalog


class Live(Protocol):
    """A cluster with the views of a catalog; `analytics.telemetry.cluster.LiveCluster` is one."""

    def query(self, make: Callable[[Catalog], Sql]) -> pa.Table:
        """Answer a question on the cluster.

        Args:
            make: the question, from the catalog as it is there.
        """
        ...

    def said(self) -> str | None:
        """What was asked there by this thread since it last asked so, and how long that took; None for nothing."""
        ...

    def close(self) -> None:
        """Leave the cluster."""
        ...
