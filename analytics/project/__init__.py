"""The project file ``assay.toml``: what is logged where, and what is normal.

`read_project` turns the file into a frozen, validated `Project`. Everything wrong with the file is one
`ProjectError` line that names the file, the key, what was found and what would be accepted.
"""

from analytics.project.base import Block, LabelValue, Task
from analytics.project.experiments import (
    SHARES,
    Boundary,
    Correction,
    Counts,
    Crossed,
    Events,
    Experiment,
    Exposures,
    Guardrail,
    Metric,
    MetricKind,
    MetricSource,
    ModelMetric,
    OpenWindows,
    Phase,
    Prior,
    Series,
    Stopping,
    Units,
)
from analytics.project.logs import (
    STANDARD_TOLERANCE,
    Costs,
    Drift,
    Labels,
    Predictions,
    Quality,
    Reference,
    Release,
    ReleaseLog,
    Tolerance,
)
from analytics.project.model import Project
from analytics.project.read import FILE_NAME, NOT_YET, find_projects, read_project

__all__ = [
    "FILE_NAME",
    "NOT_YET",
    "SHARES",
    "STANDARD_TOLERANCE",
    "Block",
    "Boundary",
    "Correction",
    "Costs",
    "Counts",
    "Crossed",
    "Drift",
    "Events",
    "Experiment",
    "Exposures",
    "Guardrail",
    "LabelValue",
    "Labels",
    "Metric",
    "MetricKind",
    "MetricSource",
    "ModelMetric",
    "OpenWindows",
    "Phase",
    "Predictions",
    "Prior",
    "Project",
    "Quality",
    "Reference",
    "Release",
    "ReleaseLog",
    "Series",
    "Stopping",
    "Task",
    "Tolerance",
    "Units",
    "find_projects",
    "read_project",
]
