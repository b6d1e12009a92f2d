import json
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analytics.results import Results

ZONE = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Row:
    at: datetime | None
    class_: str | None
    value: float | None


def results(*rows: Row) -> Results[Row]:
    return Results(rows, ZONE)


def test_records_are_json_with_instants_in_the_zone() -> None:
    summer = datetime(2013, 7, 1, 4, tzinfo=UTC)
    found = results(Row(summer, "a", 0.5), Row(None, None, None)).to_records()
    assert json.loads(json.dumps(found)) == [
        {"at": "2013-07-01T00:00:00-04:00", "class": "a", "value": 0.5},
        {"at": None, "class": None, "value": None},
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="value is"):
        results(Row(None, None, value)).to_records()


def test_a_frame_keeps_instants_typed_even_after_a_missing_one() -> None:
    frame = results(Row(None, "a", None), Row(datetime(2013, 7, 1, 4, tzinfo=UTC), None, 1.0)).to_frame()
    assert isinstance(frame["at"].dtype, pd.DatetimeTZDtype)
    assert str(frame["at"].dt.tz) == "America/New_York"
    assert list(frame.columns) == ["at", "class", "value"]


def test_no_rows_are_an_empty_frame() -> None:
    assert results().to_frame().empty
    assert results().to_records() == []


def test_results_are_a_sequence() -> None:
    rows = (Row(None, "a", 1.0), Row(None, "b", 2.0))
    found = results(*rows)
    assert (len(found), found[1], found[:1], tuple(found)) == (2, rows[1], rows[:1], rows)
