"""Questions about the log files, and the stored aggregates of them."""

from __future__ import annotations

from collections.abc import Callable

from analytics.aggregates.stored_days import Built, ProjectParts, attach, attached
from analytics.ask import telemetry as ask_telemetry
from analytics.building.build import Build, bring_up_to_date, kept_up_to_date
from analytics.building.build import Progress as BuildProgress
from analytics.building.verify import Verified, verify
from analytics.results import Results
from analytics.telemetry.report import FileRow
from analytics.workbench.open_logs import OpenLogs


class OfTheLogs(OpenLogs):
    """The files, and what is stored of them."""

    def telemetry(self) -> Results[FileRow]:
        """What every log file holds, and what of it was left out."""
        return self._ask(ask_telemetry.telemetry_of)

    def built(self) -> Built | None:
        """When stored aggregates were last built, and of how many rows; None where there are none."""
        catalog = self.catalog
        if not isinstance(catalog.parts, ProjectParts):
            return None
        return catalog.parts.built(kept_up_to_date(catalog).values())

    def aggregate(
        self, tell: Callable[[BuildProgress], None] = lambda _: None, *, anew: bool = False
    ) -> Build:
        """Bring stored aggregates up to date; answers that are asked for meanwhile do not wait.

        Args:
            tell: called with the progress, from this thread.
            anew: forget everything that is stored first.
        """
        found = bring_up_to_date(self.project, tell, anew=anew)
        with self._lock:
            if self._catalog is not None and self._catalog.parts is None:
                attach(self._catalog)
        return found

    def verify_aggregates(self, tell: Callable[[BuildProgress], None] = lambda _: None) -> Verified:
        """Compare stored aggregates with a rebuild from scratch."""
        catalog = self.catalog
        return verify(catalog, attached(catalog), tell)
