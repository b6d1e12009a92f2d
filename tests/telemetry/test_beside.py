"""What only saves time is there whole, or not at all; a folder that nobody may write to stops nothing."""

from analytics.telemetry.beside import written_beside


def test_a_file_is_written_beside_and_renamed(tmp_path):
    seen = []

    def write(place):
        place.write_text("whole")
        seen.append(place.name)

    assert written_beside(tmp_path / "facts" / "a.parquet", write)
    assert (tmp_path / "facts" / "a.parquet").read_text() == "whole"
    assert seen[0] != "a.parquet"
    assert [file.name for file in (tmp_path / "facts").iterdir()] == ["a.parquet"]


def test_where_nothing_can_be_written_nothing_is_raised(tmp_path):
    (tmp_path / "facts").write_text("a file where a folder is needed")
    assert not written_beside(tmp_path / "facts" / "a.parquet", lambda place: place.write_text("x"))

    def full(place):
        place.write_text("half")
        raise OSError("disk full")

    assert not written_beside(tmp_path / "b.parquet", full)
    assert [file.name for file in tmp_path.iterdir()] == ["facts"]
