"""What the labels of a queue say of all rows it stands for, how far people agree, and the labels as a feed."""

from __future__ import annotations

import json

import streamlit as st

from analytics.review.rows import AgreementRow, ReviewedRow
from analytics.store.queues import queues
from app.charts.tables import STATUS, Columns, tabled
from app.glossary import title
from app.headlines.review import agreement_headline, reviewed_headline
from app.parts import review_words as words
from app.parts.chart import behind, csv_button, header
from app.parts.choose import choose
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

METRICS: Columns[ReviewedRow] = {
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Unweighted": lambda row: row.unweighted,
    "Labelled rows": lambda row: row.n_labelled,
    "Rows": lambda row: row.n_total,
    "Interval takes as independent": lambda row: row.independence,
    **STATUS,
}
AGREEMENT: Columns[AgreementRow] = {
    "First": lambda row: row.first or "everybody",
    "Second": lambda row: row.second,
    "Same label": lambda row: row.agreement,
    "Kappa": lambda row: row.kappa,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "n": lambda row: row.n,
    **STATUS,
}


def section(view: View) -> None:
    """Metrics, agreement, export."""
    known = queues(view.bench.store, view.project.name)
    if not known:
        st.info(words.NOTHING_TO_EXPORT)
        return
    name = choose("queue", words.QUEUE, [queue.name for queue in known])
    found = view.bench.reviewed(view.scope, name=name)
    st.markdown(f"**{literal(reviewed_headline(found))}**")
    header("reviewed", "reviewed")
    st.caption(words.WEIGHTED)
    table(tabled(found, METRICS, view.zone), "Metrics by the labels of the queue", key="reviewed_table")
    csv_button(behind(view, found, "reviewed"), "reviewed")
    agreed = view.bench.agreement(view.scope, name=name)
    st.markdown(f"**{literal(agreement_headline(agreed))}**")
    header("agreement", "agreement")
    table(tabled(agreed, AGREEMENT, view.zone), "Agreement of people", key="agreement_table")
    csv_button(behind(view, agreed, "agreement"), "agreement")
    records = view.bench.review_records(name)
    if not records:
        st.caption(words.NOTHING_TO_EXPORT)
        return
    lines = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    st.download_button(
        words.EXPORT, lines, f"labels_{view.name}.jsonl", "application/x-ndjson", help=words.EXPORT_HELP,
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip
