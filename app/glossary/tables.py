"""How to read the tables and charts of Drift, Segments, Examples and Telemetry that are not told elsewhere."""

from __future__ import annotations

from app.glossary.base import Explanation

TABLES: dict[str, Explanation] = {
    "drift_table": Explanation(
        "Every statistic of the whole window",
        "All rows of the window together against the reference, one line a feature, score, decision and label.",
        None,
        "Share moved says how much, the adjusted p-value how surprising it is, the noise floor what the population "
        "stability index reaches by chance. The last columns say how many rows there were, what the test took as "
        "independent (rows, units or blocks of time), and why a line is empty.",
        "When it moved: a window of months averages what the heat map shows by week.",
    ),
    "segment_table": Explanation(
        "All slices",
        "One line a slice, the most costly first: the metric inside, in all other rows, and the difference with its "
        "interval.",
        None,
        "▼ worse and ▲ better are beyond chance after correction; ● is no difference that could be told from chance. "
        "Impact is how much the whole would improve if the slice did as well as the rest. Luck taken out: the value "
        "pulled towards all rows by as much as luck explains, the better guess of an extreme slice.",
        "Impacts do not add up: a row is in one slice of every segment.",
    ),
    "segment_bars": Explanation(
        "One segment",
        "The metric for every value of the segment in its natural order, with 95% intervals.",
        None,
        "A diamond is worse than the rest and a triangle better, after correction for all slices; the whiskers show "
        "how well each value is known.",
        "Whether the values differ for the same reason.",
    ),
    "examples": Explanation(
        "Rows",
        "Single predictions as they were logged, each with the reason why it is here.",
        None,
        "Worst and best go by the loss of the row; uncertain are nearest to the decision, or of highest entropy; "
        "random is the same draw every time. Open a row to read all its columns.",
        "How common such rows are: worst rows are no sample. Random rows are.",
    ),
    "rows_by_day": Explanation(
        "Rows a day",
        "Predictions of each version by local day, duplicates left out; under it the share of them that has a label "
        "by now.",
        None,
        "A missing bar is a day without a prediction. Falling coverage at the right end is normal where labels arrive "
        "late; anywhere else labels were lost.",
        "Whether the rows are right. Rows that were left out are in the table of files.",
    ),
    "files": Explanation(
        "Log files",
        "Every file the project file names, with what was read and what was not.",
        None,
        "Rejected: lines that hold no record, with their numbers. Invalid: values that are not of the declared kind; "
        "they count as missing, and as nothing else. Left out: rows without a usable time, or not production. "
        "Duplicates: rows whose id came earlier.",
        "Whether something was never written.",
    ),
    "columns": Explanation(
        "Columns",
        "Every logged column and the part it plays: its role in the project file, whether it is watched for drift, "
        "sliced by, or private.",
        None,
        "A column without any part is shown with examples and used nowhere else.",
        "What the columns mean; that stands where they are produced.",
    ),
    "project_file": Explanation(
        "Project file", "What assay.toml says about these logs.", None,
        "Change the file and the pages follow within ten seconds.", "Where the logs come from.",
    ),
    "releases": Explanation(
        "Releases", "When a version took over, and what it was trained on.", None,
        "The dotted marks of all charts over time.", "How much traffic a version got; that is in rows a day.",
    ),
}  # fmt: skip
