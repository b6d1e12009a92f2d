"""What `assay init` proposes can be read back, and opens the logs where they hold enough."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.errors import TelemetryError
from analytics.project import Project, read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.propose import Proposal, propose
from tests.telemetry.logs import csv, put


def proposed(base: Path, *logs: str) -> tuple[Project, Proposal]:
    proposal = propose([str(base / one) for one in logs], base)
    (base / "assay.toml").write_text(proposal.text, encoding="utf-8")
    return read_project(base), proposal


def table(n: int = 300, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    start = np.datetime64("2024-01-01T00:00:00")
    return {
        "request": [f"r{i}" for i in range(n)],
        "when": start + np.arange(n).astype("timedelta64[m]"),
        "y_prob": rng.uniform(size=n),
        "amount": rng.normal(size=n),
        "country": rng.choice(["de", "fr", "it"], n),
    } | more


def write(folder: Path, name: str, columns: dict[str, Any]) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / name)


@pytest.mark.parametrize("name", ["flights", "flights_delay_class", "flights_minutes"])
def test_the_sample_projects_are_guessed_like_their_authors_wrote_them(
    root: Path, tmp_path: Path, name: str
) -> None:
    source = root / "sample_logs" / name
    shutil.copytree(source, tmp_path / name)
    written = read_project(source)
    guessed, proposal = proposed(tmp_path / name, ".")
    assert proposal.complete
    ours, theirs = guessed.require_predictions(), written.require_predictions()
    assert ours.task == theirs.task
    assert ours.score == theirs.score
    assert ours.classes == theirs.classes
    for role in (
        "id",
        "timestamp",
        "decision",
        "version",
        "unit",
        "latency",
        "status",
        "ok_status",
        "request",
        "label",
    ):
        assert getattr(ours, role) == getattr(theirs, role), role
    assert set(ours.features or ()) == set(theirs.features or ())
    if written.labels is None:
        assert guessed.labels is None
    else:
        assert guessed.labels is not None
        assert guessed.labels.model_dump(exclude={"path"}) == written.labels.model_dump(exclude={"path"})
    there, here = Catalog(written), Catalog(guessed)
    assert here.extent == there.extent
    assert here.versions == there.versions
    # a reference in files of its own is told by its folder; one inside the predictions cannot be
    assert ("reference" in here.feeds) == ("reference" in there.feeds)


def test_classes_by_their_sum(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1, 1], 300)
    columns = table(**{f"score_{name}": shares[:, i] for i, name in enumerate(["cat", "dog", "owl"])})
    del columns["y_prob"]
    write(tmp_path, "a.parquet", columns | {"predicted": np.array(["cat", "dog", "owl"])[shares.argmax(1)]})
    project, _ = proposed(tmp_path, "a.parquet")
    section = project.require_predictions()
    assert section.task == "multiclass"
    assert section.score == {"cat": "score_cat", "dog": "score_dog", "owl": "score_owl"}
    assert section.decision == "predicted"
    Catalog(project)


def test_columns_that_only_look_like_classes_are_features(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write(tmp_path, "a.parquet", table(p_rain=rng.uniform(size=300), p_snow=rng.uniform(size=300)))
    section = proposed(tmp_path, "a.parquet")[0].require_predictions()
    assert (section.task, section.score) == ("binary", "y_prob")
    assert {"p_rain", "p_snow"} <= set(section.features or ())


@pytest.mark.parametrize(
    "labels, positive",
    [
        (["yes", "no"], "yes"),
        ([1, 0], 1),
        ([True, False], 1),
        (["fraud", "fine"], "fraud"),
        ([2, 1], 2),
        ([-1, 1], 1),
    ],
)
def test_the_positive_class(tmp_path: Path, labels: list[Any], positive: Any) -> None:
    write(tmp_path, "a.parquet", table(label=[labels[i % 7 > 0] for i in range(300)]))
    project, proposal = proposed(tmp_path, "a.parquet")
    assert project.require_predictions().positive == positive
    counts = (
        Catalog(project)
        .engine.query("SELECT DISTINCT own_label AS y FROM predictions ORDER BY y")
        .to_pylist()
    )
    assert counts == [{"y": 0}, {"y": 1}], proposal.text


def test_labels_in_a_file_beside_the_predictions(tmp_path: Path) -> None:
    columns = table(id=[f"x{i}" for i in range(300)])
    write(tmp_path, "logs/scores.parquet", columns)
    put(
        tmp_path,
        "logs/truth.csv",
        csv(*(f"x{i},{i % 2},2024-02-01" for i in range(250)), header="id,is_late,known_on"),
    )
    project, _ = proposed(tmp_path, "logs")
    assert project.require_predictions().path == ("logs/scores.parquet",)
    assert project.labels is not None
    assert (project.labels.path, project.labels.label, project.labels.timestamp) == (
        ("logs/truth.csv",), "is_late", "known_on",
    )  # fmt: skip
    assert Catalog(project).has_label_feed


def test_hive_folders_and_dated_folders_are_one_feed(tmp_path: Path) -> None:
    for day in ("2024-01-01", "2024-01-02"):
        write(tmp_path, f"hive/model_version=v1/day={day}/a.parquet", table())
        write(tmp_path, f"dated/{day}/a.parquet", table())
    assert proposed(tmp_path, "hive")[0].require_predictions().path == ("hive",)
    section = proposed(tmp_path, "dated")[0].require_predictions()
    assert section.path == ("dated",)
    assert len(Catalog(read_project(tmp_path)).listed["predictions"]) == 2


def test_private_columns_are_neither_features_nor_segments(tmp_path: Path) -> None:
    columns = table(customerEmail=["a@example.org", "b@example.org"] * 150, phone=["1", "2", "3"] * 100)
    write(tmp_path, "a.parquet", columns)
    section = proposed(tmp_path, "a.parquet")[0].require_predictions()
    assert set(section.private) == {"customerEmail", "phone"}
    assert not set(section.private) & {*(section.features or ()), *section.segments}


def test_what_cannot_be_guessed_is_a_comment_that_says_so(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", csv("x,1", "y,2", header="word,count"))
    project, proposal = proposed(tmp_path, "a.csv")
    assert project.predictions is None, "it can be read back all the same"
    assert not proposal.complete
    assert '# timestamp = "column"' in proposal.text
    assert '# score = "column"' in proposal.text
    assert proposal.notes == (
        "no column looks like the timestamp: fill it in", "no column looks like the score: fill it in",
    )  # fmt: skip
    # filled in and with the # taken away, it is a project
    section = proposal.text.split("[predictions]")[1].split("# [labels]")[0].splitlines()[1:]
    filled = [
        line.removeprefix("# ").replace('timestamp = "column"', 'timestamp = "word"') for line in section
    ]
    filled = [line.replace('score = "column"', 'score = "count"') for line in filled if line]
    required = [line for line in filled if '"column"' not in line]
    put(tmp_path, "assay.toml", 'name = "x"\n[predictions]\n' + "\n".join(required))
    assert read_project(tmp_path).require_predictions().score == "count"


def test_every_guess_has_its_reason(tmp_path: Path) -> None:
    write(tmp_path, "a.parquet", table(label=[0, 1] * 150, model_version=["v1"] * 300))
    lines = propose([str(tmp_path / "a.parquet")], tmp_path).text.splitlines()
    guesses = [line for line in lines if " = " in line and not line.startswith("#")]
    assert [line for line in guesses if "  # " not in line and not line.startswith("path")] == []


HOSTILE = [
    'a "b"',
    "back\\slash",
    "new\nline",
    "tab\t",
    "del\x7f",
    "😀",
    "# no comment",
    "'''",
    "${x}",
    "a=b",
    "\x1b[31m",
]


def test_any_column_name_survives_the_way_through_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write(tmp_path, "a.parquet", table(**{name: rng.normal(size=300) for name in HOSTILE}))
    project, _ = proposed(tmp_path, "a.parquet")
    assert set(HOSTILE) <= set(project.require_predictions().features or ())
    assert set(HOSTILE) <= {feature.name for feature in Catalog(project).features}


def test_damaged_and_foreign_files_are_said(tmp_path: Path) -> None:
    write(tmp_path, "logs/a.parquet", table())
    put(tmp_path, "logs/b.parquet", b"nothing")
    put(tmp_path, "logs/c.jsonl", json.dumps({"cpu": 0.5, "host": "x"}) + "\n")
    project, proposal = proposed(tmp_path, "logs")
    assert project.require_predictions().timestamp == "when"
    assert any("1 files could not be read" in note for note in proposal.notes)
    assert any("c.jsonl: what these logs are could not be guessed" in note for note in proposal.notes)


def test_nothing_to_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(TelemetryError, match="no log file here"):
        propose([str(tmp_path)], tmp_path)
    put(tmp_path, "a.parquet", b"nothing")
    with pytest.raises(TelemetryError, match="not one of 1 files can be read"):
        propose([str(tmp_path)], tmp_path)
