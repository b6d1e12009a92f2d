"""`assay watch`, `messages`, `acknowledge`, `silence`, `end-silence`, `note` and `said`, as a shell calls them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import orjson
import pytest

from app import cli
from tests.alerts.made import endpoint, small_project


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    return small_project(tmp_path_factory.mktemp("watched") / "small")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("ASSAY_STORE", str(tmp_path / "kept" / "store.sqlite3"))
    for name in ("ASSAY_NOTIFY", "ASSAY_NOTIFY_PAGE", "ASSAY_NOTIFY_TICKET", "ASSAY_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(map(str, words)))
        read = capsys.readouterr()
        return ended.value.code, read.out, read.err

    return run


def test_a_dry_run_prints_and_keeps_nothing(run, logs, tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_URL", "https://assay.example/")
    for _ in range(2):
        status, out, err = run("watch", logs, "--dry-run")
        assert (status, err) == (0, "")
        assert out.startswith("To nobody\nFiring (page): Small: accuracy_floor\n")
        assert "Evidence: https://assay.example/changed?project=Small" in out
        assert "limit 0.700, n = 60" in out
    (record,) = orjson.loads(run("watch", logs, "--dry-run", "--json")[1])
    assert (record["project"], record["kind"], record["severity"]) == ("Small", "firing", "page")
    assert not (tmp_path / "kept").exists()
    _, out, err = run("messages", logs, "--json")
    assert (orjson.loads(out), "no message is kept" in err) == ([], True)


def test_told_once_and_shown(run, logs, monkeypatch):
    with endpoint() as hook:
        monkeypatch.setenv("ASSAY_NOTIFY", hook.url)
        status, out, err = run("watch", logs, "--once")
        assert (status, out) == (0, "")
        assert "Firing (page): Small: accuracy_floor" in err
        assert ": sent" in err
        assert "ASSAY_URL is not set" in err
        status, _, err = run("watch", logs, "--once")
        assert status == 0
        assert "Small: message" not in err
        assert hook.url.split("//")[1] not in err
    (taken,) = hook.taken
    assert "accuracy 0.283" in taken["message"]
    (record,) = orjson.loads(run("messages", logs, "--json")[1])
    assert (record["state"], record["tries"], record["number"]) == ("sent", 1, taken["number"])
    assert record["address"].startswith("json-")
    assert "Firing" in run("messages", logs)[1]
    assert orjson.loads(run("messages", logs, "--open", "--json")[1]) == []


def test_what_cannot_be_sent_waits(run, logs, monkeypatch):
    with endpoint() as hook:
        hook.refuse = lambda _: True
        monkeypatch.setenv("ASSAY_NOTIFY_PAGE", hook.url)
        assert "not sent, it answered with status 500; it is tried again" in run("watch", logs, "--once")[2]
    (record,) = orjson.loads(run("messages", logs, "--open", "--json")[1])
    assert (record["state"], record["problem"]) == ("waiting", "it answered with status 500")


def test_nobody_is_named(run, logs):
    err = run("watch", logs, "--once")[2]
    assert "nobody is told: ASSAY_NOTIFY names no address" in err
    (record,) = orjson.loads(run("messages", logs, "--json")[1])
    assert (record["state"], record["address"]) == ("for nobody", None)


def test_one_broken_project_hides_no_other(run, logs, tmp_path):
    work = tmp_path / "work"
    small_project(work / "good", name="Good")
    small_project(work / "bad", name="Bad")
    (work / "bad" / "log.csv").unlink()
    (work / "ugly").mkdir()
    (work / "ugly" / "assay.toml").write_text("name = 3")
    status, _, err = run("watch", work, "--once")
    assert status == 2
    assert "Good: message" in err
    lines = [line for line in err.splitlines() if "cannot be looked at" in line]
    assert sorted(line.split(":")[1].strip() for line in lines) == ["bad", "ugly"]
    assert "Traceback" not in err


def test_without_rules_there_is_nothing_to_watch(run, tmp_path):
    status, _, err = run("watch", small_project(tmp_path / "quiet", rules=""), "--once")
    assert status == 2
    assert "no project here declares a rule" in err


@pytest.mark.parametrize(
    "words,why",
    [(["--interval", "soon"], "is not a duration"), (["--interval", "0s"], "at least 1 second"),
     (["--json"], "--json goes with --dry-run")],
)  # fmt: skip
def test_what_is_refused(run, logs, words, why):
    status, _, err = run("watch", logs, *words)
    assert (status, why in err) == (2, True)


def test_it_watches_until_it_is_asked_to_end(logs, tmp_path, root):
    with endpoint() as hook:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "watch", str(logs), "--interval", "1s"], cwd=root,
            env=os.environ | {"ASSAY_STORE": str(tmp_path / "s.sqlite3"), "ASSAY_NOTIFY": hook.url},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not hook.taken and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.2)  # another look, which finds nothing new
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert len(hook.taken) == 1


def test_acknowledge_silence_note_and_read_it(run, logs):
    status, out, _ = run("acknowledge", logs, "--alert", "accuracy_floor", "--by", "Ana", "--note", "on it")
    assert (status, out) == (0, "Ana knows about accuracy_floor\n")
    status, out, _ = run("silence", logs, "--alert", "accuracy_floor", "--for", "2 hours", "--by", "Ana")
    assert status == 0
    assert out.startswith("silence 1: nothing is told of accuracy_floor until ")
    assert run("note", logs, "The vendor *knows*.", "--by", "Bo", "--json")[0] == 0
    records = orjson.loads(run("said", logs, "--json")[1])
    assert [record["kind"] for record in records] == ["acknowledgement", "silence", "note"]
    assert [record["alert"] for record in records] == ["accuracy_floor", "accuracy_floor", None]
    assert "The vendor *knows*." in run("said", logs)[1]
    # nothing is told of what is silenced
    assert "Small: message" not in run("watch", logs, "--once")[2]
    assert run("end-silence", logs, "1", "--by", "Ana")[1] == "silence 1 is over\n"
    assert "Still firing, its silence is over" in run("watch", logs, "--once")[2]


@pytest.mark.parametrize(
    "words,why",
    [
        (["acknowledge", "--alert", "accuracy_flor", "--by", "Ana"], 'did you mean "accuracy_floor"?'),
        (["acknowledge", "--alert", "accuracy_floor", "--by", " "], "who knows about it is missing"),
        (
            ["acknowledge", "--alert", "accuracy_floor", "--segment-value", "Q", "--by", "Ana"],
            "does not fire for Q",
        ),
        (["silence", "--alert", "accuracy_floor", "--by", "Ana"], "a silence has an end"),
        (["silence", "--for", "1h", "--until", "2100-01-01", "--by", "Ana"], "a silence has an end"),
        (["silence", "--for", "400 days", "--by", "Ana"], "92 days at most"),
        (["silence", "--for", "99999999999 days", "--by", "Ana"], "longer than time can be counted"),
        (["silence", "--until", "2020-01-01", "--by", "Ana"], "ends before it begins"),
        (["end-silence", "7", "--by", "Ana"], "there is no silence 7"),
    ],
)
def test_what_people_cannot_say(run, logs, words, why):
    status, out, err = run(words[0], logs, *words[1:])
    assert (status, out) == (2, "")
    assert why in err
    assert orjson.loads(run("said", logs, "--json")[1]) == []


def test_a_workspace_finds_the_project_by_its_rule(run, tmp_path):
    small_project(tmp_path / "work" / "one", name="One")
    small_project(tmp_path / "work" / "two", name="Two", rules="")
    assert run("note", tmp_path / "work", "x", "--alert", "accuracy_floor", "--by", "Ana")[0] == 0
    assert "holds several projects" in run("note", tmp_path / "work", "x", "--by", "Ana")[2]
    assert "found none" in run("note", tmp_path / "work", "x", "--alert", "other", "--by", "Ana")[2]


@pytest.mark.parametrize(
    "command", ["watch", "messages", "acknowledge", "silence", "end-silence", "note", "said"]
)
def test_every_option_is_documented(root, command):
    text = (root / "docs" / "command-line.md").read_text()
    section = text.split(f"### assay {command}\n")[1].split("\n### ")[0]
    names = {
        name for each in cli.cli.get_command(None, command).params for name in each.opts if name[0] == "-"
    }
    assert {name for name in names - {"--json"} if f"{name}" not in section} == set()


def test_every_field_is_documented(run, logs, root):
    text = (root / "docs" / "command-line.md").read_text()
    run("watch", logs, "--once")
    run("note", logs, "x", "--by", "Ana")
    for command in ("messages", "said"):
        section = text.split(f"### assay {command}\n")[1].split("\n### ")[0]
        (record,) = orjson.loads(run(command, logs, "--json")[1])
        assert {name for name in set(record) - {"project"} if f"`{name}`" not in section} == set()
