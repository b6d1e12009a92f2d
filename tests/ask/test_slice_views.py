"""Map, tree, trend and comparison of slices: the same numbers as the questions that ask for them one by one."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from analytics.errors import ScopeError
from app.cli import cli
from tests.ask.projects import BINARY, dumps, write_project
from tests.ask.test_slices import PLANTED, planted


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    opened = write_project(tmp_path_factory.mktemp("views"), planted(), BINARY + PLANTED)
    yield opened
    opened.close()


def quality(bench, metric, **words):
    return [row for row in bench.quality(bench.scope(**words)) if row.metric == metric]


def test_a_cell_is_its_filter(bench):
    found = bench.error_map(bench.scope(), "accuracy", "site", "temp")
    dumps(found)
    assert len(found) == 3 * 7
    assert sum(row.n for row in found) == 12_000
    for row in found[::4]:
        (same,) = quality(bench, "accuracy", where=row.where)
        assert row.n == same.n_labelled
        assert row.value == pytest.approx(same.value)
        assert (row.ci_low, row.ci_high) == pytest.approx((same.ci_low, same.ci_high))
    worse = {row.where for row in found if row.worse}
    assert worse
    assert all("site=b" in where for where in worse)
    # pulled towards all rows
    assert all(
        abs(r.value_shrunken - r.value_whole) <= abs(r.value - r.value_whole) + 1e-9 for r in found if r.value
    )


def test_a_map_needs_two_known_fields(bench):
    for x, y in (("site", "site"), ("nonsense", "site")):
        with pytest.raises(ScopeError):
            bench.error_map(bench.scope(), "accuracy", x, y)
    assert {row.x for row in bench.error_map(bench.scope(), "accuracy", y="temp")} == {"site"}


def test_leaves_part_the_rows_and_say_where_they_are(bench):
    found = bench.error_tree(bench.scope(), "accuracy")
    dumps(found)
    by_node = {row.node: row for row in found}
    assert sum(row.n for row in found if row.leaf) == by_node[1].n
    for row in found:
        if row.parent is not None:
            sibling = by_node[row.node ^ 1]
            assert row.n + sibling.n == by_node[row.parent].n
            assert row.gap == pytest.approx(row.value - sibling.value)
            assert row.gap_ci_low <= row.gap <= row.gap_ci_high
    worst = min((row for row in found if row.leaf), key=lambda row: row.value)
    assert {word.partition("=")[0] for word in worst.where} == {"temp", "site"}
    # the filter selects rows that are as bad
    (same,) = quality(bench, "accuracy", where=worst.where)
    assert same.value == pytest.approx(worst.value, abs=0.05)
    rows = bench.catalog.engine.query(
        'SELECT count(*) AS n FROM (SELECT "column:temp" AS temp, "column:site" AS site FROM predictions) '
        f"WHERE {worst.sql}"
    )
    assert rows.to_pylist()[0]["n"] == same.n


def test_a_declared_segment_compares_as_segments_do(bench):
    found = bench.slice_compare(bench.scope(), ["site=b"])
    dumps(found)
    by_name = {(row.kind, row.name): row for row in found}
    for metric in ("log_loss", "accuracy", "roc_auc"):
        (same,) = (row for row in bench.segments(bench.scope(), metric) if row.segment_value == "b")
        row = by_name["quality", metric]
        assert (row.value, row.value_elsewhere) == pytest.approx((same.value, same.value_elsewhere))
        assert (row.difference_ci_low, row.p_value) == pytest.approx((same.difference_ci_low, same.p_value))
    for feature in ("temp", "kind", "noise"):
        (same,) = (row for row in bench.drift(bench.scope(), "segment=site=b") if row.feature == feature)
        assert by_name["feature", feature].difference == pytest.approx(same.total_variation)
        assert by_name["feature", feature].p_value == pytest.approx(same.p_value)
    assert ("feature", "site") not in by_name
    assert by_name["quality", "accuracy"].worse
    assert by_name["labels", "label_coverage"].differs is False


def test_the_trend_is_quality_by_week(bench):
    found = bench.slice_trend(bench.scope(grain="week"), ["site=b"], "accuracy")
    dumps(found)
    same = quality(bench, "accuracy", grain="week", where=["site=b"])
    assert [row.n for row in found] == [row.n_labelled for row in same]
    assert [row.value for row in found] == pytest.approx([row.value for row in same])


def test_a_slice_needs_a_condition_that_the_scope_leaves_open(bench):
    with pytest.raises(ScopeError, match="at least one condition"):
        bench.slice_compare(bench.scope(), [])
    with pytest.raises(ScopeError, match="clear that filter"):
        bench.slice_trend(bench.scope(where=["site=b"]), ["site=a"])


@pytest.mark.parametrize(
    "words",
    [
        ["slices", "--metric", "accuracy", "--depth", "2", "-k", "3"],
        ["slice-trend", "--slice", "site=b", "--grain", "week"],
        ["slice-compare", "--slice", "site=b", "--slice", "temp=[10, 20)"],
        ["error-map", "--x", "site", "--y", "kind"],
        ["error-tree", "--depth", "2"],
    ],
)
def test_commands_print_records_and_a_table(bench, words):
    command, *options = words
    folder = str(bench.project.folder)
    found = CliRunner().invoke(cli, [command, folder, *options, "--json"], catch_exceptions=False)
    assert found.exit_code == 0
    records = orjson.loads(found.stdout)
    assert records
    assert all(record["project"] == "test" for record in records)
    table = CliRunner().invoke(cli, [command, folder, *options], catch_exceptions=False)
    assert table.exit_code == 0
    assert "─" in table.stdout
