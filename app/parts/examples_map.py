"""Section Map of errors of the Examples page: rows in two dimensions, a brush, and clusters of the costliest."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from analytics.ask.error_points import FEATURES, ErrorMap
from analytics.ask.row_card import MOST_CHOSEN
from analytics.examples.points import methods
from analytics.results import Results
from app.charts.examples import cluster_table, error_map, error_map_alt
from app.formats import count, percent, plural
from app.headlines.examples import map_headline
from app.parts import examples_words as words
from app.parts import links
from app.parts import rows as parts
from app.parts.ask import ask, guarded
from app.parts.chart import behind, csv_button, header, table_behind
from app.parts.choose import choose
from app.parts.drawn import Drawn
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.one_version import one_version
from app.parts.table import table
from app.parts.teach import teach
from app.parts.tiles import Tile, tiles
from app.parts.view import View

CHART = "error_map"


def section(view: View) -> None:
    """Sentence, tiles, map, the rows inside the brush, and the clusters."""
    made_of = [*([FEATURES] if view.bench.catalog.features else []), *view.predictions.embeddings]
    if not made_of:
        teach("no_map", "no_map")
        return
    first_line = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        version = one_version(view)
        of = choose("map_of", words.MAP_OF, made_of) if len(made_of) > 1 else made_of[0]
        known = methods()
        method = (
            choose("map_by", words.MAP_BY, known, shown=words.METHODS.__getitem__)
            if len(known) > 1
            else known[0]
        )
    with guarded(view, "error_points"), st.skeleton(height=560):
        found: ErrorMap = ask(view, "error_points", view.of_version(version), of=of, method=method)
        with first_line:
            headline(map_headline(found.points, found.clusters))
            tiles(_tiles(found))
        show_notes(found.points.notes)
        if not found.points:
            return
        chosen = _map(view, found)
    if chosen:
        with guarded(view, "brushed"), st.skeleton(height=300):
            _brushed(view, chosen)
    if found.clusters:
        _clusters(view, found.clusters)


def _tiles(found: ErrorMap) -> list[Tile]:
    labelled = sum(row.loss is not None for row in found.points)
    shown = [Tile("Rows on the map", count(len(found.points)), f"{count(labelled)} with a label")]
    if found.clusters:
        first = found.clusters[0]
        costly = sum(row.n_costly for row in found.clusters)
        shown.append(Tile("Clusters of errors", count(len(found.clusters)), f"{count(costly)} costly rows"))
        share = f"of the costly rows, in the region of {plural(first.n, 'row')}"
        shown.append(Tile("In the largest", percent(first.share_of_costly), share))
    if found.explained is not None:
        shown.append(Tile("Shown of the variance", percent(found.explained), "by these two directions"))
    return shown


def _map(view: View, found: ErrorMap) -> list[tuple[str, int]]:
    """The map; file and row of the marks inside the brush."""
    header("map_of_errors", "map_of_errors_header", found.points.sql)
    st.caption(words.MAP_NOTE)
    figure = error_map(found.points, found.clusters, found.axes, zone=view.zone)
    drawn = f"{CHART}-{st.context.theme.type or 'light'}"
    event = st.plotly_chart(
        Drawn(figure), key=drawn, alt=error_map_alt(found.points, found.clusters), on_select="rerun",
        selection_mode=("box", "lasso", "points"),
        config={"displaylogo": False, "displayModeBar": False, "scrollZoom": False},
    )  # fmt: skip
    table_behind(behind(view, found.points, "map_points"), "map_points")
    return brushed(event)


def brushed(event: Any) -> list[tuple[str, int]]:
    """File and row of every chosen mark."""
    points = (event or {}).get("selection", {}).get("points", [])
    found = []
    for point in points:
        custom = point.get("customdata") or ()
        values = list(custom.values()) if isinstance(custom, dict) else list(custom)
        if len(values) == 2:
            found.append((str(values[0]), int(values[1])))
    return found


def _brushed(view: View, chosen: list[tuple[str, int]]) -> None:
    keys = tuple(chosen[:MOST_CHOSEN])
    rows = ask(view, "rows", view.scope, keys=keys)
    st.markdown(f"**{words.CHOSEN.format(n=plural(len(chosen), 'row'))}**")
    if len(chosen) > MOST_CHOSEN:
        st.caption(words.CHOSEN_MOST.format(most=count(MOST_CHOSEN), n=count(len(chosen))))
    frame = parts.frame_of(rows, view)
    table(frame.drop(columns=["Reason"], errors="ignore"), words.CHOSEN_ALT, key="brushed_rows")
    csv_button(behind(view, rows, "rows_on_map"), "brushed_csv")


def _clusters(view: View, clusters: Results[Any]) -> None:
    frame = cluster_table(clusters)
    header("error_clusters", "clusters_header", clusters.sql)
    st.caption(words.CLICK_CLUSTER)

    def opened(place: int) -> None:
        wanted = [one for one in (clusters[place].where, clusters[place].also) if one is not None]
        there = list(st.session_state.get("where") or [])
        links.set_words(section="Rows", kind="worst", where=list(dict.fromkeys([*there, *wanted])))

    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="percent")
        for name in ("Of the cluster", "Of all other rows", "Costly share", "Low", "High")
    }
    table(frame, words.CLUSTERS_ALT, key="clusters", columns=columns, on_row=opened)
    csv_button(behind(view, clusters, "error_clusters", partial(cluster_table, clusters)), "clusters_csv")
