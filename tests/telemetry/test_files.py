from pathlib import Path

import pytest

from analytics.errors import TelemetryError
from analytics.telemetry import files
from analytics.telemetry.files import digest, fixed_folder, format_of, list_files
from tests.telemetry.logs import put


def names(folder: Path, *patterns: str) -> list[str]:
    return [str(file.path.relative_to(folder.resolve())) for file in list_files(folder, patterns)]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("a.parquet", "parquet"),
        ("a.PQ", "parquet"),
        ("a.csv", "csv"),
        ("a.tsv.gz", "csv"),
        ("a.json.zst", "json"),
        ("2024.01.jsonl", "json"),
        ("a.ndjson.GZ", "json"),
        ("a.parquet.gz", None),
        ("a.txt", None),
        ("csv", None),
        ("a.gz", None),
    ],
)
def test_the_name_tells_the_format(name: str, expected: str | None) -> None:
    assert format_of(Path(name)) == expected


def test_folders_are_searched_to_the_bottom_and_markers_left_alone(tmp_path: Path) -> None:
    for name in ("a/b/x.csv", "a/y.jsonl", "a/.z.csv", "a/_SUCCESS.csv", "a/_tmp/k.csv", "a/notes.txt"):
        put(tmp_path, name, "id\n1\n")
    assert names(tmp_path, "a") == ["a/b/x.csv", "a/y.jsonl"]


def test_lists_globs_and_files_are_one_feed_without_repeats(tmp_path: Path) -> None:
    for name in ("a/x.csv", "a/y.csv", "b/z.csv"):
        put(tmp_path, name, "id\n1\n")
    assert names(tmp_path, "a/*.csv", "b/z.csv", "a/x.csv") == ["a/x.csv", "a/y.csv", "b/z.csv"]
    assert names(tmp_path, str(tmp_path / "**" / "*.csv")) == ["a/x.csv", "a/y.csv", "b/z.csv"]


def test_wildcards_count_in_the_pattern_only(tmp_path: Path) -> None:
    folder = tmp_path / "we[i]rd*"
    put(folder, "logs/x.csv", "id\n1\n")
    put(tmp_path / "weird", "logs/y.csv", "id\n1\n")
    assert names(folder, "logs/*.csv") == ["logs/x.csv"]
    assert fixed_folder(folder, "logs/*.csv") == folder / "logs"
    assert fixed_folder(folder, "lo*/d=1/*.csv") == folder


def test_a_path_without_logs_says_where_it_looked(tmp_path: Path) -> None:
    put(tmp_path, "logs/readme.txt", "nothing")
    for pattern in ("logs", "logs/*.csv", "nowhere", "logs/readme.txt"):
        with pytest.raises(TelemetryError, match=r"no log file here \(looked in .*parquet, csv, json"):
            list_files(tmp_path, [pattern])


def test_hive_folders_are_told_from_plain_ones(tmp_path: Path) -> None:
    put(tmp_path, "p/day=1/hour=02/x.csv", "id\n1\n")
    put(tmp_path, "p/plain/x.csv", "id\n1\n")
    by_name = {file.path.parent.name: file for file in list_files(tmp_path, ["p"])}
    assert by_name["hour=02"].partitions == ("day", "hour")
    assert by_name["plain"].partitions == ()
    assert list_files(tmp_path, ["p/day=*/*/*.csv"])[0].hive


def test_a_link_to_a_listed_file_counts_once_and_one_to_nothing_not_at_all(tmp_path: Path) -> None:
    put(tmp_path, "p/2024.csv", "id\n1\n")
    (tmp_path / "p" / "latest.csv").symlink_to("2024.csv")
    (tmp_path / "p" / "gone.csv").symlink_to("nowhere.csv")
    (tmp_path / "p" / "again").symlink_to(tmp_path / "p")
    assert len(list_files(tmp_path, ["p"])) == 1


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "p/x.csv", "id\n1\n")
    put(tmp_path, "p/closed/y.csv", "id\n1\n")
    real = files.os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    # the tests may run as root, for whom every folder is open
    monkeypatch.setattr(files.os, "scandir", closed)
    found = {file.path.name: file.format for file in list_files(tmp_path, ["p"])}
    assert found == {"x.csv": "csv", "closed": "unreadable"}


def test_an_array_is_told_by_its_first_character(tmp_path: Path) -> None:
    put(tmp_path, "a.json", ' \n[{"id": 1}]')
    put(tmp_path, "b.json", '{"id": 1}\n')
    assert [file.format for file in list_files(tmp_path, ["*.json"])] == ["json_array", "json"]


def test_the_digest_changes_with_any_file(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "id\n1\n")
    put(tmp_path, "b.csv", "id\n1\n")
    before = digest(list_files(tmp_path, ["*.csv"]))
    assert digest(list_files(tmp_path, ["*.csv"])) == before
    path.write_text("id\n1\n2\n")
    assert digest(list_files(tmp_path, ["*.csv"])) != before
