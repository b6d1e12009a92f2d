"""The map of two fields, and the tree: where it is worse at a glance."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.slices.rows import MapCellRow, TreeRow
from app.charts import found_slices as charts
from app.glossary import title
from app.headlines.slices import map_verdict, tree_verdict
from app.parts import empty, links, trail
from app.parts import slice_words as words
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.segments_found import metric_and_version
from app.parts.table import table
from app.parts.view import View


def map_section(view: View) -> None:
    """The sentence, the choice of fields, and the map."""
    first_line = st.container()
    chosen = metric_and_version(view)
    if chosen is None:
        return
    metric, version = chosen
    catalog = view.bench.catalog
    names = list(dict.fromkeys([*catalog.segments, *(feature.name for feature in catalog.features)]))
    filtered = {one.name for one in view.scope.filters}
    names = [name for name in names if name not in filtered]
    if len(names) < 2:
        headline(words.NO_FIELDS)
        return
    with st.skeleton(height=480):
        said = links.said("map_x")
        if said is None:
            # nobody has chosen: the pair that stands out, on rows that did not choose it
            found = ask(view, "error_map", view.of_version(version), metric=metric)
        with st.container(horizontal=True):
            first = (found[0].x, found[0].y) if said is None and found else (names[0], names[1])
            x = choose("map_x", words.X, names, first=first[0])
            others = [name for name in names if name != x]
            y = choose("map_y", words.Y, others, first=first[1] if first[1] in others else None)
        if said is not None or (x, y) != first:
            found = ask(view, "error_map", view.of_version(version), metric=metric, x=x, y=y)
        rows: list[MapCellRow] = list(found)
        with first_line:
            headline(map_verdict(rows))
        if not any(row.n for row in rows):
            empty.nothing(view, "error_map")
            return
        chart(
            "error_map",
            charts.map_chart(rows),
            charts.map_alt(rows),
            key="error_map",
            behind=behind(view, found, f"map_{metric}", partial(charts.map_table, rows, zone=view.zone)),
            on_click=lambda point: _examples(rows[int(point[0])].where, version),
            heading=literal(f"{title(metric)} by {rows[0].x} and {rows[0].y}"),
            note=words.CLICK_MAP,
        )
        if found.notes:
            st.caption(literal(" ".join(found.notes)))


def tree_section(view: View) -> None:
    """The sentence, the tree and its table."""
    first_line = st.container()
    chosen = metric_and_version(view)
    if chosen is None:
        return
    metric, version = chosen
    with st.skeleton(height=480):
        found = ask(view, "error_tree", view.of_version(version), metric=metric)
        rows: list[TreeRow] = charts.tree_order(found)
        with first_line:
            headline(tree_verdict(rows))
        if not any(row.n for row in rows):
            empty.nothing(view, "error_tree")
            return
        source = behind(view, found, f"tree_{metric}", partial(charts.tree_table, rows, zone=view.zone))
        chart(
            "error_tree",
            charts.tree_chart(rows),
            charts.tree_alt(rows),
            key="error_tree",
            behind=source,
            on_click=lambda point: _examples(rows[int(point[0])].where, version),
            heading=f"{title(metric)} as a tree",
            note=words.CLICK_NODE,
        )
        st.caption(literal(" ".join(found.notes)))
        frame = charts.tree_table(rows, zone=view.zone).drop(
            columns=["Metric", "Version", "SQL"], errors="ignore"
        )
        table(
            frame,
            words.TABLE_TREE,
            key="tree_table",
            columns={"Question": st.column_config.TextColumn(pinned=True)},
        )
        csv_button(source, "tree_all")


def _examples(where: tuple[str, ...] | None, version: str | None) -> None:
    """The worst rows of a cell or node; a callback. A node whose values cannot be named has no link."""
    if where is not None:
        versions = {} if version is None else {"version": [version]}
        trail.leave("segments", "examples", where=list(where), kind="worst", **versions)
