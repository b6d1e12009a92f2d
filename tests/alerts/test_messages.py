"""What is told says what, since when, how much, where, why and what to do; and nothing out of a log can abuse it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts import messages
from analytics.alerts.messages import harmless
from tests.alerts.made import PLACE, T0, incident, row

HOSTILE = (
    "<!channel> <@U123> @everyone [here](https://evil.example)\nEvidence: https://evil.example\u202egnp`x`"
)


def test_a_message_says_it_all():
    one = row(suggest="retrain", note="see #ml", runbook="https://wiki.example/auc")
    text = messages.firing(PLACE, "firing", incident(), [one], [one])
    assert text.title == "Firing (page): Flights: floor"
    assert text.body.splitlines() == [
        "AUC fell to .61 (.58 to .64).",
        "Likely cause: temp is missing in 40 % of the rows",
        "What to do: have it fixed where the data come from",
        "Since 2026-07-05 14:00 (America/New_York), last seen in the window 2026-07-05 10:00 to 2026-07-05 14:00.",
        "Where: everywhere",
        (
            "- floor, everywhere: AUC is under its limit. Newest look: roc_auc 0.610 (0.580 to 0.640), limit 0.650, "
            "n = 1,234."
        ),
        "Suggested: floor: the rule suggests to retrain",
        "Note of the rule: see #ml",
        "Runbook: https://wiki.example/auc",
        "Evidence: https://assay.example/changed?project=Flights&range=custom",
    ]


def test_one_without_a_number_says_its_sentence():
    silent = row(value=None, sentence="No row since 10:00.", metric="silence")
    bare = replace(silent, value=None, ci_low=None, ci_high=None)
    assert (
        "- floor, everywhere: No row since 10:00."
        in messages.firing(PLACE, "firing", incident(), [bare], [bare]).body
    )


def test_what_the_first_line_says_is_not_said_twice():
    one = row(sentence="AUC fell to .61.")
    body = messages.firing(
        PLACE, "firing", incident(sentence="AUC fell to .61. With it: delay."), [one], [one]
    ).body
    assert body.count("AUC fell to .61.") == 1
    assert "- floor, everywhere: newest look: roc_auc 0.610 (0.580 to 0.640)" in body


def test_no_cause_is_claimed():
    body = messages.firing(PLACE, "firing", incident(cause=None, action="look"), [row()], [row()]).body
    assert "Likely cause: none found" in body


def test_versions_alike_are_one_line():
    alike = [row(version=name, feature="temp") for name in ("a", "b", "c")]
    other = replace(row(version="d", feature="temp"), value=0.5)
    body = messages.firing(PLACE, "firing", incident(), [*alike, other], [*alike, other]).body
    lines = [line for line in body.splitlines() if line.startswith("- ")]
    assert lines[0].startswith("- floor, versions a, b and c: newest look: roc_auc of temp 0.610")
    assert lines[1].startswith("- floor, version d: AUC is under its limit.")
    assert len(lines) == 2


def test_many_alerts_are_cut():
    rows = [row(alert=f"a{number}") for number in range(30)]
    text = messages.firing(PLACE, "firing", incident(alerts=tuple(r.alert for r in rows)), rows, rows)
    assert "- and 20 more" in text.body
    assert text.title.endswith("a0, a1 and 28 more")


def test_over_says_since_when():
    text = messages.over(PLACE, [row("ok")], [], T0)
    assert text.body.startswith("floor is over.\nIt began 2026-07-05 14:00 (America/New_York).")
    assert text.body.endswith("Evidence: https://assay.example/changed?project=Flights&metric=roc_auc")


@pytest.mark.parametrize("where", ["alert", "segment_value", "sentence", "note", "version", "metric"])
def test_a_hostile_log_stays_harmless(where):
    bad = row(
        segment="carrier", **{where: HOSTILE, **({} if where == "segment_value" else {"segment_value": "UA"})}
    )
    made = incident(
        sentence=HOSTILE, cause=HOSTILE, alerts=(HOSTILE,), segment="carrier", segment_value=HOSTILE
    )
    for text in (
        messages.firing(PLACE, "firing", made, [bad], [bad]),
        messages.over(PLACE, [bad], [HOSTILE], T0),
        messages.missed(PLACE, [HOSTILE], [HOSTILE], T0),
    ):
        whole = f"{text.title}\n{text.body}"
        assert not {"<", ">", "@", "`", "\u202e"} & set(whole)
        assert "](" not in whole
        assert [line for line in whole.splitlines() if "://evil" in line] == []
        links = [line for line in text.body.splitlines() if line.startswith(("Evidence:", "Alerts:"))]
        assert len(links) == 1
        assert "https://assay.example/" in links[0]
        assert "\n" not in text.title


@settings(deadline=None)
@given(st.text())
def test_harmless_is_one_line_that_can_be_seen(text):
    plain = harmless(text)
    assert len(plain.splitlines()) <= 1
    assert not {"<", ">", "@", "`", "\r", "\x00"} & set(plain)
    assert len(plain) <= 500


def test_a_repeat_says_so():
    from analytics.store.outbox import Message

    message = Message(1, "k", "Flights", "t", "firing", "page", "T", "B", T0, T0 + timedelta(seconds=1))
    assert messages.as_sent(message, repeat=False).body == f"B\nMessage {message.number}"
    assert "may reach you twice" in messages.as_sent(message, repeat=True).body
