"""Comparisons of arms as text: the verdict in a sentence, and a table of what it stands on."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from app.commands.tables import Column

    Show = Callable[[Mapping[str, Any]], str]


def text(
    title: str, sentence: str, records: Sequence[Mapping[str, Any]], zone: ZoneInfo | None, width: int
) -> str:
    """The verdict, a line for every comparison, and below them doubts and the test of the split.

    The corrected p and interval, on which the verdict stands, have columns of their own where they differ from
    those of the comparison alone.

    Args:
        title: what was compared.
        sentence: the verdict.
        records: rows of a scorecard, with its metric ``srm`` or without.
        zone: named above the table; None for numbers typed by hand.
        width: of the terminal.
    """
    from app.commands import tables

    rows = [record for record in records if record["metric"] != "srm"]
    parts = [tables.plain(sentence), "", tables.render(title, rows, _columns(rows), zone, width).rstrip("\n")]
    below = [*map(_split, (record for record in records if record["metric"] == "srm")), *_remarks(rows)]
    wrapped = [
        line for entry in below for line in textwrap.wrap(entry, max(width, 40), subsequent_indent="  ")
    ]
    return "\n".join([*parts, *([""] if wrapped else []), *wrapped]) + "\n"


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    from app.commands import tables

    typed = all(row["experiment"] is None for row in rows)
    corrected = any(row["p_adjusted"] not in {None, row["p_value"]} for row in rows)
    # other methods are not corrected: their own p is all they have
    alone = corrected and any(row["p_adjusted"] is None and row["p_value"] is not None for row in rows)
    # rows that no lift tells about need their difference; where no row has one, lift has no column anyway
    lifts = [row["lift"] is not None for row in rows if row["difference"] is not None]
    least = 0 if not any(lifts) else 2 if not all(lifts) else 7
    methods = len({row["method"] for row in rows}) > 1
    # verdicts stand on corrected intervals, and another interval beside a verdict could contradict it
    which, word = ("_adjusted", "corrected ") if corrected else ("", "")
    return [
        tables.text("metric", context=True),
        *([] if typed else [tables.text("role", context=True, drop=5)]),
        tables.text("control", context=True),
        tables.text("variant", context=True),
        *([tables.text("method")] if methods else []),
        _figure("control's", lambda row: _value(row, "mean_control"), drop=5),
        _figure("value", lambda row: _value(row, "mean"), drop=4),
        _figure("difference", _difference, drop=3 if least else 0),
        _figure(f"{word}difference interval", lambda row: _difference_interval(row, which), drop=least),
        _figure("lift", lambda row: _lift(row, "lift")),
        _figure(f"{word}lift interval", lambda row: _lift_interval(row, which)),
        _figure("p", lambda row: _p(row, "p_value"), drop=9 if corrected and not alone else 0),
        *([_figure("p adjusted", lambda row: _p(row, "p_adjusted"))] if corrected else []),
        _figure("chance to beat", _chance, drop=7),
        tables.figures("n", drop=6),
        tables.figures("n_control", "n control", drop=8),
        # the last to go
        tables.text("badge", "verdict", drop=1),
    ]


def _figure(title: str, show: Show, *, drop: int = 0) -> Column:
    from app.commands import tables

    return tables.Column(title, lambda record, _: show(record), right=True, drop=drop)


def _value(row: Mapping[str, Any], name: str) -> str:
    from app.charts import experiment_words

    return experiment_words.value(row["kind"], row[name])


def _difference(row: Mapping[str, Any]) -> str:
    from app.charts import experiment_words

    return experiment_words.difference(row["kind"], row["difference"])


def _difference_interval(row: Mapping[str, Any], which: str) -> str:
    from app.charts import experiment_words

    which = "" if row["p_adjusted"] is None else which
    return experiment_words.difference_interval(row["kind"], row[f"ci{which}_low"], row[f"ci{which}_high"])


def _lift(row: Mapping[str, Any], name: str) -> str:
    from app.charts import experiment_words

    return experiment_words.lift(row[name])


def _lift_interval(row: Mapping[str, Any], which: str) -> str:
    from app.charts import experiment_words

    which = "" if row["p_adjusted"] is None else which
    return experiment_words.lift_interval(row[f"lift_ci{which}_low"], row[f"lift_ci{which}_high"])


def _p(row: Mapping[str, Any], name: str) -> str:
    from app.charts import experiment_words

    return experiment_words.p_value(row[name])


def _chance(row: Mapping[str, Any]) -> str:
    from app.formats import percent

    return percent(row["chance_to_beat"])


def _remarks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warnings, and why something has no value; each once, with the comparisons it is about."""
    from app.commands import tables
    from app.formats import STATUS_WORDS, listed

    about: dict[str, list[str]] = {}
    arms = len({row["variant"] for row in rows})
    for row in rows:
        found = [
            row["reason"] or (None if row["status"] == "ok" else STATUS_WORDS[row["status"]]),
            row["warnings"],
        ]
        name = _about(row, arms)
        for remark in filter(None, found):
            names = about.setdefault(remark, [])
            names += [name] if name not in names else []
    return [tables.plain(f"{listed(names)}: {remark}") for remark, names in about.items()]


def _about(row: Mapping[str, Any], arms: int) -> str:
    """What a remark is about, no longer than is needed to tell it from the others."""
    if row["experiment"] is None:
        return str(row["variant"])
    arm = f" in {row['variant']}" if arms > 1 else ""
    method = "" if row["method"] == "unadjusted" or row["status"] == "ok" else f", {row['method']}"
    return f"{row['metric']}{arm}{method}"


def _split(row: Mapping[str, Any]) -> str:
    """The test of the split against the planned shares."""
    from app.commands import tables

    if row["p_value"] is None:
        return tables.plain(f"split: not tested, {row['reason'] or row['status']}")
    p = _p(row, "p_value")
    equals = "" if p.startswith("<") else "= "
    told = f"split: {row['n']:,} in all, chi-squared {tables.plain(row['statistic'])}, p {equals}{p}"
    if row["p_adjusted"] is not None:  # what the split is judged by
        daily = _p(row, "p_adjusted")
        told += f", with daily looks {'' if daily.startswith('<') else '= '}{daily}"
    return f"{told}; {row['warnings']}" if row["warnings"] else f"{told} against the planned shares"
