"""Pieces of the Plan page: the form, all of it in the address, the design it gives, and what lies around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import streamlit as st

from analytics.errors import AssayError
from analytics.experiments.power import PlanKind, Terms, power_curve, power_of, terms_of
from analytics.experiments.presets import PRESETS
from analytics.experiments.rows import PowerRow
from app.charts import experiment_words as numbers
from app.formats import count, number, percent, plural
from app.parts import experiments_words as words
from app.parts import links, plan_words
from app.parts.choose import choose
from app.parts.experiments_read import MOST_ARMS, MOST_UNITS, TypedTextError, read_number, read_shares
from app.parts.tiles import Tile

EXAMPLES: dict[PlanKind, tuple[str, str]] = {
    "proportion": ("10%", ""), "mean": ("10", "5"), "ratio": ("1", "2"), "count": ("2", ""), "quantile": ("300", "300"),
}  # fmt: skip
"""Baseline and standard deviation that a plan starts from."""
LIFT = "10%"
MOST_TYPED_METRICS = 100
FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Effects, or units, around the plan."""
_POINTS = 40
_USUAL = {
    "goal": "difference",
    "metrics": 1,
    "power_for": "each",
    "stopping": "fixed",
    "boundary": "lan-demets-obrien-fleming",
}
"""Terms that need no word in a link."""


@dataclass(frozen=True)
class Known:
    """What the logs say; all None where the plan is typed.

    Attributes:
        kind: of the metric.
        baseline, standard_deviation: of the control.
        daily_units: over all arms.
    """

    kind: PlanKind | None = None
    baseline: float | None = None
    standard_deviation: float | None = None
    daily_units: float | None = None


@dataclass(frozen=True)
class Typed:
    """The words of the form as text."""

    kind: PlanKind
    baseline: str
    sd: str
    lift: str
    difference: str
    n: str
    daily_units: str
    alpha: str
    power: str
    shares: str
    variants: int
    one_sided: bool
    terms: TypedTerms


@dataclass(frozen=True)
class TypedTerms:
    """What the form asks beyond effect, level and split, as text."""

    goal: str
    true_difference: str
    relative: bool
    metrics: int
    power_for: str
    r2: str
    design_effect: str
    stopping: str
    looks: str
    boundary: str


def form(known: Known) -> Typed:
    """Draw every field; what the logs know stands in grey where nothing is typed."""
    presets()
    daily = words.DAILY_EMPTY if known.daily_units is None else f"{known.daily_units:.3g}"
    with st.grid(4, min_column_width=150):
        kind = _kind(known)
        grey = _grey(kind, known)
        baseline = _text("baseline", words.BASELINE, grey[0])
        sd = _text("sd", words.DEVIATION, grey[1], disabled=kind == "proportion")
        daily_units = _text("daily_units", words.DAILY, daily, help_=words.DAILY_HELP)
        lift = _text("lift", words.LIFT, LIFT, help_=words.LIFT_HELP)
        difference = _text("difference", words.DIFFERENCE, help_=words.DIFFERENCE_HELP)
        n = _text("n", words.SIZE, help_=words.SIZE_HELP)
        power = _text("power", words.POWER, "0.8", help_=words.POWER_HELP)
        arms = st.number_input(
            words.ARMS_COUNT, 2, MOST_ARMS, 2, key="variants", bind="query-params", help=words.ARMS_HELP
        )
        shares = _text("shares", words.SHARES, words.SHARES_EMPTY, help_=words.SHARES_HELP)
        alpha = _text("alpha", words.ALPHA, "0.05", help_=words.ALPHA_HELP)
        sides = choose(
            "one_sided", words.SIDES, list(words.SIDES_OF), shown=words.SIDES_OF.__getitem__, width="stretch"
        )
    terms = _terms_form()
    st.caption(words.GREY if known.baseline is None else words.GREY_LOGS)
    variants = min(max(int(arms or 2), 2), MOST_ARMS)
    one_sided = sides == "true"
    return Typed(
        kind, baseline, sd, lift, difference, n, daily_units, alpha, power, shares, variants, one_sided, terms
    )


def presets() -> None:
    """Buttons that fill the form in with a usual plan."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{plan_words.PRESETS}:", width="content")
        for name, preset in PRESETS.items():
            st.button(
                preset.title,
                key=f"preset_{name}",
                help=preset.says,
                type="tertiary",
                on_click=partial(links.set_words, **preset_words(name)),
            )


def preset_words(name: str) -> dict[str, Any]:
    """The words of the form that make a preset; those it does not name are emptied."""
    preset = PRESETS[name]
    asked, terms = preset.words, preset.terms
    shares = asked.get("shares")
    empty = dict.fromkeys(
        ("sd", "difference", "n", "power", "alpha", "true_difference", "r2", "design_effect"), ""
    )
    return empty | {
        "baseline_from": "typed",
        "metric_kind": asked["kind"],
        "baseline": percent(asked["baseline"]),
        "lift": percent(asked["lift"]).replace("−", "-"),
        "daily_units": f"{asked['daily_units']:g}" if "daily_units" in asked else "",
        "variants": len(shares) if shares else 2,
        "shares": ":".join(f"{share * 100:g}" for share in shares) if shares else "",
        "one_sided": "true" if asked.get("one_sided") else "false",
        "goal": terms.goal,
        "relative": "true" if terms.relative else "false",
        "metrics": terms.metrics,
        "power_for": terms.power_for,
        "stopping": terms.stopping,
        "looks": "" if terms.looks is None else str(terms.looks),
        "boundary": terms.boundary,
    }


def _terms_form() -> TypedTerms:
    """Everything that most plans leave as it is."""
    with (
        st.expander(plan_words.MORE, key="plan_more", type="compact", icon=":material/tune:"),
        st.grid(4, min_column_width=150),
    ):
        goal = _choice("goal", plan_words.GOAL, plan_words.GOALS)
        true = _text(
            "true_difference", plan_words.TRUE_DIFFERENCE, "0", help_=plan_words.TRUE_DIFFERENCE_HELP
        )
        relative = _choice("relative", plan_words.RELATIVE, plan_words.RELATIVES) == "true"
        metrics = st.number_input(
            plan_words.METRICS, 1, MOST_TYPED_METRICS, 1, key="metrics", bind="query-params",
            help=plan_words.METRICS_HELP,
        )  # fmt: skip
        power_for = _choice("power_for", plan_words.POWER_FOR, plan_words.POWERS_FOR)
        r2 = _text("r2", plan_words.R2, "0%", help_=plan_words.R2_HELP)
        effect = _text("design_effect", plan_words.DESIGN_EFFECT, "1", help_=plan_words.DESIGN_EFFECT_HELP)
        stopping = _choice("stopping", plan_words.STOPPING, plan_words.STOPPINGS)
        looks = _text(
            "looks", plan_words.LOOKS, "", help_=plan_words.LOOKS_HELP, disabled=stopping == "fixed"
        )
        boundary = _choice("boundary", plan_words.BOUNDARY, plan_words.BOUNDARIES)
    whole = min(max(int(metrics or 1), 1), MOST_TYPED_METRICS)
    return TypedTerms(goal, true, relative, whole, power_for, r2, effect, stopping, looks, boundary)


def _choice(word: str, label: str, known: Mapping[str, str]) -> str:
    return choose(word, label, list(known), shown=known.__getitem__, width="stretch")


def _terms(typed: TypedTerms, kind: str) -> Terms:
    looks = None if typed.stopping == "fixed" else _few(typed.looks)
    goal: Any = typed.goal
    true = read_number(typed.true_difference, "true difference", share=kind == "proportion")
    return Terms(
        goal=goal,
        # what was typed for a margin does not stand in the way of a plan without one
        true_difference=0.0 if true is None or goal == "difference" else true,
        relative=typed.relative,
        metrics=typed.metrics,
        power_for="all" if typed.power_for == "all" else "each",
        r2=read_number(typed.r2, "explained by a covariate", share=True) or 0.0,
        design_effect=_first(read_number(typed.design_effect, "design effect"), None, "1") or 0.0,
        stopping=cast("Any", typed.stopping),
        looks=looks,
        boundary=cast("Any", typed.boundary),
    )


def _few(text: str) -> int | None:
    looks = read_number(text, "looks")
    if looks is not None and (looks != int(looks) or looks < 1):
        raise TypedTextError("looks must be a whole number of 1 or more")
    return None if looks is None else int(looks)


def planned(typed: Typed, known: Known) -> PowerRow:
    """The design that the form asks for.

    Raises:
        AssayError: a field is no number, or the numbers make no sense together.
    """
    kind = typed.kind
    example = EXAMPLES[kind]
    share = kind == "proportion"
    baseline = _first(read_number(typed.baseline, "baseline", share=share), known.baseline, example[0])
    difference = read_number(typed.difference, "difference", share=share)
    lift = read_number(typed.lift, "lift", share=True)
    n = _whole(typed.n)
    deviation = None
    if not share:
        deviation = _first(read_number(typed.sd, "standard deviation"), known.standard_deviation, example[1])
    if lift is not None and difference is not None:
        raise TypedTextError("give the effect either as a lift or as a difference")
    if lift is None and difference is None and n is None:
        lift = read_number(LIFT, "lift")
    return power_of(
        kind,
        baseline=0.0 if baseline is None else baseline,
        difference=difference,
        lift=lift,
        n_per_variant=n,
        standard_deviation=deviation,
        alpha=_first(read_number(typed.alpha, "alpha", share=True), None, "0.05") or 0.0,
        power=_first(read_number(typed.power, "power", share=True), None, "0.8") or 0.0,
        variants=typed.variants,
        shares=read_shares(typed.shares),
        one_sided=typed.one_sided,
        daily_units=_first(read_number(typed.daily_units, "units a day"), known.daily_units, ""),
        terms=_terms(typed.terms, kind),
    )


def words_of(typed: Typed, row: PowerRow) -> dict[str, str]:
    """What stood in grey, as words of a link that means the same when the logs have grown."""
    grey = {"baseline": f"{row.baseline:.10g}"}
    if row.standard_deviation is not None and row.kind != "count":
        grey["sd"] = f"{row.standard_deviation:.10g}"
    if row.daily_units is not None:
        grey["daily_units"] = f"{row.daily_units:.10g}"
    if row.solved_for == "n" and not typed.lift and not typed.difference:
        grey["lift"] = LIFT
    said = {word: text for word, text in grey.items() if not getattr(typed, word)}
    logs = dict.fromkeys(("baseline_from", "experiment", "metric"), "")
    # what goes without saying stays out of the link
    unsaid = {word: "" for word, usual in _USUAL.items() if getattr(typed.terms, word) == usual}
    relative = "true" if typed.terms.relative else ""
    own = {
        "metric_kind": row.kind,
        "one_sided": "true" if row.one_sided else "",
        "relative": relative,
        "section": "",
    }
    return said | logs | unsaid | own


def tiles_of(row: PowerRow) -> list[Tile]:
    """Units an arm, units in all, days, and the effect that is shown."""
    uneven = len(set((row.n_by_variant or "").split(", "))) > 1
    each = f"{' / '.join(count(int(n)) for n in (row.n_by_variant or '0').split(', '))}" if uneven else ""
    traffic = f"at {number(row.daily_units)} units a day" if row.daily_units else "units a day are not known"
    sides = "one-sided" if row.one_sided else "two-sided"
    comparisons = (row.variants - 1) * row.metrics
    tests = f" over {plural(comparisons, 'comparison')}" if comparisons > 1 else ""
    used = "" if row.stopping == "fixed" else f"; {count(row.n_expected)} on average"
    effect = numbers.difference(row.kind, row.mde_absolute)
    shown = numbers.lift(row.mde_relative) if row.mde_relative is not None else effect
    detail = f"{effect}, with {percent(row.power)} power" if row.power is not None else effect
    return [
        Tile("Units an arm", count(row.n_per_variant), each or f"in each of {plural(row.variants, 'arm')}"),
        Tile("Units in all", count(row.n_total), f"alpha {percent(row.alpha)}{tests}, {sides}{used}"),
        Tile("Days", count(row.days), traffic),
        Tile(_effect_title(row), shown, detail),
    ]


def _effect_title(row: PowerRow) -> str:
    if row.goal != "difference":
        return "Ruled out"
    return "Effect asked for" if row.solved_for == "power" else "Effect shown"


def curve(row: PowerRow) -> tuple[PowerRow, ...]:
    """Power over units an arm, or over effects where the units were given."""
    if row.status != "ok" or row.n_per_variant is None or row.mde_absolute is None:
        return ()
    if row.solved_for == "effect":
        return power_curve(
            row, effects=[row.mde_absolute * 2 * step / _POINTS for step in range(1, _POINTS + 1)]
        )
    most = min(2 * row.n_per_variant, MOST_UNITS)
    sizes = sorted({max(2, round(most * step / _POINTS)) for step in range(1, _POINTS + 1)})
    return power_curve(row, sizes=sizes)


def around(row: PowerRow) -> tuple[PowerRow, ...]:
    """The same design for smaller and larger effects, or with fewer and more units."""
    if row.status != "ok" or row.n_per_variant is None or row.mde_absolute is None:
        return ()
    return tuple(filter(None, (_scaled(row, factor) for factor in FACTORS)))


def _scaled(row: PowerRow, factor: float) -> PowerRow | None:
    """The plan with its effect, or where that was the answer with its units, times a factor."""
    effect = None if row.mde_absolute is None else row.mde_absolute * factor
    try:
        return power_of(
            row.kind,
            baseline=row.baseline,
            difference=None if row.solved_for == "effect" else effect,
            n_per_variant=None if row.solved_for == "n" else max(2, round((row.n_per_variant or 2) * factor)),
            standard_deviation=row.standard_deviation,
            alpha=row.alpha,
            power=0.8 if row.power is None or row.solved_for == "power" else row.power,
            shares=[float(share) for share in row.shares.split(",")],
            one_sided=row.one_sided,
            daily_units=row.daily_units,
            correction=row.correction,
            fall=(row.mde_absolute or 0.0) < 0,
            terms=terms_of(row),
        )
    except AssayError:
        return None  # such as a share beyond 100%: there is no such plan, and the table goes on without it


def _kind(known: Known) -> PlanKind:
    """The kind that is chosen; that of the logs' metric where the baseline is theirs."""
    kinds: Sequence[PlanKind] = list(EXAMPLES) if known.kind is None else [known.kind]
    chosen = choose(
        "metric_kind", words.PLAN_KIND, kinds, shown=lambda kind: words.PLAN_KINDS[kind], width="stretch"
    )
    return next(kind for kind in kinds if kind == chosen)


def _grey(kind: PlanKind, known: Known) -> tuple[str, str]:
    baseline, deviation = EXAMPLES[kind]
    if known.baseline is not None:
        baseline = numbers.value(kind, known.baseline)
    if known.standard_deviation is not None:
        deviation = numbers.value(None, known.standard_deviation)
    if kind == "proportion":
        return baseline, "follows from the share"
    return baseline, deviation or "of a Poisson count"


def _text(
    word: str, label: str, placeholder: str | None = None, *, help_: str | None = None, disabled: bool = False
) -> str:
    return (
        st.text_input(
            label, key=word, bind="query-params", placeholder=placeholder, help=help_, disabled=disabled, max_chars=60
        )
        or ""
    )  # fmt: skip


def _first(typed: float | None, known: float | None, example: str) -> float | None:
    """What was typed, else what the logs say, else the example."""
    if typed is not None:
        return typed
    return known if known is not None else read_number(example, "example")


def _whole(text: str) -> int | None:
    n = read_number(text, "units an arm")
    if n is None:
        return None
    if n != int(n) or not 2 <= n <= MOST_UNITS:
        raise TypedTextError("units an arm must be a whole number of 2 or more")
    return int(n)
