"""A page in one file: no script, nothing fetched, every text escaped because it is never put together as text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd

from app.formats import NONE, count, number

Part = ET.Element | str | None
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SHORT = 30
_MARKS = re.compile(r"\*\*|`")
_FETCHES_NOTHING = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #0f1115; --grey: #5f6673; --rule: #d5d9e0;
  --faint: #f4f5f7; --red: #c62a2f; --arm0: #0072b2; --arm1: #c2500a; --arm2: #00795a; --arm3: #aa3377;
  --arm4: #44341f; }
@media (prefers-color-scheme: dark) { :root { --paper: #171614; --ink: #f2f1ee; --grey: #a5a29c; --rule: #3c3934;
  --faint: #23211e; --red: #ff8a8d; --arm0: #56b4e9; --arm1: #f5a623; --arm2: #1fae8c; --arm3: #f08bc0;
  --arm4: #f2f2f2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; } p { margin: .4rem 0; max-width: 60rem; }
.small, figcaption, dt { color: var(--grey); font-size: .87rem; } .word { text-transform: uppercase; }
.blocks, .bad { color: var(--red); font-weight: 600; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .82rem; width: 100%; }
th, td { border-bottom: 1px solid var(--rule); padding: .25rem .45rem; text-align: left; vertical-align: top;
  unicode-bidi: isolate; overflow-wrap: normal; } th { background: var(--faint); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.k { white-space: nowrap; } summary { cursor: pointer; margin: .4rem 0; }
ul { padding-left: 1.2rem; } li, dd { unicode-bidi: isolate; } dd { margin: 0 0 .5rem; }
figure { margin: .5rem 0 1rem; } figure > svg { width: 100%; max-width: 40rem; height: auto; }
svg text { fill: var(--grey); font: 12px system-ui, sans-serif; }
code, pre { font-size: .82rem; white-space: pre-wrap; }
@media print { :root { --paper: #fff; --ink: #000; --grey: #444; --rule: #bbb; --faint: #f0f0f0; --red: #b00;
  --arm0: #0072b2; --arm1: #c2500a; --arm2: #00795a; --arm3: #aa3377; --arm4: #44341f; }
  body { max-width: none; padding: 0; font-size: 10pt; } .scroll { overflow: visible; } th, td { padding: 2pt 4pt; }
  table { font-size: 8pt; } tr, figure, dl > div { break-inside: avoid; } h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } .k { white-space: normal; }
  details table { font-size: 6pt; } details th, details td { overflow-wrap: anywhere; white-space: normal; }
  @page { margin: 15mm; } }
"""


def element(tag: str, *parts: Part, **attributes: str) -> ET.Element:
    """An element with texts and elements in it; ``class_`` stands for ``class``."""
    made = ET.Element(
        tag, {name.rstrip("_").replace("_", "-"): visible(text) for name, text in attributes.items()}
    )
    last: ET.Element | None = None
    for part in parts:
        if isinstance(part, ET.Element):
            made.append(part)
            last = part
        elif part is not None and last is None:
            made.text = (made.text or "") + visible(part)
        elif part is not None and last is not None:
            last.tail = (last.tail or "") + visible(part)
    return made


def visible(text: object) -> str:
    r"""A text without the characters that no page may hold.

    >>> visible("a\x00b<c>")
    'ab<c>'
    """
    return _UNSEEN.sub("", str(text))


def prose(markdown: str) -> str:
    """A sentence of the glossary without the marks of Markdown.

    >>> prose("**How** to read `x`.")
    'How to read x.'
    """
    return _MARKS.sub("", markdown)


def document(title: str, *parts: Part) -> bytes:
    """A whole page, in UTF-8."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_FETCHES_NOTHING),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", STYLE),
    )
    root = element("html", head, element("body", *parts), lang="en")
    text: bytes = ET.tostring(root, encoding="utf-8", method="html")
    return b"<!DOCTYPE html>\n" + text + b"\n"


def listed(items: Iterable[Part]) -> ET.Element:
    """A list with bullets."""
    return element("ul", *(element("li", item) for item in items))


def table(frame: pd.DataFrame, pictures: dict[str, Sequence[ET.Element | None]] | None = None) -> ET.Element:
    """A table; numbers stand on the right, and a picture in the column it is given for."""
    names = [str(name) for name in frame.columns]
    drawn = pictures or {}
    right = {name for name in names if pd.api.types.is_numeric_dtype(frame[name])}
    head = element("tr", *(_cell(name, "th", right=name in right) for name in names))
    rows = [
        element("tr", *(
            element("td", drawn[name][place], class_="k")
            if name in drawn
            else _cell(cell(record[name]), right=name in right)
            for name in names
        ))
        for place, record in enumerate(frame.to_dict("records"))
    ]  # fmt: skip
    return element("div", element("table", element("thead", head), element("tbody", *rows)), class_="scroll")


def folded(title: str, frame: pd.DataFrame) -> ET.Element:
    """A table that is opened by a click, and lies open on paper."""
    return element("details", element("summary", title), table(frame))


def cell(value: Any) -> str:
    """A value as people read it.

    >>> cell(0.123456), cell(12345), cell(None), cell(float("nan")), cell("x")
    ('0.123', '12,345', '–', '–', 'x')
    """
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return number(value) if isinstance(value, float) else str(value)


def _cell(text: str, tag: str = "td", *, right: bool) -> ET.Element:
    """A cell; short texts stay on one line."""
    known = "n" if right else "k" if len(text) <= _SHORT else ""
    return element(tag, text, **({"class_": known} if known else {}))
