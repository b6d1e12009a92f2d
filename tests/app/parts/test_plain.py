from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.parts.plain import literal


@given(st.text())
def test_no_mark_stays_unescaped_and_nothing_is_lost(text):
    shown = literal(text)
    assert "\n" not in shown
    unescaped = re.sub(r"\\(.)", r"\1", shown).replace("\u2060", "")
    assert unescaped == " ".join(text.split()).replace("\u2060", "")
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]$<>:~#|]", shown)


@pytest.mark.parametrize("arrow", ["->", "<-", "--", ">=", "<=", "~="])
def test_arrows_do_not_become_signs(arrow):
    assert "\u2060" in literal(f"a {arrow} b")
