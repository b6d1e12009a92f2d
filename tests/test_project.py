"""Everything wrong with a project file is one line that names the file, the key and what to do."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analytics.errors import NotSupportedYetError, ProjectError
from analytics.project import (
    Costs,
    Drift,
    Labels,
    Predictions,
    Project,
    Quality,
    Reference,
    Release,
    find_projects,
    read_project,
)
from analytics.project.aggregates import own_folder

WHOLE = """
name = "NYC flight delays"
description = "late?"
time_zone = "America/New_York"
[predictions]
path = "predictions/*.parquet"
task = "binary"
id = "prediction_id"
timestamp = "timestamp"
received = "received_at"
score = "score"
decision = "predicted_label"
threshold = { v1 = 0.5, v2 = 0.4 }
positive = 1
version = "model_version"
data_version = "data_version"
split = "split"
unit = "tailnum"
features = ["temp", "carrier"]
segments = ["carrier", "origin"]
weight = "sampling_weight"
block = "day"
latency = "latency_ms"
status = "status"
ok_status = "ok"
request = "request_id"
private = ["email"]
[labels]
path = ["a/*.parquet", "b"]
id = "prediction_id"
label = "label"
timestamp = "label_timestamp"
source = "source"
absent_after = "7 days"
absent_means = 0
[reference]
start = 2013-01-01
end = 2013-03-01T12:00:00
[costs]
true_positive = 20
false_positive = -10.5
[[releases]]
timestamp = 2013-09-01
version = "gbm"
trained_from = 2013-03-01
note = "retrained"
[drift]
tolerance = { default = 0.05, temp = 0.1 }
share_tolerance = 0.02
"""
SMALL = 'name = "x"\n[predictions]\npath = "p"\ntask = "binary"\ntimestamp = "ts"\nscore = "s"\n'


def read(folder: Path, text: str | bytes) -> Project:
    file = folder / "assay.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_project(file)


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ProjectError) as caught:
        read(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{folder / 'assay.toml'}: ")
    return message.removeprefix(f"{folder / 'assay.toml'}: ")


def test_the_whole_file(tmp_path: Path) -> None:
    project = read(tmp_path, WHOLE)
    section = project.require_predictions()
    assert section.path == ("predictions/*.parquet",)
    assert section.ok_status == ("ok",)
    assert section.threshold == {"v1": 0.5, "v2": 0.4}
    assert project.labels is not None
    assert project.labels.absent_after == timedelta(days=7)
    assert project.reference is not None
    assert project.reference.start == date(2013, 1, 1)
    assert project.instant(date(2013, 1, 1)) == datetime(2013, 1, 1, 5, tzinfo=UTC)
    assert project.costs is not None
    assert project.costs.false_positive == -10.5
    assert isinstance(project.releases, tuple)
    assert project.releases[0].version == "gbm"
    assert (project.drift.tolerance_of("temp"), project.drift.tolerance_of("hour")) == (0.1, 0.05)
    assert project.folder == tmp_path.resolve()


def test_a_name_is_enough(tmp_path: Path) -> None:
    project = read(tmp_path, 'name = "x"')
    assert project.time_zone == "UTC"
    with pytest.raises(ProjectError, match=r"needs a \[predictions\] section"):
        project.require_predictions()


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + SMALL.encode()).name == "x"


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    first = read(tmp_path, SMALL).digest
    assert read(tmp_path, SMALL).digest == first
    assert read(tmp_path, SMALL + "\n").digest != first


@pytest.mark.parametrize(
    "text, expected",
    [
        ("name = ", "is not valid TOML: "),
        (b'name = "\xff"', "is not UTF-8 text (byte 8)"),
        ("", "name: is required and missing"),
        ('name = ""', "name: "),
        ("name = 3", "name: should be a valid string; found 3"),
        (
            'name = "x"\ntimezone = "UTC"',
            'timezone: unknown key (did you mean "time_zone"?); accepted: name, ',
        ),
        ('name = "x"\nfile = "y"', "file: unknown key"),
        (
            'name = "x"\ntime_zone = "Europe/Berlni"',
            'time_zone: "Europe/Berlni" is not a known zone; did you mean "Europe/Berlin"?',
        ),
        ('name = "x"\ntime_zone = "localtime"', 'time_zone: "localtime" is not a known zone'),
        ('name = "x"\ntime_zone = "../../etc/passwd"', "is not a known zone"),
        (SMALL.replace('score = "s"', ""), "predictions.score: is required and missing"),
        (SMALL + 'scores = "s"', 'predictions.scores: unknown key (did you mean "score"?)'),
        (
            SMALL.replace("binary", "binray"),
            "predictions.task: should be 'binary', 'multiclass' or 'regression'; found 'binray'",
        ),
        (SMALL.replace("binary", "ranking"), 'predictions.task: "ranking" is not supported yet'),
        (SMALL.replace('"p"', "[]"), "predictions.path: "),
        (SMALL.replace('"p"', '""'), "predictions.path: should have at least 1 character; found ''"),
        (
            SMALL.replace('"p"', '"https://bucket/x"'),
            "predictions.path: http:// and https:// are not supported; give a local path, s3:// or gs://",
        ),
        (SMALL.replace('"p"', '"s3://"'), 'predictions.path: "s3://": names no bucket'),
        (
            SMALL.replace('"p"', '"s3://key:hidden@bucket/x"'),
            "predictions.path: s3://…: holds more than a bucket",
        ),
        (SMALL + "threshold = true", "predictions.threshold: must be a number; found True"),
        (SMALL + "threshold = nan", "predictions.threshold: should be a finite number; found nan"),
        (SMALL + 'threshold = "0.5"', "predictions.threshold: should be a valid number; found '0.5'"),
        (SMALL + 'threshold = { v1 = "x" }', "predictions.threshold.v1: should be a valid number"),
        (SMALL + 'segments = ["a", 3]', "predictions.segments[1]: should be a valid string; found 3"),
        (SMALL + 'segments = ["a", "a"]', 'predictions.segments: "a" is named twice'),
        (SMALL + 'ok_status = ["ok"]', "predictions.ok_status: needs status"),
        (SMALL + 'label_timestamp = "t"', "predictions.label_timestamp: needs label"),
        (SMALL + 'negative = "no"', "predictions.negative: positive and negative must both be texts"),
        (SMALL + "negative = 1", "predictions.negative: is the same value as positive"),
        (SMALL + 'block = "year"', "predictions.block: should be 'hour', 'day', 'week' or 'none'"),
        (SMALL.replace("binary", "multiclass"), "predictions.score: a multiclass task needs a table"),
        (
            SMALL.replace('score = "s"', 'score = { A = "a" }'),
            "predictions.score: a binary task needs the name of one column",
        ),
        (
            SMALL.replace("binary", "multiclass").replace('score = "s"', 'score = { A = "a" }'),
            "at least two classes",
        ),
        (
            SMALL.replace("binary", "multiclass").replace('score = "s"', 'score = { A = "a", a = "b" }'),
            "differ only in upper and lower case",
        ),
        (
            SMALL.replace("binary", "multiclass").replace('score = "s"', "score = { A = 1, B = 2 }"),
            "predictions.score.A: should be a valid string; found 1",
        ),
        (SMALL + "[labels]\npath = 'l'", "labels.id: is required and missing"),
        (
            SMALL + "[labels]\npath = 'l'\nid = 'i'\nlabel = 'y'\ntimestamp = 't'",
            "predictions.id: a label feed is joined by id",
        ),
        (SMALL + "[reference]\nstart = 2013-01-01", "reference.path: give either path, or start and end"),
        (
            SMALL + "[reference]\nstart = 2013-02-01\nend = 2013-01-01",
            "reference.end: must be after reference.start",
        ),
        (SMALL + "[reference]\nstart = 3\nend = 4", "reference.start: write a day (2013-03-01)"),
        (
            SMALL + "[reference]\nstart = 10:00:00\nend = 11:00:00",
            "reference.start: write a day (2013-03-01)",
        ),
        (SMALL + "[[releases]]\ntimestamp = 2013-01-01", "releases[0].version: is required and missing"),
        (
            SMALL
            + "[[releases]]\ntimestamp = 2013-01-01\nversion = 'a'\n"
            + "[[releases]]\ntimestamp = 2013-01-01\nverison = 'b'",
            "releases[1].verison: unknown key",
        ),
        (SMALL + "[releases]\nfile = 'x'", "releases.file: unknown key; accepted: path"),
        (SMALL + "[costs]\ntrue_positive = inf", "costs.true_positive: should be a finite number"),
        (
            SMALL + "[quality]\nfloor = { roc_acu = 0.6 }",
            'floor: "roc_acu" is no metric (did you mean "roc_auc"?)',
        ),
        (SMALL + "[quality]\nfloor = { prevalence = 0.6 }", 'neither direction of "prevalence" is worse'),
        (SMALL + "[drift]\ntolerance = 1.5", "drift.tolerance: should be less than or equal to 1"),
        (SMALL + "[drift]\ntolerance = { temp = 'x' }", "drift.tolerance.temp: should be a valid number"),
        ('name = "x"\npredictions = 3', "predictions: "),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert expected in refused(tmp_path, text)


LABELLED = SMALL + 'id = "i"\n[labels]\npath = "l"\nid = "i"\nlabel = "y"\ntimestamp = "t"\n'


@pytest.mark.parametrize(
    "lines, expected",
    [
        ('absent_after = "7 days"', "labels.absent_after: needs absent_means as well"),
        (
            "absent_after = 7\nabsent_means = 0",
            'labels.absent_after: write a duration as text, such as "7 days"; found 7',
        ),
        ('absent_after = "soon"\nabsent_means = 0', 'labels.absent_after: "soon" is not a duration'),
        (
            'absent_after = "0 days"\nabsent_means = 0',
            "labels.absent_after: a duration must be longer than nothing",
        ),
        (
            'absent_after = "7 days"\nabsent_means = 2',
            "labels.absent_means: 2 is neither positive (1) nor negative (0)",
        ),
    ],
)
def test_what_no_label_means(tmp_path: Path, lines: str, expected: str) -> None:
    assert expected in refused(tmp_path, LABELLED + lines)


def test_labels_are_columns_or_a_feed(tmp_path: Path) -> None:
    text = LABELLED.replace('id = "i"\n[labels]', 'id = "i"\nlabel = "y"\n[labels]')
    assert "labels are columns or a feed, not both" in refused(tmp_path, text)


@pytest.mark.parametrize(
    "lines, expected",
    [("", 0), ("positive = 0", 1), ("positive = true", 0), ("positive = 2", None), ('positive = "yes"', None),
     ('positive = "yes"\nnegative = "no"', "no"), ("negative = -1", -1)],
)  # fmt: skip
def test_the_negative_class(tmp_path: Path, lines: str, expected: object) -> None:
    assert read(tmp_path, SMALL + lines).require_predictions().negative_class == expected


@pytest.mark.parametrize("section", ["feedback"])
def test_what_is_promised_and_not_there_yet_is_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(NotSupportedYetError, match=f"{section}: this section is not supported yet"):
        read(tmp_path, f'name = "x"\n[{section}]\npath = "y"')


ARMS = '[experiments.z]\ncontrol = "A"\nvariants = { A = 0.5, B = 0.5 }\n'
MEAN = '[metrics.m]\nkind = "mean"\nvalue = "x"\n'


@pytest.mark.parametrize(
    "lines, expected",
    [
        (
            "[units]\npath = 'u.csv'\nunit = 'u'\n"
            + MEAN.replace("mean", "retention")
            + 'window = "7 days"\n',
            "metrics.m.kind: follows units over time, and a table of units has no events",
        ),
        (
            "[units]\npath = 'u.csv'\nunit = 'u'\n" + MEAN + 'half_life = "7 days"\n',
            "metrics.m.half_life: follows units over time",
        ),
        (
            MEAN.replace("mean", "median"),
            "'proportion', 'ratio', 'count', 'quantile', 'retention' or 'funnel'; found 'median'",
        ),
        ('[metrics.m]\nkind = "mean"', "metrics.m.value: a mean needs one"),
        (MEAN.replace("mean", "ratio"), "metrics.m.value: a ratio has a numerator and a denominator instead"),
        (MEAN + 'denominator = "1"', 'metrics.m.denominator: belongs to kind = "ratio" only'),
        (
            MEAN.replace("mean", "proportion") + "winsorize = 0.9",
            "metrics.m.winsorize: a proportion has no tails",
        ),
        (MEAN + "winsorize = 5", "metrics.m.winsorize: should be less than 1; found 5"),
        (
            MEAN + "winsorize = [0.9, 0.1]",
            "metrics.m.winsorize: the lower quantile must be below the upper one",
        ),
        (
            MEAN + 'source = "series"',
            'metrics.m.source: "series" needs a [series] section, and there is none',
        ),
        (MEAN + 'source = "units"', 'metrics.m.source: "units" needs a [units] section, and there is none'),
        (
            MEAN + 'covariate = "c"',
            "metrics.m.covariate: names a column of [units], and there is no such section",
        ),
        (MEAN.replace("[metrics.m]", "[metrics.srm]"), 'metrics.srm: "srm" is the name of a check'),
        (
            ARMS.replace("B = 0.5", "B = 0.6"),
            "experiments.z.variants: the planned shares sum to 1.1, not to 1",
        ),
        (ARMS.replace("B = 0.5", 'B = "x"'), "experiments.z.variants.B: should be a valid number"),
        (ARMS.replace('"A"', '"C"'), 'experiments.z.control: "C" is not one of the variants: A, B'),
        (ARMS + 'primary = ["q"]', 'experiments.z.primary: there is no metric "q"'),
        (ARMS + 'primary = ["mm"]\n' + MEAN, 'there is no metric "mm"; did you mean "m"?'),
        (ARMS + 'primary = ["m"]\nsecondary = ["m"]\n' + MEAN, 'the metric "m" has two roles'),
        (
            ARMS + "guardrails = { m = { marg = 1 } }\n" + MEAN,
            'm.marg: unknown key (did you mean "margin"?)',
        ),
        (
            ARMS + 'stopping = "group-sequential"',
            "planned_units: a group-sequential design needs to know how many are planned",
        ),
        (
            ARMS + "strata = { DE = { A = 0.9, B = 0.1 } }",
            "experiments.z.strata: name the column that tells a unit's stratum",
        ),
        (
            ARMS + "post_stratify = true",
            "experiments.z.post_stratify: needs strata from before the experiment",
        ),
        (ARMS + "alpha = 1.0", "experiments.z.alpha: should be less than 1"),
        (ARMS + "alpha = 1e-300", "experiments.z.alpha: should be greater than or equal to 0.000000001"),
        (ARMS + f"planned_units = {10**40}", "experiments.z.planned_units: should be less than or equal to"),
        (ARMS + "prior = { lift = 1e-300 }", "experiments.z.prior.lift: should be greater than or equal to"),
        (
            ARMS + "phases = [{ start = 2026-01-09, variants = { A = 0.9, B = 0.1 } }, "
            "{ start = 2026-01-09, variants = { A = 0.5, B = 0.5 } }]",
            "experiments.z.phases[1].start: must be after that of the phase before it",
        ),
        (
            ARMS + "end = 2026-01-05\nphases = [{ start = 2026-01-09, variants = { A = 0.9, B = 0.1 } }]",
            "experiments.z.phases[0].start: must be before the end of the experiment",
        ),
        (ARMS + "start = 2026-02-01\nend = 2026-01-01", "experiments.z.end: must be after start"),
        ("[experiments.z]\ncontrol = 'A'", "experiments.z.variants: is required and missing"),
    ],
)
def test_a_mistake_in_an_experiment_names_the_key(tmp_path: Path, lines: str, expected: str) -> None:
    assert expected in refused(tmp_path, 'name = "x"\n' + lines)


def test_experiments_alone_are_a_valid_project(tmp_path: Path) -> None:
    project = read(tmp_path, 'name = "x"\n' + ARMS.replace("B = 0.5", "B = 0.495"))
    assert project.require_experiment("z").shares == pytest.approx({"A": 0.5 / 0.995, "B": 0.495 / 0.995})
    with pytest.raises(ProjectError, match='no experiment "zz"; did you mean "z"'):
        project.require_experiment("zz")


def test_a_missing_file_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(
        ProjectError, match=r"cannot be read \(No such file or directory\); name a file or a folder"
    ):
        read_project(tmp_path / "nowhere.toml")


def test_projects_of_a_file_a_folder_and_a_workspace(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "assay.toml").write_text(SMALL)
    one = tmp_path / "a" / "assay.toml"
    assert find_projects(one) == find_projects(tmp_path / "a") == (one,)
    assert find_projects(tmp_path) == (one, tmp_path / "b" / "assay.toml")
    (tmp_path / "c").mkdir()
    with pytest.raises(
        ProjectError, match=r"no assay\.toml here or one folder below; `assay init LOGS` proposes one"
    ):
        find_projects(tmp_path / "c")
    with pytest.raises(ProjectError, match="there is no such file or folder"):
        find_projects(tmp_path / "d")


def test_every_key_is_documented_and_the_example_is_a_project(root: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "project-file.md").read_text(encoding="utf-8")
    models = {"predictions": Predictions, "labels": Labels, "reference": Reference, "costs": Costs, "drift": Drift,
              "quality": Quality, "releases": Release}  # fmt: skip
    for name, model in models.items():
        (section,) = (
            part for part in text.split("\n## ") if part.startswith((f"`[{name}]`", f"`[[{name}]]`"))
        )
        assert [key for key in model.model_fields if f"`{key}`" not in section] == [], name
    example = text.split("```toml\n")[1].split("```")[0]
    assert read(tmp_path, example).require_predictions().version == "model_version"


def test_aggregates_lie_where_the_environment_says_else_where_the_file_says(tmp_path):
    project = _read_text(tmp_path, 'name = "a"\n[aggregates]\npath = ".assay"\n')
    assert project.aggregates.folder({}) == ".assay"
    assert project.aggregates.folder({"ASSAY_AGGREGATES": "/cache"}) == "/cache"
    assert _read_text(tmp_path, 'name = "a"\n').aggregates.folder({}) is None


@pytest.mark.parametrize(
    "text, complaint",
    [
        ('engine = "postgres"', 'engine: must be "duckdb" or the address of a Spark Connect server'),
        ('[aggregates]\npairs = [["carrier", "carrier"]]', '"carrier" is paired with itself'),
        ('[aggregates]\npairs = [["carrier", "origin"], ["origin", "carrier"]]', "a pair is named twice"),
        (
            '[aggregates]\npairs = [["carrier", "destt"]]',
            'aggregates.pairs[0]: "destt" is not one of predictions.segments',
        ),
        ("[aggregates]\nfolder = 1", "aggregates.folder"),
    ],
)
def test_a_wrong_table_of_aggregates_is_told(tmp_path, text, complaint):
    top, _, table = text.partition("[")
    predictions = WHOLE[WHOLE.index("[predictions]") :]
    with pytest.raises(ProjectError, match=re.escape(complaint)):
        _read_text(tmp_path, f'name = "a"\n{top}\n{predictions}' + (f"\n[{table}" if table else ""))


def test_what_can_be_made_again_lies_in_a_folder_of_this_user(monkeypatch):
    kept = Path.home() / ".cache" / "assay" / "facts"
    assert own_folder("facts", {}) == kept
    assert own_folder("facts", {"XDG_CACHE_HOME": "relative"}) == kept  # as the specification has it

    def nobody():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", nobody)
    assert own_folder("facts", {}).name == "assay-facts"


def _read_text(folder: Path, text: str) -> Project:
    file = folder / "assay.toml"
    file.write_text(text, encoding="utf-8")
    return read_project(file)
