"""Logged text in sentences: it shows as it was logged, whatever it looks like to Streamlit's Markdown."""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$&=^:@/\"'%,;?])")
_LATER = re.compile(r"(?<=:)(?=//|streamlit:)|(?<=[<>~\-])(?=[\-=>])|(?<=@)|(?<=www)(?=\.)", re.IGNORECASE)
_JOINER = "\u2060"
"""Shows as nothing. Arrows, addresses and one icon are made of plain text after escapes are gone; this stops it."""


def literal(text: object) -> str:
    r"""Text that Markdown, labels, badges and captions of Streamlit show as it is, on one line.

    >>> literal("*a* [b](http://c) :red[d]").replace("\u2060", "|")
    '\\*a\\* \\[b\\]\\(http\\:|\\/\\/c\\) \\:red\\[d\\]'
    """
    joined = _LATER.sub(_JOINER, " ".join(str(text).split()))
    return _MARKS.sub(r"\\\1", joined)
