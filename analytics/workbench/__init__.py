"""An open project: ask it questions, get typed results.

>>> from analytics.workbench import open_workbench
>>> bench = open_workbench("sample_logs/flights_delay_class")
>>> bench.quality(bench.scope(grain="all"))[0].metric
'roc_auc'
"""

from __future__ import annotations

from pathlib import Path

from analytics.errors import ProjectError
from analytics.project import find_projects
from analytics.workbench.of_alerts import OfAlerts
from analytics.workbench.of_changes import OfChanges
from analytics.workbench.of_experiments import OfExperiments
from analytics.workbench.of_features import OfFeatures
from analytics.workbench.of_labels import OfLabels
from analytics.workbench.of_outcomes import OfOutcomes
from analytics.workbench.of_quality import OfQuality
from analytics.workbench.of_rows import OfRows
from analytics.workbench.of_slices import OfSlices
from analytics.workbench.of_the_logs import OfTheLogs


class Workbench(
    OfQuality,
    OfSlices,
    OfFeatures,
    OfRows,
    OfLabels,
    OfChanges,
    OfOutcomes,
    OfExperiments,
    OfAlerts,
    OfTheLogs,
):
    """One project with its logs open, and every question that can be asked of it.

    Answers are those of the files as they are now (`OpenLogs` says how often they are looked at). Safe to share between
    threads.

    Args:
        file: the project file, or its folder.
        store: where decisions are kept, instead of what the environment says.
    """


def open_workbench(path: Path | str) -> Workbench:
    """Open one project: its file, its folder, or a workspace that holds just one.

    Raises:
        ProjectError: there is no project, or there are several.
    """
    files = find_projects(Path(path))
    if len(files) > 1:
        names = ", ".join(file.parent.name for file in files)
        raise ProjectError(f"{path}: holds several projects ({names}); name one of them")
    return Workbench(files[0])


def open_workspace(path: Path | str) -> tuple[Workbench, ...]:
    """Open every project of a file, a project folder or a workspace."""
    return tuple(Workbench(file) for file in find_projects(Path(path)))
