"""A plan as sentences: what it needs, what was assumed, and why there is none."""

from __future__ import annotations

import math

from analytics.experiments.power_plan import Plan
from analytics.experiments.rows import PowerRow
from analytics.experiments.words import count, listed, number, plural

_MINUS = "−"
_MOST_DECIMALS = 8
_ROUNDING = 1e-9
_FEWEST_EXPECTED = 5
_FEWEST_FOR_T = 50
_NOUNS = {
    "proportion": "",
    "mean": "a mean of ",
    "ratio": "a ratio of ",
    "count": "a mean count of ",
    "quantile": "a quantile of ",
}
BOUNDARIES = {
    "obrien-fleming": "O'Brien and Fleming's boundary",
    "pocock": "Pocock's boundary",
    "lan-demets-obrien-fleming": "Lan and DeMets' boundary of O'Brien and Fleming's kind",
    "lan-demets-pocock": "Lan and DeMets' boundary of Pocock's kind",
    "power": "the power family's boundary",
}


def sentence(row: PowerRow) -> str:
    """One plan as a sentence to paste: what was asked, under which conditions, and the answer.

    >>> from analytics.experiments.power import power_of
    >>> sentence(power_of("proportion", baseline=0.10, lift=0.10, daily_units=2000))
    'To see 10.0% become 11.0% (+10% of it) with 80% power at alpha .05, two-sided, you need 14,751 units in
    each of 2 arms, 29,502 in all: 15 days at 2,000 units a day.'
    """
    if row.status != "ok" or row.mde_absolute is None or row.power is None:
        reason = row.reason or "there is no answer"
        return f"{reason[0].upper()}{reason[1:]}."
    with_power = (
        f"{_percent(row.power)} power{' for all together' if row.power_for == 'all' else ''} {_test(row)}"
    )
    if row.solved_for == "n":
        return f"To {_shown(row)} with {with_power}, you need {_sizes(row)}{_duration(row)}."
    sizes = f"With {_sizes(row)}{_duration(row, brackets=True)}"
    if row.solved_for == "power":
        together = " for all together" if row.power_for == "all" else ""
        return f"{sizes}, the chance{together} to {_shown(row)} is {_percent(row.power)} {_test(row)}."
    before, after = _pair(row)
    way = "fall" if row.mde_absolute < 0 else "rise"
    if row.goal == "equivalence":
        return f"{sizes}, a change of {before} by {_size(row)} or more is ruled out with {with_power}."
    if row.goal == "non-inferiority":
        what = f"a {way} from {before} to {after} or beyond{_lift(row)} is ruled out"
    else:
        what = f"a {way} from {before} to {after}{_lift(row)} is seen"
    return f"{sizes}, {what} with {with_power}."


def _shown(row: PowerRow) -> str:
    """What is to be shown, as a person would say it."""
    before, after = _pair(row)
    if row.goal == "difference":
        return f"see {before} become {after}{_lift(row)}"
    true = row.true_difference or 0.0
    truly = (
        f" where the true difference is {_trimmed_signed(true)}" if true else " where nothing truly changes"
    )
    if row.goal == "equivalence":
        return f"rule out that {before} changes by {_size(row)} or more{truly},"
    way = "falls" if (row.mde_absolute or 0.0) < 0 else "rises"
    return f"rule out that {before} {way} to {after} or beyond{_lift(row)}{truly},"


def _size(row: PowerRow) -> str:
    """The size of an effect without its direction."""
    size = abs(row.mde_absolute or 0.0)
    text = f"{_trimmed(size * 100)} percentage points" if row.kind == "proportion" else _trimmed(size)
    return text if row.mde_relative is None else f"{text} ({_trimmed(abs(row.mde_relative) * 100)}% of it)"


def _trimmed_signed(value: float) -> str:
    return f"{_MINUS if value < 0 else '+'}{_trimmed(abs(value))}"


def assumption(row: PowerRow, *, is_poisson: bool) -> str:
    """What the numbers of a plan rest on."""
    parts = [
        f"{_sides(row).capitalize()} normal approximation without continuity correction",
        _variance(row, is_poisson=is_poisson),
        _tail(row),
    ]
    comparisons = (row.variants - 1) * row.metrics
    if comparisons > 1:
        arm = "the smallest arm" if len(set(row.shares.split(", ")[1:])) > 1 else "one arm"
        level = (
            f"at alpha {_level(row.alpha_per_comparison)}, the first step of Holm over {comparisons}"
            if row.correction == "holm"
            else f"at alpha {_level(row.alpha)} each, not corrected for {comparisons} comparisons"
        )
        parts.append(f"comparison of {arm} with the control, {level}")
        parts += _together(row)
    if row.relative:
        parts.append(
            "the margin is relative to the control's mean, whose noise counts"
            if row.goal != "difference"
            else "the lift itself is tested by the delta method, so its standard error grows with it"
        )
    parts += [*_adjusted(row), *_stopped(row), *_doubts(row, is_poisson=is_poisson)]
    return "; ".join(parts)


def _tail(row: PowerRow) -> str:
    if row.goal == "difference":
        return "power counts only the tail of the effect's own direction"
    ends = "both ends of the interval must" if row.goal == "equivalence" else "the interval's end must"
    level = 1 - row.alpha_per_comparison * (2 if row.one_sided else 1)
    return f"{ends} stay inside the margin, with confidence {_percent(level)}"


def _together(row: PowerRow) -> list[str]:
    """The power to show every comparison."""
    if row.power_all is None or row.power_all_least is None:
        return []
    text = (
        f"all {(row.variants - 1) * row.metrics} are shown with a chance of {_percent(row.power_all)} if they are "
        f"independent, and of at least {_percent(row.power_all_least)} however they hang together"
    )
    return [text]


def _adjusted(row: PowerRow) -> list[str]:
    """What a covariate and clusters do."""
    parts = []
    if row.r2:
        parts.append(f"a covariate from before the experiment takes away {_percent(row.r2)} of the variance")
    if row.design_effect != 1:
        parts.append(f"clusters multiply the units by {_trimmed(row.design_effect)}")
    return parts


def _stopped(row: PowerRow) -> list[str]:
    """When it stops, and what that costs."""
    if row.stopping == "fixed":
        return []
    looks = plural(row.looks, "look")
    how = (
        f"{looks}, evenly in units, with {BOUNDARIES[row.boundary or '']}"
        if row.stopping == "group-sequential"
        else f"always-valid, looked at {row.looks} times and tuned to the last"
    )
    expected = (
        ""
        if row.n_expected is None
        else f"; if the effect is there, {count(row.n_expected)} are used on average"
    )
    return [f"{how}: {_trimmed(row.inflation)} times the units of a single look at most{expected}"]


def _doubts(row: PowerRow, *, is_poisson: bool) -> list[str]:
    """What makes the normal approximation rough."""
    if row.n_by_variant is None or row.mde_absolute is None:
        return []
    smallest = min(int(n) for n in row.n_by_variant.split(","))
    if row.kind == "proportion" or is_poisson:
        means = (row.baseline, row.baseline + row.mde_absolute)
        rarest = min(means) if is_poisson else min(*means, *(1 - mean for mean in means))
        few = smallest * rarest < _FEWEST_EXPECTED
        return [f"rough here, with fewer than {_FEWEST_EXPECTED} expected in an arm"] if few else []
    few = smallest < _FEWEST_FOR_T
    return ["rough here: with so few units Welch's t needs one or two more an arm"] if few else []


def no_sample(plan: Plan, effect: float, most: int) -> str:
    """Why no number of units is given."""
    true = plan.terms.true_difference
    same_side = plan.terms.goal == "equivalence" or true * effect > 0
    beyond = same_side and abs(true) >= abs(effect) * (1 - _ROUNDING)
    if plan.terms.goal != "difference" and beyond:
        return (
            f"no sample is enough: the true difference, {_trimmed_signed(true)}, lies at or beyond the margin, "
            f"{_trimmed_signed(effect)}"
        )
    return f"no sample is enough: an effect this small takes more than {count(most)} units"


def no_effect(plan: Plan) -> str:
    """Why no effect is given."""
    kind, fall = plan.kind, plan.fall
    verb = "seen" if plan.terms.goal == "difference" else "ruled out"
    way, other = ("fall", "rise") if fall else ("rise", "fall")
    if kind == "proportion":
        bound = "0%" if fall else "100%"
        return (
            f"no {way} from {_percent(plan.baseline)} can be {verb} with so few units, since it would have to pass "
            f"{bound}; more units are needed, or look for a {other}"
        )
    if kind == "count" and fall:
        return f"no fall from {number(plan.baseline)} can be {verb} with so few units, since it would have to pass 0"
    if plan.terms.relative:
        return (
            f"no {way} can be {verb} with so few units, however large: the control's own mean is too noisy to be "
            "compared with; more units are needed"
        )
    return f"with a standard deviation this large no finite effect can be {verb}"


def _variance(row: PowerRow, *, is_poisson: bool) -> str:
    if row.kind == "proportion" and row.goal == "difference" and not row.relative:
        return "variance pooled where the test takes it, unpooled for where the estimate falls"
    if row.kind == "proportion":
        return "each arm has the variance of its own share"
    if is_poisson:
        return "counts are Poisson, so each arm's variance is its mean"
    if row.kind == "quantile":
        deviation = number(row.standard_deviation or 0.0)
        return f"sqrt(q (1 - q)) over the density at the quantile, {deviation}, is known and the same in all arms"
    values = "linearised values" if row.kind == "ratio" else "values"
    deviation = number(row.standard_deviation or 0.0)
    return f"the standard deviation of the units' {values}, {deviation}, is known and the same in all arms"


def _test(row: PowerRow) -> str:
    comparisons = (row.variants - 1) * row.metrics
    corrected = ""
    if comparisons > 1:
        corrected = (
            f", corrected for {comparisons} comparisons"
            if row.correction == "holm"
            else f" for each of {comparisons} comparisons"
        )
    looked = "" if row.stopping == "fixed" else f", {row.stopping} with {plural(row.looks, 'look')}"
    return f"at alpha {_level(row.alpha)}, {_sides(row)}{corrected}{looked}"


def _sides(row: PowerRow) -> str:
    return "one-sided" if row.one_sided else "two-sided"


def _sizes(row: PowerRow) -> str:
    arms = [int(n) for n in (row.n_by_variant or "").split(",")]
    total = count(row.n_total or 0)
    if len(set(arms)) == 1:
        return f"{plural(arms[0], 'unit')} in each of {len(arms)} arms, {total} in all"
    return f"{listed([count(n) for n in arms])} units (the control first), {total} in all"


def _duration(row: PowerRow, *, brackets: bool = False) -> str:
    if row.days is None or row.daily_units is None:
        return ""
    text = f"{plural(row.days, 'day')} at {_trimmed(row.daily_units)} units a day"
    return f" ({text})" if brackets else f": {text}"


def _pair(row: PowerRow) -> tuple[str, str]:
    """Baseline and what it becomes, with as many decimals as show the difference in two digits."""
    scale, unit = (100, "%") if row.kind == "proportion" else (1, "")
    difference = (row.mde_absolute or 0.0) * scale
    before = row.baseline * scale
    noun = _NOUNS[row.kind]
    if difference == 0 or max(abs(before), abs(before + difference)) >= 1e12:
        return f"{noun}{before:.6g}{unit}", f"{before + difference:.6g}{unit}"
    decimals = 1 - math.floor(math.log10(abs(difference)))
    decimals = max(decimals, 1 if unit or abs(before) < 100 else 0)
    if decimals > _MOST_DECIMALS:
        return f"{noun}{before:.{_MOST_DECIMALS}g}{unit}", f"that and {difference:+.2g}{unit}"
    texts = [f"{value:,.{decimals}f}{unit}".replace("-", _MINUS) for value in (before, before + difference)]
    return f"{noun}{texts[0]}", texts[1]


def _lift(row: PowerRow) -> str:
    if row.mde_relative is None:
        return ""
    text = _trimmed(abs(row.mde_relative) * 100)
    return f" ({_MINUS if row.mde_relative < 0 else '+'}{text}% of it)"


def _percent(share: float) -> str:
    """A share with three digits, and never 100% unless it is.

    >>> _percent(0.8), _percent(0.825), _percent(0.99996), _percent(1.0)
    ('80%', '82.5%', 'over 99.9%', '100%')
    """
    return "over 99.9%" if 0.9995 <= share < 1 else f"{_trimmed(share * 100)}%"


def _trimmed(value: float) -> str:
    """Three significant digits without trailing zeros.

    >>> _trimmed(10.0), _trimmed(5.46), _trimmed(2000.0), _trimmed(12345.6), _trimmed(0.5)
    ('10', '5.46', '2,000', '12,346', '0.5')
    """
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _level(alpha: float) -> str:
    """A level as papers write it.

    >>> _level(0.05), _level(0.0125), _level(0.05 / 3)
    ('.05', '.0125', '.0167')
    """
    text = f"{alpha:.3g}"
    return text.replace("0.", ".", 1) if text.startswith("0.") else text
