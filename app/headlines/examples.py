"""The first lines of one row, of the map of errors, and of regression sets."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.examples.card_rows import RegressionRow, UnusualRow
from analytics.examples.points import COSTLY, ClusterRow, PointRow
from analytics.examples.rows import ExampleRow
from app.formats import count, interval, listed, percent, plural, stretch


def row_sentence(versions: Sequence[ExampleRow], features: Sequence[UnusualRow]) -> str:
    """What is unusual about a row, and whether versions agree on it."""
    unusual = [row for row in features if row.unusual]
    if not features:
        text = "The model has no features to compare"
    elif not unusual:
        text = f"None of its {plural(len(features), 'feature')} is unusual"
    else:
        verb = "is" if len(unusual) == 1 else "are"
        told = listed([row.feature for row in unusual[:3]])
        text = f"{len(unusual)} of its {plural(len(features), 'feature')} {verb} unusual: {told}"
        text += f" and {len(unusual) - 3} more" if len(unusual) > 3 else ""
    decided = {row.version: row.decision for row in versions if row.decision is not None}
    if len(decided) < 2:
        return f"{text}."
    if len(set(decided.values())) == 1:
        return f"{text}. All {len(decided)} versions decided {next(iter(decided.values()))}."
    said = listed([f"{version} decided {decision}" for version, decision in decided.items()])
    return f"{text}. Versions disagree: {said}."


def map_headline(points: Sequence[PointRow], clusters: Sequence[ClusterRow]) -> str:
    """How many clusters of errors there are, and whether a region is worse than it would be by chance."""
    if not points:
        return "There are too few rows here for a map."
    if all(row.loss is None for row in points):
        return "The map shows where rows lie; none of them has a label yet, so no errors are told apart."
    if not clusters:
        return "Errors form no clusters here: too few costly rows, or all rows cost alike."
    many = plural(len(clusters), "cluster")
    text = f"The costliest {percent(COSTLY)} of {count(len(points))} sampled rows form {many}"
    worse = [row for row in clusters if row.ci_low is not None and row.ci_low > COSTLY]
    if not worse:
        return (
            f"{text}; in none of their regions are costly rows more frequent than elsewhere, beyond chance."
        )
    worst = max(worse, key=lambda row: row.value or 0.0)
    limits = interval(worst.ci_low, worst.ci_high, share=True)
    share = f"{percent(worst.value)} of the rows are costly ({limits})"
    return f"{text}; in the region of cluster {worst.cluster} ({_common(worst)}) {share}."


def _common(row: ClusterRow) -> str:
    """What a cluster has in common, as people say it."""
    said = []
    for one in (row.where, row.also):
        if one is not None:
            column, _, value = one.partition("=")
            said.append(f"{column} {stretch(value) if value else 'missing'}")
    return " and ".join(said) or row.name


def regression_headline(rows: Sequence[RegressionRow]) -> str:
    """How the newest version that answered does on each set, against the one before it."""
    known = [row for row in rows if row.value is not None]
    if not rows:
        return "No row is pinned yet."
    if not known:
        return "No pinned row can be judged yet: labels or answers are missing."
    said = []
    for name in dict.fromkeys(row.set for row in known):
        mine = [row for row in known if row.set == name]
        newest = mine[-1]
        limits = interval(newest.ci_low, newest.ci_high, share=True)
        text = f"{newest.version or 'the model'} passes {newest.n_passed} of {newest.n} of {name} ({limits})"
        if len(mine) > 1:
            before = mine[-2]
            text += f", {before.version} {before.n_passed} of {before.n}"
        said.append(text)
    more = f"; and {len(said) - 3} more sets" if len(said) > 3 else ""
    text = "; ".join(said[:3]) + more
    return f"{text[0].upper()}{text[1:]}."
