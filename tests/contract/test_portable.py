"""Every aggregate that is kept up to date stays inside the portable subset of SQL."""

from __future__ import annotations

import pytest

from analytics.building.standard import standard
from analytics.engines.dialect import problems
from analytics.engines.text import Sql
from tests.contract.conftest import TASKS
from tests.contract.questions import stored

KINDS = {
    "binary": {"moments", "decisions", "reliability", "scores", "drift", "requests", "latency"},
    "unweighted": {"moments", "decisions", "reliability", "scores", "drift", "requests", "latency"},
    "regression": {"moments", "drift", "requests", "latency"},
    "multiclass": {"moments", "decisions", "drift", "requests", "latency"},
}


@pytest.mark.parametrize("task", TASKS)
def test_no_text_says_what_engines_understand_differently(task, catalogs) -> None:
    names = set()
    for one in standard(catalogs[task]):
        names.add(one.additive.name)
        # its own text alone, and then with that of the rows it is asked of
        assert problems(one.additive.query(Sql("SELECT * FROM given")).text) == (), one.additive.name
    assert names >= KINDS[task]
    for name, sql in stored(catalogs[task]):
        assert problems(sql.text) == (), name
