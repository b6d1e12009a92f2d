"""Experiments asked of a workbench: the numbers of the logs, states that are said, and logs that are broken."""

from __future__ import annotations

import json
import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.errors import AssayError, ExpressionError, ProjectError, ScopeError, TelemetryError
from analytics.experiments.rows import Scorecard
from analytics.workbench import Workbench
from tests.aggregates.experiment_logs import Logs, Row, at, toml, write, write_rows

SPENT = {"kind": "mean", "value": "amount", "source": "events"}
BOUGHT = {"kind": "proportion", "value": "event = 'buy'", "source": "events"}
PRICE = {"kind": "ratio", "numerator": "amount", "denominator": "items", "source": "events"}
METRICS = {"spent": SPENT, "bought": BOUGHT, "price": PRICE}


def rows(n: int = 300, arms: tuple[str, ...] = ("A", "B"), seed: int = 0) -> tuple[list[Row], list[Row]]:
    """Exposures over ten days, and events after and before them."""
    rng = np.random.default_rng(seed)
    names = [f"u{i}" for i in range(n)]
    first = rng.uniform(48, 288, n)
    exposures = [
        {"unit": name, "variant": str(rng.choice(arms)), "ts": at(first[i])} for i, name in enumerate(names)
    ]
    events = [
        {
            "unit": names[(i := int(rng.integers(n)))],
            "ts": at(first[i] + float(rng.uniform(-48, 96))),
            "event": str(rng.choice(["buy", "view"])),
            "amount": float(rng.lognormal()),
            "items": float(rng.integers(1, 4)),
        }
        for _ in range(3 * n)
    ]
    return exposures, events


def logs(exposures: Any = None, events: Any = None, metrics: Any = None, **more: Any) -> Logs:
    usual = rows()
    arms = more.pop("variants", {"A": 0.5, "B": 0.5})
    experiment = {"control": next(iter(arms)), "variants": arms, **more.pop("experiment", {})}
    feeds = {
        "exposures": [usual[0] if exposures is None else exposures],
        "events": [usual[1] if events is None else events],
    }
    return Logs(feeds, METRICS if metrics is None else metrics, experiment, **more)


def ask(folder: Path, given: Logs, form: str = "parquet", **words: Any) -> Scorecard:
    bench = Workbench(write(folder, given, form))
    try:
        card = bench.scorecard(bench.scope(**words), name=given.name)
        strict(bench, given.name, **words)
        return card
    finally:
        bench.close()


def strict(bench: Workbench, name: str, **words: Any) -> list[dict[str, Any]]:
    """Records as strict JSON; none says that p is 1 where nothing was tested."""
    records = bench.experiment(name, bench.scope(**words)).to_records()
    json.dumps(records, allow_nan=False)
    for record in records:
        if record["status"] not in {"ok", "immature"}:
            assert record["p_value"] is None
            assert record["difference"] is None
            assert record["reason"]
    return records


def row(card: Scorecard, metric: str, variant: str = "B", method: str = "unadjusted") -> Any:
    (found,) = [r for r in card.rows if (r.metric, r.variant, r.method) == (metric, variant, method)]
    return found


def by_unit(exposures: list[Row], events: list[Row], until: Any = None) -> pd.DataFrame:
    """One row a unit of the simple logs above: sums after its only exposure, by pandas."""
    units = pd.DataFrame(exposures)
    joined = pd.DataFrame(events).merge(units, on="unit", suffixes=("", "_first"))
    after = joined[joined["ts"] >= joined["ts_first"]]
    if until is not None:
        after = after[after["ts"] < until]
    sums = after.assign(buy=after["event"] == "buy").groupby("unit")
    summed = sums.agg(amount=("amount", "sum"), items=("items", "sum"), buy=("buy", "max"))
    return units.merge(summed, on="unit", how="left").fillna({"amount": 0.0, "items": 0.0, "buy": False})


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_a_scorecard_holds_the_numbers_of_the_logs(tmp_path, form):
    exposures, events = rows()
    card = ask(tmp_path, logs(exposures, events), form)
    units = by_unit(exposures, events)
    arms = dict(iter(units.groupby("variant")))
    for metric, column in (("spent", "amount"), ("bought", "buy")):
        found = row(card, metric)
        assert (found.n, found.n_control) == (len(arms["B"]), len(arms["A"]))
        assert found.mean == pytest.approx(arms["B"][column].mean())
        assert found.mean_control == pytest.approx(arms["A"][column].mean())
        assert found.difference == pytest.approx(found.mean - found.mean_control)
        assert found.n_missing == 0
    ratio = row(card, "price")
    assert ratio.mean == pytest.approx(arms["B"]["amount"].sum() / arms["B"]["items"].sum())
    assert ratio.n == len(arms["B"])
    assert card.health.n_units == len(units)


def test_the_window_asked_for_chooses_units_by_their_first_exposure(tmp_path):
    exposures, events = rows()
    again = [{**one, "ts": one["ts"] + (at(120) - at(0))} for one in exposures]
    flipped = [{**one, "variant": "B" if one["variant"] == "A" else "A"} for one in again]
    card = ask(tmp_path, logs([*flipped, *exposures], events), start="2024-03-14", end="2024-03-17")
    units = by_unit(exposures, events)
    chosen = units[(units["ts"] >= at(144)) & (units["ts"] < at(216))]
    assert row(card, "spent").n == (chosen["variant"] == "B").sum()
    assert row(card, "spent").n_control == (chosen["variant"] == "A").sum()


def test_as_of_is_what_the_logs_said_then(tmp_path):
    exposures, events = rows()
    moment = at(200)
    then = logs(
        [one for one in exposures if one["ts"] <= moment],
        [one for one in events if one["ts"] <= moment],
        experiment={"start": at(60), "end": at(250), "covariate": "1 day"},
    )
    now = Logs({"exposures": [exposures], "events": [events]}, then.metrics, then.experiment)
    old = ask(tmp_path / "then", then)
    replayed = ask(tmp_path / "now", now, as_of=moment.isoformat())
    assert [(r.metric, r.method, r.n, r.mean, r.difference, r.p_value) for r in old.rows] == [
        (
            r.metric,
            r.method,
            r.n,
            pytest.approx(r.mean),
            pytest.approx(r.difference),
            pytest.approx(r.p_value),
        )
        for r in replayed.rows
    ]
    assert old.health.n_outside == replayed.health.n_outside
    assert old.health.n_units == replayed.health.n_units


# states


def test_nobody_was_exposed(tmp_path):
    card = ask(tmp_path, logs([{"unit": "u", "variant": "Z", "ts": at(1)}]))
    assert {r.status for r in card.rows} == {"no_data"}
    assert card.health.n_unknown == 1
    assert card.health.unknown == (("Z", 1),)


def test_an_arm_without_units_and_one_with_a_single_unit(tmp_path):
    exposures = [{"unit": f"u{i}", "variant": "A", "ts": at(1)} for i in range(20)]
    exposures.append({"unit": "alone", "variant": "B", "ts": at(1)})
    events = [
        {"unit": f"u{i}", "ts": at(2), "event": "buy", "amount": float(i), "items": 1.0} for i in range(10)
    ]
    given = logs(exposures, events, variants={"A": 0.4, "B": 0.3, "C": 0.3})
    card = ask(tmp_path, given)
    for metric in METRICS:
        assert row(card, metric, "B").status == "too_few"
        assert (row(card, metric, "B").n, row(card, metric, "B").n_control) == (1, 20)
        assert row(card, metric, "C").status == "no_data"
        assert (row(card, metric, "C").n, row(card, metric, "C").mean) == (0, None)
    assert card.decision.call not in {"won", "lost"}


def test_units_without_any_event(tmp_path):
    card = ask(
        tmp_path, logs(events=[{"unit": "nobody", "ts": at(1), "event": "buy", "amount": 1.0, "items": 1.0}])
    )
    for metric in METRICS:
        assert row(card, metric).status == "undefined"
        assert row(card, metric).n > 100
    assert row(card, "spent").mean == 0
    assert row(card, "price").mean is None


def test_shares_that_are_none_are_said(tmp_path):
    units = [
        {"unit": f"u{i}", "variant": "AB"[i % 2], "flag": (0.0, 0.5, 1.0, None)[i % 4]} for i in range(200)
    ]
    given = Logs(
        {"units": [units]},
        {"flagged": {"kind": "proportion", "value": "flag"}},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}},
        sections={"units": {"unit": "unit", "variant": "variant"}},
    )
    card = ask(tmp_path, given)
    found = row(card, "flagged")
    assert found.status == "undefined"
    assert found.reason.startswith("50 units have values other than 0 and 1")


def test_covariates_of_every_kind_give_a_second_row(tmp_path):
    exposures, events = rows()
    units = [
        {"unit": one["unit"], "before": float(i % 7) if i % 5 else None} for i, one in enumerate(exposures)
    ]
    metrics = {"spent": SPENT, "price": PRICE, "known": {**SPENT, "covariate": "before"}}
    given = Logs(
        {"exposures": [exposures], "events": [events], "units": [units]},
        metrics,
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}, "covariate": "2 days"},
    )
    card = ask(tmp_path, given)
    for metric in metrics:
        plain, cuped = row(card, metric), row(card, metric, method="cuped")
        assert plain.status == cuped.status == "ok"
        assert (plain.n, plain.n_control) == (cuped.n, cuped.n_control)


HOSTILE = ("'; DROP TABLE x; --", 'q"uote\n😀')


def test_hostile_names_come_back_as_they_are(tmp_path):
    exposures, events = rows(arms=HOSTILE)
    name, metric = "x'\"\n; --", "m'\"\n%s"
    card = ask(
        tmp_path, logs(exposures, events, {metric: SPENT}, name=name, variants=dict.fromkeys(HOSTILE, 0.5))
    )
    found = row(card, metric, HOSTILE[1])
    assert found.status == "ok"
    assert found.control == HOSTILE[0]


# what is wrong with the project or its logs is one line


def refused(folder: Path, given: Logs, error: type[AssayError], form: str = "parquet") -> str:
    with pytest.raises(error) as found:
        ask(folder, given, form)
    text = str(found.value)
    assert "\n" not in text
    assert str(folder / "assay.toml") in text
    return text


@pytest.mark.parametrize(
    "section, role, column, near",
    [
        ("exposures", "variant", "varient", "variant"),
        ("exposures", "unit", "unti", "unit"),
        ("events", "timestamp", "tss", "ts"),
    ],
)
def test_a_missing_column_names_its_key_and_the_nearest(tmp_path, section, role, column, near):
    keys = {"unit": "unit", "timestamp": "ts"} | ({"variant": "variant"} if section == "exposures" else {})
    text = refused(tmp_path, logs(sections={section: keys | {role: column}}), TelemetryError)
    assert f'{section}.{role} = "{column}"' in text
    assert f'did you mean "{near}"?' in text


@pytest.mark.parametrize(
    "metric, key, near",
    [
        ({**SPENT, "value": "amout"}, "value", 'did you mean "amount"'),
        ({**SPENT, "value": "sum(amount)"}, "value", "uses sum, but an expression is over one row"),
        ({**SPENT, "value": "event"}, "value", "gives a text"),
        ({**SPENT, "value": "(SELECT 1)"}, "value", "subquery"),
        ({**SPENT, "value": "amount; DROP TABLE x"}, "value", "not one"),
        ({**PRICE, "denominator": "item"}, "denominator", 'did you mean "items"'),
        ({**SPENT, "value": "'a\nb' = event_\n"}, "value", 'did you mean "event"'),
    ],
)
def test_an_expression_that_means_nothing_names_its_key(tmp_path, metric, key, near):
    text = refused(tmp_path, logs(metrics={"m": metric}), ExpressionError)
    assert f"metrics.m.{key}: " in text
    assert near in text


def test_an_experiment_without_units_to_assign(tmp_path):
    _, events = rows()
    experiment = {"control": "A", "variants": {"A": 0.5, "B": 0.5}}
    neither = Logs({"events": [events]}, METRICS, experiment)
    assert "needs [exposures]" in refused(tmp_path / "a", neither, ProjectError)
    points = {"points": {"kind": "mean", "value": "points", "source": "units"}}
    no_arm = Logs({"units": [[{"unit": "u", "points": 1.0}]]}, points, experiment)
    assert "units.variant" in refused(tmp_path / "b", no_arm, ProjectError)
    several = logs(others={"second": experiment})
    assert "exposures.experiment" in refused(tmp_path / "c", several, ProjectError)


def test_an_unknown_experiment_names_the_nearest(tmp_path):
    bench = Workbench(write(tmp_path, logs()))
    with pytest.raises(ProjectError, match='did you mean "test"'):
        bench.scorecard(name="tset")
    bench.close()


def test_a_window_that_ends_before_it_starts(tmp_path):
    bench = Workbench(write(tmp_path, logs(experiment={"start": at(50), "end": at(100)})))
    with pytest.raises(ScopeError):
        bench.scorecard(bench.scope(start="2025-01-01", end="2025-01-02"), name="test")
    bench.close()


# damaged logs


def predictions(folder: Path) -> str:
    """Predictions beside the experiment; their section."""
    frame = pd.DataFrame(
        {"id": range(400), "ts": pd.date_range("2024-03-01", periods=400, freq="h", tz="UTC")}
    )
    frame["score"] = (frame["id"] % 100) / 100
    frame["label"] = (frame["id"] % 3 == 0).astype(int)
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / "predictions.parquet")
    keys = {
        "path": "predictions.parquet",
        "task": "binary",
        "id": "id",
        "timestamp": "ts",
        "score": "score",
        "label": "label",
    }
    return "[predictions]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in keys.items())


@pytest.mark.parametrize("damage", ["missing", "column", "empty", "garbage", "folder"])
def test_faults_of_exposures_stop_experiments_only(tmp_path, damage):
    file = write(tmp_path, logs(), "csv")
    file.write_text(file.read_text().replace("[exposures]", predictions(tmp_path) + "[exposures]"))
    log = tmp_path / "exposures" / "part-0.csv"
    match damage:
        case "missing":
            log.unlink()
        case "column":
            log.write_text(log.read_text().replace("variant", "arm", 1))
        case "empty":
            log.write_text("")
        case "garbage":
            log.write_bytes(b"\x00\xff\xfe" * 300)
        case "folder":
            shutil.rmtree(tmp_path / "exposures")
    bench = Workbench(file)
    assert any(r.metric == "roc_auc" and r.status == "ok" for r in bench.quality())
    with pytest.raises(AssayError) as found:
        bench.scorecard(name="test")
    assert "exposures" in str(found.value)
    assert "\n" not in str(found.value)
    assert [r.feed for r in bench.telemetry()].count("predictions") == 1
    bench.close()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_half_written_lines_and_empty_files_are_passed_over(tmp_path, form):
    whole = ask(tmp_path / "whole", logs(), form)
    file = write(tmp_path / "torn", logs(), form)
    for feed in ("exposures", "events"):
        folder = file.parent / feed
        with (folder / f"part-0.{form}").open("a") as log:
            log.write("u0,2024-" if form == "csv" else '{"unit": "u0", "variant": "A", "ts"')
        (folder / f"part-1.{form}").write_text("")
        (folder / "part-2.parquet").write_bytes(b"PAR1 cut off")
    bench = Workbench(file)
    torn = bench.scorecard(name="test")
    for found, expected in zip(torn.rows, whole.rows, strict=True):
        assert (found.metric, found.n, found.status) == (expected.metric, expected.n, expected.status)
        assert found.mean == pytest.approx(expected.mean)
        assert found.p_value == pytest.approx(expected.p_value)
    report = {r.path: r for r in bench.telemetry()}
    assert report[f"events/part-0.{form}"].rejected == 1
    assert report["exposures/part-2.parquet"].problem
    bench.close()


def test_a_file_that_is_deleted_between_two_questions(tmp_path):
    exposures, events = rows()
    file = write(
        tmp_path,
        Logs(
            {"exposures": [exposures[:200], exposures[200:]], "events": [events]}, METRICS, logs().experiment
        ),
    )
    bench = Workbench(file)
    before = bench.scorecard(name="test")
    assert before.health.n_units == 300
    (tmp_path / "exposures" / "part-1.parquet").unlink()
    # an answer from memory needs no file; another question does
    after = bench.scorecard(bench.scope(as_of="2030-01-01"), name="test")
    assert after.health.n_units == 200
    (tmp_path / "exposures" / "part-0.parquet").unlink()
    with pytest.raises(TelemetryError, match=r"exposures\.path"):
        bench.scorecard(bench.scope(as_of="2030-01-02"), name="test")
    write_rows(tmp_path / "exposures" / "part-0", exposures, "parquet")
    bench.close()
    assert Workbench(file).scorecard(name="test").health.n_units == 300


def test_a_page_of_parquet_that_cannot_be_read_is_left_out(tmp_path):
    exposures, events = rows()
    file = write(
        tmp_path, Logs({"exposures": [exposures], "events": [events, events]}, METRICS, logs().experiment)
    )
    log = tmp_path / "events" / "part-1.parquet"
    content = bytearray(log.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)  # the head and the foot stay whole
    log.write_bytes(content)
    found = Workbench(file).scorecard(name="test")
    only = ask(tmp_path / "only", logs(exposures, events))
    assert row(found, "spent").mean == pytest.approx(row(only, "spent").mean)


# experiments without a model


def test_a_project_of_experiments_alone(tmp_path):
    bench = Workbench(write(tmp_path, logs()))
    assert bench.experiments == ("test",)
    assert {r.feed for r in bench.telemetry()} == {"exposures", "events"}
    assert all(r.problem is None and r.left_out == 0 for r in bench.telemetry())
    questions = (
        bench.quality, bench.confusion, bench.roc, bench.calibration, bench.score_histogram, bench.pairs,
        bench.segments, bench.drift, bench.examples, lambda: bench.histogram("amount"),
        lambda: bench.scope(where=["a=b"]),
    )  # fmt: skip
    for question in questions:
        with pytest.raises(
            ProjectError, match=r"this needs a \[predictions\] section, and there is none$"
        ) as found:
            question()
        assert "\n" not in str(found.value)
    assert len(bench.digest) > 10
    bench.close()


def test_telemetry_counts_what_an_experiment_leaves_out(tmp_path):
    exposures = [
        {"unit": "u1", "variant": "A", "ts": at(1)},
        {"unit": None, "variant": "A", "ts": at(1)},
        {"unit": "u2", "variant": "B", "ts": None},
        {"unit": "u3", "variant": None, "ts": at(2)},
    ]
    bench = Workbench(write(tmp_path, logs(exposures)))
    (report,) = [r for r in bench.telemetry() if r.feed == "exposures"]
    assert (report.rows, report.left_out) == (4, 2)
    assert bench.scorecard(name="test").health.n_rows_left_out == 2
    bench.close()


def test_order_of_rows_and_files_changes_nothing(tmp_path):
    exposures, events = rows(120)
    first = ask(tmp_path / "one", logs(exposures, events))
    rng = np.random.default_rng(1)
    order = rng.permutation(len(events))
    cut = [[events[i] for i in part] for part in np.array_split(order, 4)]
    again = ask(
        tmp_path / "many",
        Logs({"exposures": [exposures[60:], exposures[:60]], "events": cut}, METRICS, logs().experiment),
    )
    for one, other in zip(first.rows, again.rows, strict=True):
        for name in ("n", "mean", "mean_control", "difference", "p_value", "ci_low", "ci_high"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None and b is None) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


# types of columns


def replace(log: Path, column: str, values: pa.Array) -> None:
    """One column of a Parquet file, put in place of another or added."""
    table = pq.read_table(log)
    if column in table.column_names:
        pq.write_table(table.set_column(table.schema.get_field_index(column), column, values), log)
    else:
        pq.write_table(table.append_column(column, values), log)


@pytest.mark.parametrize("kind", ["int32", "uint64", "float64", "string", "decimal128(20, 0)", "dictionary"])
def test_units_are_the_same_in_any_type(tmp_path, kind):
    expected = ask(tmp_path / "text", logs())
    file = write(tmp_path / kind, logs())
    for feed in ("exposures", "events"):
        log = file.parent / feed / "part-0.parquet"
        numbers = pa.array(
            [int(name[1:]) for name in pq.read_table(log).column("unit").to_pylist()], pa.int64()
        )
        if feed == "events":
            types = {
                "decimal128(20, 0)": pa.decimal128(20, 0),
                "string": pa.string(),
                "dictionary": pa.string(),
            }
            numbers = numbers.cast(types.get(kind) or getattr(pa, kind)())
            numbers = numbers.dictionary_encode() if kind == "dictionary" else numbers
        replace(log, "unit", numbers)
    bench = Workbench(file)
    for found, one in zip(bench.scorecard(name="test").rows, expected.rows, strict=True):
        assert (found.n, found.n_control) == (one.n, one.n_control)
        assert found.mean == pytest.approx(one.mean)
    bench.close()


@pytest.mark.parametrize("zone, logged", [("UTC", "UTC"), ("America/New_York", None)])
@pytest.mark.parametrize("instant", [2**63 - 1, 1_709_856_000_000_000_000, -(2**61)])
def test_a_clock_that_is_far_off_is_left_out(tmp_path, zone, logged, instant):
    file = write(tmp_path, logs(metrics={"spent": {**SPENT, "window": "1 day"}}, time_zone=zone))
    for feed in ("exposures", "events"):
        log = tmp_path / feed / "part-0.parquet"
        times = pq.read_table(log).column("ts").cast(pa.int64()).to_pylist()
        times[0] = instant
        replace(log, "ts", pa.array(times, pa.int64()).cast(pa.timestamp("us", logged)))
    bench = Workbench(file)
    card = bench.scorecard(name="test")
    assert (card.health.n_units, card.health.n_rows_left_out) == (299, 1)
    assert card.health.n_open_window < 100
    bench.close()


def test_a_column_without_a_single_value_is_null(tmp_path):
    nothing = {"kind": "mean", "value": "coalesce(later, 2) * items / items", "source": "events"}
    file = write(tmp_path, logs(metrics={"nothing": nothing, "said": {**BOUGHT, "value": "later = 'x'"}}))
    n = pq.read_table(tmp_path / "events" / "part-0.parquet").num_rows
    replace(tmp_path / "events" / "part-0.parquet", "later", pa.nulls(n))
    bench = Workbench(file)
    card = bench.scorecard(name="test")
    assert row(card, "nothing").status == "ok"
    assert row(card, "said").mean == 0
    bench.close()


def test_several_threads_ask_at_once(tmp_path):
    bench = Workbench(write(tmp_path, logs()))
    alone = row(bench.scorecard(name="test"), "spent").mean
    moments = [bench.scope(as_of=f"2030-01-{day:02}") for day in range(1, 13)]
    with ThreadPoolExecutor(6) as pool:
        cards = list(pool.map(lambda scope: bench.scorecard(scope, name="test"), moments))
    assert [row(card, "spent").mean for card in cards] == [pytest.approx(alone)] * 12
    bench.close()


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_written_time_is_one_of_the_project(tmp_path, form):
    exposures = [{"unit": f"u{i}", "variant": "AB"[i % 2], "ts": at(1)} for i in range(40)]
    # from midnight to midnight in New York it is 5:00 to 4:00 in UTC: the clocks change on March 10
    events = [
        {"unit": f"u{i}", "ts": at(48 + i), "event": "buy", "amount": 1.0, "items": 1.0} for i in range(40)
    ]
    metrics = {
        "that_day": {**SPENT, "value": "ts >= '2024-03-10' AND ts < '2024-03-11'"},
        "zoned": {
            **SPENT,
            "value": "ts >= '2024-03-10T05:00:00Z' AND ts BETWEEN '2024-01-01' AND '2024-03-11T03:59:59+00:00'",
        },
        "number": {**SPENT, "value": "ts IN ('20240310', '1999-01-01')"},
    }
    card = ask(tmp_path, logs(exposures, events, metrics, time_zone="America/New_York"), form)
    for name, total in (("that_day", 23), ("zoned", 23), ("number", 1)):
        found = row(card, name)
        assert 20 * (found.mean + found.mean_control) == pytest.approx(total)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_time_of_a_prediction_keeps_its_zone(tmp_path, form):
    exposures = [{"unit": f"u{i}", "variant": "AB"[i % 2], "ts": at(1)} for i in range(40)]
    scored = [{"id": f"p{i}", "unit": f"u{i}", "ts": at(48 + i), "score": 0.5} for i in range(40)]
    that_day = {"kind": "mean", "value": "ts >= '2024-03-10' AND ts < '2024-03-11'", "source": "predictions"}
    feeds = {"exposures": [exposures], "predictions": [scored]}
    given = Logs(feeds, {"that_day": that_day}, logs().experiment, time_zone="America/New_York")
    found = row(ask(tmp_path, given, form), "that_day")
    assert 20 * (found.mean + found.mean_control) == pytest.approx(23)


COLUMNS = [
    'we"ird; col',
    "ünï",
    "a.b",
    "select",
    "column:x",
    "arm_variant",
    "Amount_",
    "$start",
    "after_0",
    "raw_0_value",
    "😀",
]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_columns_of_any_name_are_read(tmp_path, form):
    exposures, events = rows(40)
    for one in events:
        one.update(dict.fromkeys(COLUMNS, one["amount"]))
    quoted = ['"' + name.replace('"', '""') + '"' for name in COLUMNS]
    metrics = {"plain": SPENT, "all": {**SPENT, "value": " + ".join(quoted)}}
    card = ask(tmp_path, logs(exposures, events, metrics, experiment={"start": at(0)}), form)
    assert row(card, "all").mean == pytest.approx(len(COLUMNS) * row(card, "plain").mean)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_text_logs_without_a_value_yet(tmp_path, form):
    events = [{"unit": f"u{i}", "ts": at(300), "event": None, "amount": None, "items": 1.0} for i in range(9)]
    card = ask(tmp_path / "values", logs(events=events), form)
    assert row(card, "spent").mean == row(card, "bought").mean == 0
    if form == "csv":
        file = write(tmp_path / "rows", logs(), form)
        (file.parent / "events" / "part-0.csv").write_text("unit,ts,event,amount,items\n")
        assert row(Workbench(file).scorecard(name="test"), "spent").mean == 0
