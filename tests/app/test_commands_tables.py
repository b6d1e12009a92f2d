"""Tables as text."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from app.commands import tables

ZONE = ZoneInfo("Europe/Berlin")


def test_numbers_stand_right_and_text_left():
    records = [{"name": "a", "value": 0.5, "n": 1234567}, {"name": "long name", "value": None, "n": 1}]
    columns = (tables.text("name"), tables.figures("value"), tables.figures("n"))
    assert tables.render("x", records, columns, ZONE, 80) == (
        "x (Europe/Berlin)\n"
        "name       value          n\n"
        "─────────  ─────  ─────────\n"
        "a          0.500  1,234,567\n"
        "long name      –          1\n"
    )


def test_columns_go_in_the_order_asked_and_are_named():
    records = [{name: name * 12 for name in "abcd"}]
    columns = (tables.text("a"), tables.text("b", drop=2), tables.text("c", drop=1), tables.text("d", drop=2))
    assert tables.render("x", records, columns, ZONE, 60).splitlines()[1].split() == ["a", "b", "c", "d"]
    kept = tables.render("x", records, columns, ZONE, 26).splitlines()
    assert kept[1].split() == ["a", "c"]
    assert kept[-1].startswith("not shown: b, d;")


def test_text_is_cut_before_numbers():
    records = [{"text": "word " * 30, "n": 123456789}]
    line = tables.render("x", records, (tables.text("text"), tables.figures("n")), ZONE, 90).splitlines()[3]
    assert line.endswith("…  123,456,789")
    assert len(line) == 90


def test_extra_columns_come_only_where_all_else_has_room():
    records = [{"reason": "why " * 15, "n": 5, "temp": 20.5, "wind": 3.5}]
    names = ("temp", "wind")
    columns = (tables.text("reason"), tables.figures("n"), *(tables.text(name, extra=True) for name in names))
    for width, shown in ((90, ["reason", "n", *names]), (70, ["reason", "n", "temp"]), (50, ["reason", "n"])):
        assert tables.render("x", records, columns, ZONE, width).splitlines()[1].split() == shown


def test_a_column_without_values_is_left_out_and_what_rows_share_is_said_once():
    records = [{"version": "v1", "class": None, "n": n} for n in (1, 2)]
    columns = (tables.text("version", context=True), tables.text("class", context=True), tables.figures("n"))
    assert tables.render("x", records, columns, ZONE, 80).splitlines()[:2] == [
        "x · version v1 (Europe/Berlin)",
        "n",
    ]


def test_wide_letters_keep_the_columns_straight():
    records = [{"name": "日本", "n": 1}, {"name": "abcd", "n": 2}]
    lines = tables.render("x", records, (tables.text("name"), tables.figures("n")), ZONE, 80).splitlines()
    assert lines[3:] == ["日本  1", "abcd  2"]


def test_times_are_in_the_zone_of_the_heading():
    records = [{"timestamp": "2024-03-01T23:30:00+00:00", "n": 1}]
    table = tables.render("x", records, (tables.moment("timestamp"), tables.figures("n")), ZONE, 80)
    assert "2024-03-02 00:30:00  1" in table


def test_letters_that_turn_text_around_are_shown_as_unprintable():
    assert tables.plain("a\u202eb\x00c\td") == "a�b�c�d"
