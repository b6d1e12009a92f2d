"""A JUnit report, which CI services show as tests: one suite a rule, one case an alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

FAILS = "firing"
SKIPPED = ("no_data", "pending", "recovering", "silenced")


def junit_report(records: Sequence[dict[str, Any]]) -> bytes:
    """The report as XML.

    Args:
        records: of `assay check`; an alert that fires is a failure, one that cannot be judged is skipped.
    """
    root = ET.Element("testsuites", name="assay check")
    by_rule: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_rule.setdefault(str(record["alert"]), []).append(record)
    for name, members in by_rule.items():
        fails = sum(member["state"] == FAILS for member in members)
        skipped = sum(member["state"] in SKIPPED for member in members)
        suite = ET.SubElement(
            root, "testsuite", name=_plain(name), tests=str(len(members)), failures=str(fails), skipped=str(skipped),
            errors="0",
        )  # fmt: skip
        for member in members:
            _case(suite, name, member)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _case(suite: ET.Element, name: str, record: dict[str, Any]) -> None:
    parts = [record["version"], record["segment_value"] and f"{record['segment']}={record['segment_value']}"]
    target = ", ".join(_plain(str(part)) for part in parts if part) or "all"
    case = ET.SubElement(suite, "testcase", classname=f"alerts.{_plain(name)}", name=target)
    said = _plain(str(record["sentence"]))
    if record["state"] == FAILS:
        failure = ET.SubElement(case, "failure", type=str(record["severity"]), message=said)
        failure.text = f"{said}\nsince {record['since']}\n{record['evidence']}"
    elif record["state"] in SKIPPED:
        ET.SubElement(case, "skipped", message=f"{record['state']}: {said}")


def _plain(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(sign if _allowed(ord(sign)) else "?" for sign in text)


def _allowed(code: int) -> bool:
    if code < 0x20:
        return code in {0x09, 0x0A, 0x0D}
    return not 0xD800 <= code <= 0xDFFF and code not in {0xFFFE, 0xFFFF}
