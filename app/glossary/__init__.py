"""What the words mean: definition, formula, reading guide and limits of metrics, statistics and charts."""

from app.formats import number, percent
from app.glossary.alerts import ALERTS
from app.glossary.base import Explanation, Unit
from app.glossary.calibration import CALIBRATION
from app.glossary.causes import CAUSES
from app.glossary.changed import EXPLAIN
from app.glossary.changes import CHANGES
from app.glossary.charts import CHARTS
from app.glossary.decisions import DECISIONS
from app.glossary.drift import DRIFT
from app.glossary.drift_alarms import ALARMS
from app.glossary.drills import DRILLS
from app.glossary.estimated import ESTIMATED
from app.glossary.examples import EXAMPLES
from app.glossary.experiment_kinds import EXPERIMENT_KINDS
from app.glossary.experiment_methods import EXPERIMENT_METHODS
from app.glossary.experiment_structure import STRUCTURE
from app.glossary.experiment_time import TIME
from app.glossary.experiment_trust import TRUST
from app.glossary.experiments import EXPERIMENTS
from app.glossary.features import FEATURES
from app.glossary.labels import LABELS
from app.glossary.ledger import LEDGER
from app.glossary.metrics import METRICS
from app.glossary.multivariate import MULTIVARIATE
from app.glossary.outcomes import OUTCOMES
from app.glossary.plans import PLANS
from app.glossary.populations import POPULATIONS
from app.glossary.review import REVIEW
from app.glossary.service import SERVICE
from app.glossary.slices import SLICES
from app.glossary.tables import TABLES

__all__ = [
    "ALARMS",
    "CALIBRATION",
    "CAUSES",
    "CHARTS",
    "DECISIONS",
    "DRIFT",
    "ESTIMATED",
    "EXAMPLES",
    "EXPERIMENTS",
    "EXPERIMENT_KINDS",
    "EXPERIMENT_METHODS",
    "EXPLAIN",
    "LABELS",
    "METRICS",
    "MULTIVARIATE",
    "OUTCOMES",
    "PLANS",
    "TABLES",
    "Explanation",
    "Unit",
    "explain",
    "inside",
    "show",
    "title",
    "unit",
]


def explain(word: str) -> Explanation:
    """The explanation of a metric, a drift statistic, a chart or a method of experiments.

    Raises:
        KeyError: nothing is called so.
    """
    for family in (
        METRICS,
        DRIFT,
        ALARMS,
        CHARTS,
        TABLES,
        EXPERIMENTS,
        EXPERIMENT_KINDS,
        EXPERIMENT_METHODS,
        STRUCTURE,
        TIME,
        TRUST,
        POPULATIONS,
        SLICES,
        REVIEW,
        DECISIONS,
        LABELS,
        MULTIVARIATE,
        CALIBRATION,
        ESTIMATED,
        FEATURES,
        CHANGES,
        EXPLAIN,
        CAUSES,
        LEDGER,
        ALERTS,
        OUTCOMES,
        PLANS,
        EXAMPLES,
        SERVICE,
        DRILLS,
    ):
        if word in family:
            return family[word]
    raise KeyError(word)


def title(word: str) -> str:
    """The name people read for a metric, a statistic or a chart.

    >>> title("roc_auc"), title("psi")
    ('ROC AUC', 'Population stability index')
    """
    return explain(word).title


def unit(metric: str) -> Unit:
    """How a metric's value is written.

    >>> unit("recall"), unit("log_loss")
    ('share', 'number')
    """
    return explain(metric).unit


def show(metric: str, value: float | None) -> str:
    """A metric's value as people read it.

    >>> show("recall", 0.5), show("log_loss", 0.5)
    ('50%', '0.500')
    """
    return percent(value) if unit(metric) == "share" else number(value)


def inside(name: str) -> str:
    """A title inside a sentence: small, unless it is a name.

    >>> inside("Log loss"), inside("ROC AUC"), inside("F1")
    ('log loss', 'ROC AUC', 'F1')
    """
    is_name = name[:2].isupper() or name.startswith(("F1", "R squared", "Matthews", "Brier"))
    return name if is_name else name[0].lower() + name[1:]
