"""What the words mean: definition, formula, reading guide and limits of metrics, statistics and charts."""

from app.glossary.base import Explanation, Unit
from app.glossary.charts import CHARTS
from app.glossary.drift import DRIFT
from app.glossary.metrics import METRICS

__all__ = ["CHARTS", "DRIFT", "METRICS", "Explanation", "Unit", "explain", "title", "unit"]


def explain(word: str) -> Explanation:
    """The explanation of a metric, a drift statistic or a chart.

    Raises:
        KeyError: nothing is called so.
    """
    for family in (METRICS, DRIFT, CHARTS):
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
