"""`assay compare-counts`, `compare-means`: did the variant win, from numbers typed by hand?"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from analytics.errors import ExperimentError
from app.commands.common import json_option, say, terminal_width, write, write_records
from app.commands.typed_numbers import NUMBER, SHARES, number, whole

if TYPE_CHECKING:
    from analytics.experiments.rows import ExperimentRow, Scorecard, TypedArm
    from analytics.experiments.typed_rates import TypedRate
    from analytics.results import Status

Command = TypeVar("Command", bound=Callable[..., Any])
Arm = TypeVar("Arm", "TypedArm", "TypedRate")
MOST_ARMS = 100
LONGEST_NAME = 60
LARGEST = 1e50
"""Beyond it squares of squares, which the degrees of freedom need, are no numbers any more."""

COMPARED = (
    "difference", "standard_error", "statistic", "df", "ci_low", "ci_high", "p_value", "p_adjusted",
    "ci_adjusted_low", "ci_adjusted_high", "lift", "lift_ci_low", "lift_ci_high", "lift_ci_adjusted_low",
    "lift_ci_adjusted_high", "chance_to_beat", "permutation_p_value", "badge", "warnings",
)  # fmt: skip
"""Fields that a comparison gives, and an arm by itself does not have."""

METHOD = click.option(
    "--method", "methods", multiple=True, metavar="NAME", help="Compare by this method besides; repeatable."
)
_SHARES = click.option(
    "--shares", type=SHARES, help="Planned, in the order of the arms; tests the split (SRM)."
)
_OPTIONS = (
    click.option(
        "--control", metavar="NAME", help="The arm the others are compared with; the last if left out."
    ),
    click.option("--confidence", type=NUMBER, help="Of every interval.  [default: 0.95]"),
    click.option("--alpha", type=NUMBER, help="1 - confidence, instead of it.  [default: 0.05]"),
    click.option("--down", is_flag=True, help="Less is better."),
    _SHARES,
    METHOD,
    json_option,
)


def _options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _without_shares(command: Command) -> Command:
    for option in reversed([one for one in _OPTIONS if one is not _SHARES]):
        command = option(command)
    return command


# a mean may be negative, and must not be taken for an option
@click.command("compare-counts", context_settings={"ignore_unknown_options": True})
@click.argument("arms", nargs=-1, required=True, metavar="[NAME=]CONVERSIONS/VISITORS...")
@_options
def compare_counts_command(arms: tuple[str, ...], **options: Any) -> None:
    """Compare conversions of visitors: assay compare-counts new=462/3568 old=378/3662.

    Arms without a name are called A, B, C … in the order typed. Score test, with the intervals that invert it.
    """
    from analytics.experiments.typed import compare_counts

    _answer(_named(arms, _count), compare_counts, **options)


@click.command("compare-means", context_settings={"ignore_unknown_options": True})
@click.argument("arms", nargs=-1, required=True, metavar="[NAME=]MEAN,SD,N...")
@_options
def compare_means_command(arms: tuple[str, ...], **options: Any) -> None:
    """Compare means: assay compare-means new=11.2,3.1,2158 old=10.9,2.8,10.

    Arms without a name are called A, B, C … in the order typed. SD has the divisor n - 1. Welch's t test.
    """
    from analytics.experiments.typed import compare_means

    _answer(_named(arms, _mean), compare_means, **options)


@click.command("compare-rates", context_settings={"ignore_unknown_options": True})
@click.argument("arms", nargs=-1, required=True, metavar="[NAME=]EVENTS/EXPOSURE...")
@_without_shares
def compare_rates_command(arms: tuple[str, ...], **options: Any) -> None:
    """Compare rates of events: assay compare-rates new=60/51477.5 old=30/54308.7.

    EXPOSURE is in any unit (users, hours, thousand requests) that is the same in all arms. For events that do not hang
    together; where one user has several, compare their means. Score test of two rates, with the intervals that invert
    it; --method poisson-exact and e-test are for few events.
    """
    from analytics.experiments.typed_rates import compare_rates

    _answer(_named(arms, _rate), compare_rates, **options)


def _answer(
    arms: tuple[Any, ...],
    compare: Callable[..., Scorecard],
    *,
    control: str | None,
    confidence: float | None,
    alpha: float | None,
    down: bool,
    as_json: bool,
    **besides: Any,
) -> None:
    """Compare, and print a record or a line for every arm, in the order typed."""
    from analytics.results import record

    names = [arm.name for arm in arms]
    shares, methods = besides.get("shares"), besides["methods"]
    if shares is not None and len(shares) != len(arms):
        raise click.UsageError(f"--shares: {len(shares)} shares for {len(arms)} arms; name one for each")
    if control is not None and control not in names:
        raise click.UsageError(f'--control: "{control}" is none of the arms: {", ".join(names)}')
    card = compare(
        arms,
        control or names[-1],
        _alpha(alpha, confidence),
        direction="down" if down else "up",
        methods=methods,
        **({} if shares is None else {"shares": dict(zip(names, shares, strict=True))}),
    )
    rows = [*_in_order(card, names), *card.others]
    records = [record(row, card.zone) for row in rows]
    say(card.correction)
    if card.others:
        say(f"Not corrected, and no part of the verdict: {', '.join(methods)}.")
    if as_json:
        say(card.decision.sentence)
        write_records(records)
        return
    from app.commands.comparisons import text

    write(text("as typed", card.decision.sentence, records, None, terminal_width()))


def _alpha(alpha: float | None, confidence: float | None) -> float:
    if alpha is not None and confidence is not None:
        raise click.UsageError("give either --alpha or --confidence: one is 1 minus the other")
    for name, value in (("alpha", alpha), ("confidence", confidence)):
        if value is not None and not 0 < value < 1:
            raise click.UsageError(f"--{name}: {value:g} must lie between 0 and 1")
    if confidence is not None:
        return round(1 - confidence, 12)
    return 0.05 if alpha is None else alpha


def _in_order(card: Scorecard, names: Sequence[str]) -> list[ExperimentRow]:
    """The comparisons in the order typed, with a row for the control itself; then the split, if it was asked for."""
    by_variant = {row.variant: row for row in card.rows}
    found = [by_variant[name] if name != card.control else _control_row(card) for name in names]
    return [*found, *(row for row in card.rows if row.metric == "srm")]


def _control_row(card: Scorecard) -> ExperimentRow:
    """The control by itself: its n and mean, and nothing that a comparison would give."""
    from dataclasses import replace

    arm = next(arm for arm in card.arms if arm.variant == card.control)
    known = arm.mean is not None
    own: dict[str, Any] = {
        "variant": arm.variant,
        "n": arm.n,
        "mean": arm.mean,
        "mean_control": arm.mean,
        "n_control": arm.n,
        "half_width": card.rows[0].half_width_control,
    }
    nothing = dict.fromkeys(COMPARED)
    status: Status = "ok" if known else arm.status
    return replace(card.rows[0], **(own | nothing), status=status, reason=None if known else arm.reason)


def _named(texts: Sequence[str], read: Callable[[str, str], Arm]) -> tuple[Arm, ...]:
    for text in texts:
        if text.startswith("-") and not text[1:2].isdigit() and text[1:2] not in {".", ""}:
            raise click.NoSuchOption(text)
    if len(texts) < 2:
        raise ExperimentError("one arm alone cannot be compared; type at least two")
    if len(texts) > MOST_ARMS:
        raise ExperimentError(f"{len(texts)} arms are too many; at most {MOST_ARMS} can be compared")
    arms = []
    for place, text in enumerate(texts):
        name, named, numbers = text.rpartition("=")
        if named and not 0 < len(name.strip()) <= LONGEST_NAME:
            raise ExperimentError(f'"{_cut(text)}": the name of an arm has 1 to {LONGEST_NAME} letters')
        arms.append(read(name.strip() or _letter(place), numbers))
    twice = [name for name, times in Counter(arm.name for arm in arms).items() if times > 1]
    if twice:
        raise ExperimentError(f'two arms are called "{twice[0]}"; give each its own name')
    return tuple(arms)


def _letter(place: int) -> str:
    """A to Z, then AA, AB and so on.

    >>> _letter(0), _letter(25), _letter(26)
    ('A', 'Z', 'AA')
    """
    rest, letter = divmod(place, len(string.ascii_uppercase))
    return (_letter(rest - 1) if rest else "") + string.ascii_uppercase[letter]


def _count(name: str, text: str) -> TypedArm:
    from analytics.experiments.rows import TypedArm

    parts = text.split("/")
    if len(parts) != 2:
        raise ExperimentError(f'"{_cut(text)}" is not CONVERSIONS/VISITORS; write an arm such as 462/3568')
    try:
        successes, n = map(whole, parts)
    except ValueError as error:
        raise ExperimentError(f"{name}: {error}; write CONVERSIONS/VISITORS, such as 462/3568") from error
    if n == 0:
        raise ExperimentError(f"{name} has 0 visitors; leave it out, or name those there are")
    if successes > n:
        raise ExperimentError(
            f"{name} has more conversions than visitors, {successes:,} of {n:,}; write CONVERSIONS/VISITORS"
        )
    return TypedArm(name, n, successes=successes)


def _mean(name: str, text: str) -> TypedArm:
    from analytics.experiments.rows import TypedArm

    parts = text.split(",")
    if len(parts) != 3:
        raise ExperimentError(f'"{_cut(text)}" is not MEAN,SD,N; write an arm such as 11.2,3.1,2158')
    try:
        mean, deviation, n = number(parts[0]), number(parts[1]), whole(parts[2])
    except ValueError as error:
        raise ExperimentError(f"{name}: {error}; write MEAN,SD,N, such as 11.2,3.1,2158") from error
    if deviation < 0:
        raise ExperimentError(f"{name} has a negative standard deviation, {deviation:g}; write MEAN,SD,N")
    if n == 0:
        raise ExperimentError(f"{name} has 0 units; leave it out, or name those there are")
    if max(abs(mean), deviation) > LARGEST:
        raise ExperimentError(f"{name} has a number beyond {LARGEST:g}; count in larger units")
    return TypedArm(name, n, mean=mean, standard_deviation=deviation)


def _rate(name: str, text: str) -> TypedRate:
    from analytics.experiments.typed_rates import TypedRate

    parts = text.split("/")
    if len(parts) != 2:
        raise ExperimentError(f'"{_cut(text)}" is not EVENTS/EXPOSURE; write an arm such as 60/51477.5')
    try:
        events, exposure = whole(parts[0]), number(parts[1].replace(",", ""))
    except ValueError as error:
        raise ExperimentError(f"{name}: {error}; write EVENTS/EXPOSURE, such as 60/51477.5") from error
    if exposure <= 0:
        raise ExperimentError(f"{name} has an exposure of {exposure:g}; leave it out, or write one above 0")
    if exposure > LARGEST:
        raise ExperimentError(f"{name} has an exposure beyond {LARGEST:g}; count in larger units")
    return TypedRate(name, events, exposure)


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
