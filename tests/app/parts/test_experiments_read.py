from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.parts.experiments_read import TypedTextError, read_counts, read_means, read_number, read_shares


@pytest.mark.parametrize(
    "text",
    ["A 378/3662\nB 462/3568", "A: 378/3,662; B: 462/3,568", "378/3662\r\n462/3568\r\n", "A\t378\t3662\nB\t462\t3568",
     "A 378 of 3662;B = 462 / 3'568;"],
)  # fmt: skip
def test_counts_as_people_write_them(text):
    arms = read_counts(text)
    assert [(arm.name, arm.successes, arm.n) for arm in arms] == [("A", 378, 3662), ("B", 462, 3568)]


@pytest.mark.parametrize(
    "text",
    [
        "A 10.9, 2.8, 10\nB -11.2, 3.1, 2158",
        "10.9 2.8 10; −11.2 3.1 2158",
        "A: 10.9,2.8,10;B: -1.12e1,3.1,2158",
    ],
)
def test_means_as_people_write_them(text):
    arms = read_means(text)
    assert [arm.name for arm in arms] == ["A", "B"]
    assert [(arm.mean, arm.standard_deviation, arm.n) for arm in arms] == [
        (10.9, 2.8, 10),
        (-11.2, 3.1, 2158),
    ]


def test_arms_may_be_called_by_numbers_and_several_words():
    assert [arm.name for arm in read_counts("Variant 2 1/9\n0 2/9")] == ["Variant 2", "0"]
    assert [arm.name for arm in read_means("2: 1.5, 1, 9\nnew shop 2, 1, 9")] == ["2", "new shop"]


@pytest.mark.parametrize(
    "text", ["A 11,2 3,1 2158; B 1 2 3", "A 1 2 3 4; B 1 2 3", "A 1e400 1 3; B 1 1 3", "A 1 -1 3; B 1 1 3"]
)
def test_means_that_could_be_read_in_two_ways_are_refused(text):
    with pytest.raises(TypedTextError):
        read_means(text)


@given(st.text(alphabet=st.sampled_from("AB 0123456789.,;:/\t\n-+e%'_<>é€٣"), max_size=60))
def test_any_text_is_understood_or_refused(text):
    for read in (read_counts, read_means, read_shares, lambda word: read_number(word, "n")):
        try:
            found = read(text)
        except TypedTextError:
            continue
        if read is read_counts:
            assert all(0 <= arm.successes <= arm.n for arm in found)
        if read is read_means:
            assert all(math.isfinite(arm.mean) and arm.standard_deviation >= 0 for arm in found)
        if read is read_shares and found is not None:
            assert sum(found) == pytest.approx(1)


@pytest.mark.parametrize(
    "text", ["1," * 2400, "1" * 4900, "1 " * 2400, "1,111" * 900, "a" * 4900, "1;" * 2400]
)
def test_a_long_text_takes_no_time(text):
    start = time.perf_counter()
    for read in (read_counts, read_means):
        with pytest.raises(TypedTextError):
            read(text)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "text,value",
    [("10.3 %", 0.103), ("0.1", 0.1), ("1,200", 1200), ("-5%", -0.05), ("−5", -5), ("1e-3", 0.001)],
)
def test_numbers_and_shares_in_percent(text, value):
    assert read_number(text, "x") == value


@pytest.mark.parametrize("text", ["1,5", "ten", "nan", "inf", "1e999", "1 2", "%", "0x10"])
def test_what_is_no_number_is_named(text):
    with pytest.raises(TypedTextError, match="baseline"):
        read_number(text, "baseline")
