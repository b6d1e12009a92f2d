"""Which column plays which role, guessed from names and values; every guess says why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from analytics.telemetry.profile import ColumnProfile, FeedProfile

Fits = Callable[[ColumnProfile], bool]

_TIME = (
    "timestamp", "ts", "time", "event time", "prediction time", "predicted at", "created at",
    "datetime", "logged at", "event timestamp", "occurred at", "at", "date", "day",
)  # fmt: skip
_RECEIVED = (
    "received at", "received", "ingested at", "ingest time", "arrived at", "ingestion time",
)  # fmt: skip
_LABEL_TIME = (
    "label timestamp", "label time", "labeled at", "labelled at", "label ts", "outcome time",
    "observed at", "feedback time", "label date", "outcome timestamp",
)  # fmt: skip
_ID = (
    "prediction id",
    "id",
    "inference id",
    "event id",
    "uuid",
    "row id",
    "record id",
    "transaction id",
    "key",
)
_SCORE = (
    "score", "probability", "proba", "prob", "prediction score", "y score", "y prob", "y proba", "p",
    "predicted probability", "prediction probability", "risk", "risk score", "confidence",
)  # fmt: skip
_PREDICTED = (
    "prediction", "predicted", "y pred", "yhat", "y hat", "pred", "forecast", "estimate",
    "predicted value", "score",
)  # fmt: skip
_DECISION = (
    "decision", "predicted label", "prediction label", "predicted class", "predicted", "prediction",
    "y pred", "pred", "predicted value", "action",
)  # fmt: skip
_LABEL = (
    "label", "y", "y true", "target", "actual", "ground truth", "truth", "outcome", "true label",
    "observed", "is correct", "class",
)  # fmt: skip
_VERSION = (
    "model version", "version", "model", "model name", "model id", "model tag", "release",
)  # fmt: skip
_UNIT = (
    "user id", "user", "customer id", "account id", "device id", "client id", "member id", "patient id",
    "tailnum", "unit", "session id", "entity id", "customer", "account", "device",
)  # fmt: skip
_LATENCY = (
    "latency ms", "latency", "latency s", "latency seconds", "response time", "response time ms",
    "duration ms", "duration", "elapsed", "elapsed ms",
)  # fmt: skip
_STATUS = (
    "status", "status code", "http status", "response status", "state",
)  # fmt: skip
_REQUEST = (
    "request id", "trace id", "correlation id",
)  # fmt: skip
_WEIGHT = (
    "sampling weight", "weight", "sample weight", "inverse probability",
)  # fmt: skip
_SPLIT = (
    "split", "dataset", "data split",
)  # fmt: skip
_OK = (
    "ok", "success", "succeeded", "200", "done", "true",
)  # fmt: skip
_POSITIVE = (
    "1", "true", "yes", "y", "positive", "pos", "t", "late", "fraud", "spam", "churn", "churned",
    "default", "click", "clicked", "bad", "fail", "failed",
)  # fmt: skip
_PRIVATE = {
    "email", "mail", "phone", "mobile", "ssn", "iban", "passport", "surname", "lastname", "firstname",
    "address", "birthdate", "dob", "password", "token", "ip", "fullname", "username",
}  # fmt: skip
_PREDICTION_WORDS = {
    "predicted", "prediction", "forecast", "estimated", "estimate", "pred", "yhat",
}  # fmt: skip
_DECISION_WORDS = {
    "predicted", "prediction", "decided", "decision", "pred",
}  # fmt: skip
_CLASS_COLUMN = re.compile(
    r"^(?P<prefix>(?:p|prob|proba|probability|score)[_\-. :])(?P<name>.+)$", re.IGNORECASE
)
_MOST_SEGMENT_VALUES = 50
_MOST_NUMBERS_TO_SLICE = 24


@dataclass
class Guesses:
    """Role -> column, and role -> why; what could not be guessed is absent."""

    task: str = "binary"
    task_reason: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    positive: str | float | None = None
    negative: str | float | None = None
    positive_reason: str = ""
    ok_status: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    private: tuple[str, ...] = ()

    def take(self, role: str, found: tuple[ColumnProfile, str] | None) -> None:
        """Keep a guess."""
        if found is not None:
            self.roles[role], self.why[role] = found[0].name, found[1]

    @property
    def taken(self) -> set[str]:
        """Columns that have a role."""
        return {*self.roles.values(), *self.classes.values()}


def words_of(name: str) -> str:
    """A column name as lower-case words.

    >>> words_of("modelVersion"), words_of("PREDICTION_ID")
    ('model version', 'prediction id')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.split(r"[^0-9a-z]+", spaced.lower())).strip()


def guess_roles(
    predictions: FeedProfile, labels: FeedProfile | None, is_classes: Callable[[tuple[str, ...]], bool]
) -> tuple[Guesses, dict[str, tuple[str, str]]]:
    """The roles of predictions, and those of a label feed as role -> (column, why).

    Args:
        predictions: the logs that hold scores.
        labels: logs with the same ids and no scores.
        is_classes: tells whether some columns add up to 1 in every row.
    """
    guesses = Guesses()
    columns = list(predictions.columns.values())
    guesses.private = tuple(one.name for one in columns if _PRIVATE & set(words_of(one.name).split()))
    _plain_roles(guesses, columns, labels)
    label_roles = _label_feed(guesses, labels) if labels is not None else {}
    if labels is None:
        guesses.take("label", _named(columns, _LABEL, lambda one: one.distinct > 0, guesses.taken))
        label = predictions.columns.get(guesses.roles.get("label", ""))
    else:
        label = labels.columns.get(label_roles["label"][0]) if "label" in label_roles else None
    _scores(guesses, columns, is_classes, label)
    _task(guesses, predictions, label)
    _decision(guesses, columns)
    _rest(guesses, columns, predictions)
    return guesses, label_roles


def _named(
    columns: Iterable[ColumnProfile], names: tuple[str, ...], fits: Fits, taken: set[str]
) -> tuple[ColumnProfile, str] | None:
    free = [one for one in columns if one.name not in taken and fits(one)]
    for name in names:
        for one in free:
            if words_of(one.name) == name:
                return one, "its name says so"
    return None


def _plain_roles(guesses: Guesses, columns: list[ColumnProfile], labels: FeedProfile | None) -> None:
    def take(role: str, names: tuple[str, ...], fits: Fits) -> None:
        guesses.take(role, _named(columns, names, fits, guesses.taken))

    take("received", _RECEIVED, lambda one: one.is_time)
    take("label_timestamp", _LABEL_TIME, lambda one: one.is_time)
    _timestamp(guesses, columns)
    _id(guesses, columns, labels)
    take("version", _VERSION, lambda one: 0 < one.distinct <= 200 and not one.is_unique)
    take("request", _REQUEST, lambda one: one.distinct > 0)
    take("latency", _LATENCY, lambda one: one.is_number and one.low is not None and one.low >= 0)
    take("status", _STATUS, lambda one: 0 < one.distinct <= 20)
    take("weight", _WEIGHT, lambda one: one.is_number and one.low is not None and one.low > 0)
    take("unit", _UNIT, lambda one: one.distinct > 1)
    take("split", _SPLIT, lambda one: bool({"production"} & {value.lower() for value in one.values}))
    if "status" in guesses.roles:
        status = next(one for one in columns if one.name == guesses.roles["status"])
        guesses.ok_status = tuple(value for value in status.values if value.lower() in _OK)[:1]


def _timestamp(guesses: Guesses, columns: list[ColumnProfile]) -> None:
    found = _named(columns, _TIME, lambda one: one.is_time, guesses.taken)
    if found is None:
        written = [one for one in columns if one.is_written_time and one.name not in guesses.taken]
        if written:
            best = max(written, key=lambda one: (one.n, one.distinct))
            only = (
                "the only column with times" if len(written) == 1 else "of the columns with times the finest"
            )
            found = best, only
    guesses.take("timestamp", found)


def _id(guesses: Guesses, columns: list[ColumnProfile], labels: FeedProfile | None) -> None:
    def could_be(one: ColumnProfile) -> bool:
        whole = one.kind != "DOUBLE" or not one.is_share
        return one.n > 0 and not one.is_written_time and whole

    if labels is not None:
        shared = [one for one in columns if one.name in labels.columns and one.is_unique and could_be(one)]
        shared = [one for one in shared if one.name not in guesses.taken]
        if shared:
            guesses.take("id", (shared[0], "different in every row, and the labels have it too"))
            return
    found = _named(columns, _ID, lambda one: could_be(one) and one.distinct >= 0.9 * one.n, guesses.taken)
    if found is None:
        loose = _named(columns, _REQUEST, lambda one: could_be(one) and one.is_unique, guesses.taken)
        found = (loose[0], "different in every row") if loose else None
    guesses.take("id", found)


def _label_feed(guesses: Guesses, labels: FeedProfile) -> dict[str, tuple[str, str]]:
    columns = list(labels.columns.values())
    roles: dict[str, tuple[str, str]] = {}
    if "id" in guesses.roles:
        roles["id"] = (guesses.roles["id"], "the predictions have it too")
    taken = {name for name, _ in roles.values()}
    for role, names, fits in (
        ("timestamp", (*_LABEL_TIME, *_TIME, *_RECEIVED), lambda one: one.is_time),
        ("label", _LABEL, lambda one: one.distinct > 0),
        ("source", ("source", "label source", "annotator"), lambda one: 0 < one.distinct <= 50),
    ):
        found = _named(columns, names, fits, taken)
        if found is not None:
            roles[role] = (found[0].name, found[1])
            taken.add(found[0].name)
    if "timestamp" not in roles:
        times = [one for one in columns if one.is_written_time and one.name not in taken]
        if times:
            roles["timestamp"] = (times[0].name, "the first column with times")
            taken.add(times[0].name)
    left = [one for one in columns if one.name not in taken and one.distinct > 0 and not one.is_time]
    if "label" not in roles and len(left) == 1:
        roles["label"] = (left[0].name, "the only column left")
    return roles


def _scores(
    guesses: Guesses,
    columns: list[ColumnProfile],
    is_classes: Callable[[tuple[str, ...]], bool],
    label: ColumnProfile | None,
) -> None:
    by_prefix: dict[str, dict[str, str]] = {}
    for one in columns:
        match = _CLASS_COLUMN.match(one.name)
        if match and one.is_share and one.name not in guesses.taken:
            by_prefix.setdefault(match["prefix"].lower(), {})[match["name"]] = one.name
    for classes in by_prefix.values():
        if len(classes) > 1 and is_classes(tuple(classes.values())):
            guesses.classes = classes
            return
    free = [one for one in columns if one.name not in guesses.taken and one.is_number and one.distinct > 2]
    many_labels = label is not None and label.is_number and label.distinct > 2
    found = None if many_labels else _named(free, _SCORE, lambda one: one.is_share, set())
    found = found or _named(free, _PREDICTED, lambda _: True, set())
    found = found or _spoken(free, _PREDICTION_WORDS)
    shares = [one for one in free if one.is_share and one.distinct > _MOST_SEGMENT_VALUES]
    if found is None and len(shares) == 1 and not many_labels:
        found = shares[0], "the only column with many values between 0 and 1: check it"
    guesses.take("score", found)


def _spoken(columns: Iterable[ColumnProfile], wanted: set[str]) -> tuple[ColumnProfile, str] | None:
    for one in columns:
        found = wanted & set(words_of(one.name).split())
        if found:
            return one, f'its name holds "{min(found)}"'
    return None


def _task(guesses: Guesses, predictions: FeedProfile, label: ColumnProfile | None) -> None:
    if guesses.classes:
        guesses.task, guesses.task_reason = (
            "multiclass",
            f"{len(guesses.classes)} columns of scores add up to 1",
        )
        return
    score = predictions.columns.get(guesses.roles.get("score", ""))
    share = score is not None and score.is_share
    if label is not None and label.distinct == 2 and (share or score is None):
        guesses.task, guesses.task_reason = "binary", "labels have two values, scores lie between 0 and 1"
    elif label is not None and label.distinct <= 2 and share:
        guesses.task, guesses.task_reason = "binary", "scores lie between 0 and 1"
    elif label is None and share:
        guesses.task, guesses.task_reason = (
            "binary",
            "scores lie between 0 and 1; there are no labels to tell",
        )
    elif score is not None:
        guesses.task, guesses.task_reason = "regression", "scores or labels are numbers of any size"
    if guesses.task == "binary" and label is not None:
        _positive(guesses, label)


def _positive(guesses: Guesses, label: ColumnProfile) -> None:
    values = list(label.values)
    if label.kind == "BOOLEAN" or {value.lower() for value in values} <= {"0", "1"}:
        guesses.positive, guesses.positive_reason = 1, "the labels are 0 and 1"
        return
    if len(values) != 2:
        return
    guesses.positive_reason = f"the labels are {' and '.join(sorted(values))}"
    if label.is_number and label.low is not None and label.high is not None:
        guesses.negative, guesses.positive = _whole(label.low), _whole(label.high)
        return
    telling = [value for word in _POSITIVE for value in values if value.lower() == word]
    if not telling:
        guesses.positive_reason += "; the rarer one is taken: check it"
    guesses.positive = telling[0] if telling else values[-1]
    guesses.negative = next(value for value in values if value != guesses.positive)


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() else number


def _decision(guesses: Guesses, columns: list[ColumnProfile]) -> None:
    if guesses.task == "regression":
        return
    if guesses.task == "binary":
        free = [one for one in columns if one.name not in guesses.taken and 0 < one.distinct <= 2]
    else:
        classes = set(guesses.classes)
        free = [one for one in columns if one.name not in guesses.taken and one.values]
        free = [one for one in free if set(one.values) <= classes]
    guesses.take("decision", _named(free, _DECISION, lambda _: True, set()) or _spoken(free, _DECISION_WORDS))


def _rest(guesses: Guesses, columns: list[ColumnProfile], predictions: FeedProfile) -> None:
    known = {*guesses.taken, *guesses.private, *predictions.partitions}
    left = [one for one in columns if one.name not in known and one.n > 0 and not one.is_written_time]
    usable = [one for one in left if one.is_number or one.kind in {"BOOLEAN", "VARCHAR"}]
    named = [
        one for one in usable if one.is_number or not (one.is_unique and one.distinct > _MOST_SEGMENT_VALUES)
    ]
    guesses.features = tuple(one.name for one in named)
    guesses.segments = tuple(
        one.name for one in named
        if 2 <= one.distinct <= (_MOST_NUMBERS_TO_SLICE if one.is_number else _MOST_SEGMENT_VALUES)
    )  # fmt: skip
