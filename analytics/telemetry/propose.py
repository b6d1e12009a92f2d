"""A first `assay.toml` for logs nobody has described yet, with a comment on every guess."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analytics.engines.duckdb import DuckDBEngine
from analytics.errors import TelemetryError
from analytics.telemetry.csv_files import repaired_folder
from analytics.telemetry.feeds import open_feed
from analytics.telemetry.files import LogFile, list_files
from analytics.telemetry.guess import Guesses, guess_roles, words_of
from analytics.telemetry.profile import FeedProfile, profile_feed, sums_to_one

_REFERENCE = {"reference", "baseline", "train", "training", "validation", "ref"}
_LABELS = {"label", "labels", "outcome", "outcomes", "truth", "actuals", "targets", "feedback"}
_GENERIC = {
    "predictions",
    "prediction",
    "logs",
    "log",
    "data",
    "scores",
    "raw",
    "tmp",
    "inference",
    *_REFERENCE,
    *_LABELS,
}
_DATED = re.compile(r"^[\d\-_.Tt]+$")
_MOST_NAMED_FILES = 4


@dataclass(frozen=True)
class Proposal:
    """A project file to start from.

    Attributes:
        text: TOML that `analytics.project.read_project` accepts.
        complete: whether everything that `[predictions]` needs was found.
        notes: what a person should look at, one sentence each.
    """

    text: str
    complete: bool
    notes: tuple[str, ...]


def propose(logs: Sequence[str], base: Path) -> Proposal:
    """Read the head of some logs and write down what they seem to be.

    Args:
        logs: files, globs or folders, relative to the working directory.
        base: the folder the project file will lie in; paths in it are relative to this one.

    Raises:
        TelemetryError: there is no log file, or none that can be read.
    """
    files = list_files(Path.cwd(), logs)
    engine = DuckDBEngine([repaired_folder()], files=(file.path for file in files if file.has_utf8_name))
    try:
        named = {Path(one).resolve() for one in logs if Path(one).is_file()}
        profiles = _profiles(engine, files, base.resolve(), named)
        if not profiles:
            raise TelemetryError(f"{', '.join(logs)}: not one of {len(files)} files can be read")
        predictions = max(profiles, key=_likeness_to_predictions)
        others = [one for one in profiles if one is not predictions]
        reference = next((one for one in others if _is_reference(one, predictions)), None)
        same = [one for one in others if one is not reference and one.looks_like(predictions)]
        labels = next(
            (
                one
                for one in _labels_first(others)
                if one not in (reference, *same) and _shares_id(one, predictions)
            ),
            None,
        )
        guesses, label_roles = guess_roles(
            predictions, labels, lambda names: sums_to_one(engine, predictions, names)
        )
    finally:
        engine.close()
    unused = [one for one in others if one not in (reference, labels, *same)]
    sections = _Text(predictions, same, guesses, labels, label_roles, reference)
    notes = [f"{_named(one)}: what these logs are could not be guessed" for one in unused]
    damaged = sum(one.damaged for one in profiles)
    if damaged:
        notes.append(f"{damaged} files could not be read; `assay telemetry` will name them")
    notes += [f"no column looks like the {role}: fill it in" for role in sections.missing]
    return Proposal(sections.written(base), not sections.missing, tuple(notes))


def _profiles(
    engine: DuckDBEngine, files: Sequence[LogFile], base: Path, named: set[Path]
) -> list[FeedProfile]:
    by_folder: dict[Path, list[LogFile]] = {}
    for file in files:
        by_folder.setdefault(_feed_folder(file), []).append(file)
    profiles: list[FeedProfile] = []
    for folder, members in by_folder.items():
        for some in _alike(engine, members):
            # who names files means these, and not what will lie beside them
            as_named = any(file.path.resolve() in named for file in some)
            paths = _paths(folder, some, [] if as_named else members, base)
            profile = profile_feed(engine, paths, tuple(some))
            if profile.columns:
                profiles.append(profile)
    return profiles


def _feed_folder(file: LogFile) -> Path:
    # folders that are partitions or dates divide one feed, others are feeds of their own
    folder = file.path.parent
    while "=" in folder.name or _DATED.match(folder.name):
        folder = folder.parent
    return folder


def _alike(engine: DuckDBEngine, files: list[LogFile]) -> list[list[LogFile]]:
    """Files of one folder by their columns: predictions.csv and labels.csv are two feeds."""
    kinds: list[tuple[set[str], list[LogFile]]] = []
    unread: list[LogFile] = []
    for file in files:
        columns = set(profile_columns(engine, file))
        if not columns:
            unread.append(file)
            continue
        for known, members in kinds:
            if len(known & columns) >= 0.5 * len(known | columns):
                known.update(columns)
                members.append(file)
                break
        else:
            kinds.append((columns, [file]))
    if kinds:
        max(kinds, key=lambda kind: len(kind[1]))[1].extend(unread)
    return [sorted(members) for _, members in kinds]


def profile_columns(engine: DuckDBEngine, file: LogFile) -> tuple[str, ...]:
    """The names of a file's columns; none where it cannot be read."""
    return tuple(open_feed(engine, "logs", [file], ()).columns)


def _paths(folder: Path, some: list[LogFile], members: list[LogFile], base: Path) -> tuple[str, ...]:
    shown = _relative(folder, base)
    if len(some) == len(members) and folder != base and _whole_folder(folder, some):
        return (shown,)
    if len(some) <= _MOST_NAMED_FILES:
        return tuple(_relative(file.path, base) for file in some)
    suffixes = {"".join(file.path.suffixes[-2:]) for file in some}
    start = _common_start([file.path.name for file in some])
    if len(suffixes) == 1 and not set(start) & set("*?["):
        pattern = f"{shown}/{start}*{suffixes.pop()}"
        try:
            if {file.path for file in list_files(base, [pattern])} == {file.path for file in some}:
                return (pattern,)
        except TelemetryError:
            pass
    return tuple(_relative(file.path, base) for file in some)


def _common_start(names: list[str]) -> str:
    low, high = min(names), max(names)
    same = next((place for place, sign in enumerate(low) if sign != high[place : place + 1]), len(low))
    return low[:same]


def _whole_folder(folder: Path, some: list[LogFile]) -> bool:
    return {file.path for file in list_files(folder, [str(folder)])} == {file.path for file in some}


def _relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _named(profile: FeedProfile) -> str:
    return profile.paths[0]


def _path_words(profile: FeedProfile) -> set[str]:
    last = Path(_named(profile))
    return set(words_of(last.name.partition(".")[0]).split()) | set(words_of(last.parent.name).split())


def _likeness_to_predictions(profile: FeedProfile) -> tuple[int, int, int]:
    words = {words_of(name) for name in profile.columns}
    telling = sum(any(sign in word for sign in ("score", "prob", "pred", "p ", "model")) for word in words)
    named = -2 * bool(_path_words(profile) & (_REFERENCE | _LABELS)) + bool(
        _path_words(profile) & {"predictions"}
    )
    return (named, min(telling, 3), len(profile.columns) + profile.rows // 10_000)


def _is_reference(profile: FeedProfile, predictions: FeedProfile) -> bool:
    return bool(_path_words(profile) & _REFERENCE) and profile.looks_like(predictions)


def _labels_first(profiles: list[FeedProfile]) -> list[FeedProfile]:
    return sorted(profiles, key=lambda one: not _path_words(one) & _LABELS)


def _shares_id(profile: FeedProfile, predictions: FeedProfile) -> bool:
    return any(
        name in predictions.columns and predictions.columns[name].is_unique and not column.is_time
        for name, column in profile.columns.items()
    )


class _Text:
    """Writes the sections of a project file."""

    def __init__(
        self,
        predictions: FeedProfile,
        same: list[FeedProfile],
        guesses: Guesses,
        labels: FeedProfile | None,
        label_roles: dict[str, tuple[str, str]],
        reference: FeedProfile | None,
    ) -> None:
        self.predictions = predictions
        self.paths = (*predictions.paths, *(path for one in same for path in one.paths))
        self.guesses = guesses
        self.labels = labels
        self.label_roles = label_roles
        self.reference = reference
        self.missing = [
            role
            for role in ("timestamp", "score")
            if role not in guesses.roles and not (role == "score" and guesses.classes)
        ]

    def written(self, base: Path) -> str:
        lines = [
            f"name = {_toml(self._name(base))}  # shown wherever the model is named",
            'time_zone = "UTC"  # days and weeks are cut here; times without a zone are read in it: check it',
            "",
        ]
        lines += self._predictions()
        lines += self._labels()
        lines += self._reference()
        return "\n".join(lines) + "\n"

    def _name(self, base: Path) -> str:
        """The folder that holds the logs, by the first name that tells something."""
        folder = base.resolve() / self.paths[0]
        for part in (folder, *folder.parents):
            if (
                part.is_dir()
                and not set(words_of(part.name).split()) & _GENERIC
                and not _DATED.match(part.name)
            ):
                return part.name or "model"
        return "model"

    def _predictions(self) -> list[str]:
        guesses = self.guesses
        lines = ["[predictions]  # one row a prediction", f"path = {_toml_paths(self.paths)}"]
        lines.append(
            f'task = "{guesses.task}"  # {_comment(guesses.task_reason or "a guess: nothing tells")}'
        )
        lines += [self._role("timestamp", "when the prediction was made"), self._score()]
        lines.append(self._role("id", "joins labels, finds duplicates"))
        if guesses.task != "regression":
            lines.append(self._role("decision", "the decision that was taken"))
            if "decision" not in guesses.roles and guesses.task == "binary":
                lines.append(
                    "# threshold = 0.5  # scores from here on count as positive, where no decision is logged"
                )
        lines += self._positive()
        if self.labels is None:
            lines.append(self._role("label", "the truth, where it is a column; or a [labels] section"))
            if "label" in guesses.roles and "label_timestamp" in guesses.roles:
                lines.append(self._role("label_timestamp", ""))
        lines.append(self._role("version", "of the model"))
        lines.append(self._role("unit", "who or what is counted once: user, account, device"))
        for role in ("received", "weight", "split", "latency", "status", "request"):
            if role in guesses.roles:
                lines.append(self._role(role, ""))
            if role == "status" and guesses.ok_status and "status" in guesses.roles:
                lines.append(
                    f"ok_status = {_toml_list(guesses.ok_status)}  # any other is a failed request: check it"
                )
        lines += self._columns()
        if self.missing:
            return [
                f"# No column looks like the {' or the '.join(self.missing)}.",
                "# Fill in what is missing and take away the leading #.",
                *(line if line.startswith("#") else f"# {line}" for line in lines),
                "",
            ]
        return [*lines, ""]

    def _positive(self) -> list[str]:
        guesses = self.guesses
        if guesses.positive is None or guesses.task != "binary":
            return []
        lines = [f"positive = {_toml(guesses.positive)}  # {_comment(guesses.positive_reason)}"]
        if guesses.negative is not None:
            lines.append(f"negative = {_toml(guesses.negative)}  # any third value counts as invalid")
        return lines

    def _columns(self) -> list[str]:
        guesses = self.guesses
        lines = ['# features = ["column"]  # inputs of the model']
        if guesses.features:
            why = "every column without another role: take out what the model does not see"
            lines = [f"features = {_toml_list(guesses.features)}  # {why}"]
        if guesses.segments:
            lines.append(f"segments = {_toml_list(guesses.segments)}  # few different values: to slice by")
        else:
            lines.append('# segments = ["column"]  # to slice by')
        if guesses.private:
            lines.append(f"private = {_toml_list(guesses.private)}  # by their names: never shown")
        return lines

    def _score(self) -> str:
        guesses = self.guesses
        if guesses.classes:
            table = ", ".join(f"{_toml(name)} = {_toml(column)}" for name, column in guesses.classes.items())
            return f"score = {{ {table} }}  # class = column with its probability; they add up to 1"
        meaning = "the predicted value" if guesses.task == "regression" else "P(positive)"
        return self._role("score", meaning)

    def _role(self, role: str, meaning: str) -> str:
        column = self.guesses.roles.get(role)
        if column is None:
            return f'# {role} = "column"  # {meaning}: no column looks like it'
        why = self.guesses.why[role]
        return f"{role} = {_toml(column)}  # {_comment(f'{meaning}: {why}' if meaning else why)}"

    def _labels(self) -> list[str]:
        if self.labels is None:
            if "label" in self.guesses.roles:
                return []
            return [
                "# [labels]  # a feed of labels that arrive late, joined by id",
                '# path = "labels"',
                '# id = "column"',
                '# label = "column"',
                '# timestamp = "column"  # when the label became known',
                "",
            ]
        lines = [
            "[labels]  # logs that share an id with the predictions",
            f"path = {_toml_paths(self.labels.paths)}",
        ]
        missing = False
        for role in ("id", "label", "timestamp"):
            found = self.label_roles.get(role)
            missing = missing or found is None
            lines.append(
                f"{role} = {_toml(found[0])}  # {_comment(found[1])}"
                if found
                else f'# {role} = "column"  # fill in'
            )
        if "source" in self.label_roles:
            lines.append(f"source = {_toml(self.label_roles['source'][0])}")
        lines.append('# absent_after = "7 days"  # no label by then means …')
        lines.append("# absent_means = 0         # … this one")
        if missing or self.missing:
            lines = [line if line.startswith("#") else f"# {line}" for line in lines]
        return [*lines, ""]

    def _reference(self) -> list[str]:
        if self.reference is not None and not self.missing:
            return [
                "[reference]  # what is normal: the name of the folder or file says so",
                f"path = {_toml_paths(self.reference.paths)}",
            ]
        return [
            "# [reference]  # what is normal: a window of the predictions, or files of the same shape",
            "# start = 2024-01-01",
            "# end = 2024-02-01",
        ]


def _toml_paths(paths: Sequence[str]) -> str:
    return _toml(paths[0]) if len(paths) == 1 else _toml_list(paths)


def _toml_list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_toml(value) for value in values) + "]"


def _toml(value: str | float) -> str:
    if not isinstance(value, str):
        return repr(value)
    # JSON escapes what TOML wants escaped, but for DEL
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
