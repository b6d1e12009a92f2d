"""`assay experiment-health` and `experiment-ages`: sentences for people, records for programs."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from app.cli import cli
from tests.app.views.experiment_projects import shop


@pytest.fixture
def run(tmp_path):
    folders = {lost: shop(tmp_path / str(lost) / "shop", lost=lost) for lost in (0, 250)}

    def ran(command, *more, lost=250):
        folder = folders[lost]
        found = CliRunner().invoke(cli, [command, str(folder), "new_shop", *more])
        assert found.exit_code == 0, found.output
        return found.stdout, found.stderr

    return ran


def test_health_says_first_what_blocks(run):
    out, err = run("experiment-health")
    assert "shop: Do not trust this comparison: the split is not as planned" in err
    levels = [line.split()[0] for line in out.splitlines()[2:] if line and not line.startswith(" ")]
    assert levels[0] == "blocks"
    assert levels == sorted(levels, key=["blocks", "warns", "unknown", "fine"].index)
    assert (
        "srm_cause (one app version, browser or country): Cannot be told: no segments are declared"
        in " ".join(out.split())
    )


def test_health_as_records(run):
    out, _ = run("experiment-health", "--json")
    records = orjson.loads(out)
    assert {"srm", "balance", "crossed", "logs", "srm_cause"} <= {record["name"] for record in records}
    split = next(record for record in records if record["name"] == "srm")
    assert (split["project"], split["level"], split["threshold"]) == ("shop", "blocks", 0.001)
    assert split["p_value"] < 0.001


def test_ages_as_records(run):
    out, err = run("experiment-ages", "--json", lost=0)
    records = orjson.loads(out)
    assert {record["metric"] for record in records} == {"bought", "spent"}
    assert [record["day"] for record in records if record["metric"] == "bought"][:3] == [0, 1, 2]
    assert "units are left out: they were not followed for all of the" in err
