"""The sentences of the shell: scope bar, empty states, errors. Those about results stand in `app.text`."""

from __future__ import annotations

PROJECT = "Project"
RANGE = "Window"
RANGE_HELP = (
    "Whole days of the project's time zone. Where the logs end in the past, the last days are the last days "
    "of the logs."
)
MORE = "Window"
START = "Start"
END = "End (excluded)"
AS_OF = "As known on"
INSTANT_HELP = "A day (2013-07-01), a time (2013-07-01T14:00), now, or a time before now (-7d)."
AS_OF_HELP = "Labels and predictions that arrived later do not exist. " + INSTANT_HELP
DAYS = "Pick days"
GRAIN = "One point a"
GRAIN_HELP = (
    "auto: five minutes up to six hours, an hour up to two days, a day up to 31 days, a week up to a year, a month "
    "above."
)
VERSIONS = "Versions"
ALL_VERSIONS = "All versions"
BY = "Split by"
NO_SPLIT = "No split"
FILTERS = "Filters"
FILTERS_PLACEHOLDER = "No filters"
FILTERS_HELP = (
    "One name twice means or, different names mean and. The words are those of --where, such as carrier=UA."
)
ADD_FILTER = "Filter"
FILTER_NAME = "What"
FILTER_VALUE = "Value"
FILTER_LOW = "From"
FILTER_HIGH = "To (excluded)"
ADD = "Add filter"
SHARE = "Share"
SHARE_MOVING = "This view; it moves along with the data."
SHARE_FROZEN = "Frozen to these days."
ALL_TIME = "all days with data"
EXTENT = "The logs run from {first} to {last} ({zone})."
BUILT = "aggregates of {rows} rows, built {when}"
BEING_BUILT = "aggregates are being built; until then the rows are read"
BUILD_FAILED = "aggregates could not be built: {problem}; tried again after {when}"
BUILD_STOPPED = "it was stopped"
BUILD_KILLED = "it was ended by signal {signal}"
BUILD_CODE = "it ended with status {code} and told nothing"
DAY_MISSING = "; one day is read from the rows"
DAYS_MISSING = "; {days} days are read from the rows"
ERROR_TITLE = "This cannot be shown"
RESET = "Back to the default view"
SMALLER = "Last {range} instead"
AGAIN = "Try again"
BROKEN_TITLE = "{name} cannot be opened"
EXPLAIN = "What is this?"
READING = "How to read it"
CAVEAT = "What it does not say"
SQL = "The SQL behind it"
NO_SQL = "No query was needed."
TABLE = "Table"
CSV = "CSV"
METRIC = "Metric"
CLASS = "Class"
ALL_CLASSES = "All classes"
VALUE = "Value"
BETTER = "Better is"
DIRECTIONS = {"higher": "higher", "lower": "lower", "zero": "near 0", "none": ""}
REFERENCE = "reference {value}"
REFERENCE_COLUMN = "reference"
ALL_METRICS = "All metrics, whole window"
BY_SEGMENT = "{metric} by {segment}"
SEGMENT_HINT = "Choose a row to see its examples."
RATES = "At required rates"
REQUIRED = "Asked for"
AT_MOST_FALSE_ALARMS = "at most {rate} false alarms"
AT_LEAST_RECALL = "at least {rate} caught"
LOGGED_DECISIONS = "logged decisions"
THRESHOLD = "Threshold"
RATE = "Rate"
TILES_OF = "Version {version} against the reference; the charts below show every version asked for."
CAUGHT = "Caught (recall)"
FALSE_ALARMS = "False alarms"
RIGHT = "Right among alarms"
DECIDED = "Decided positive"
EARNED = "Earned per decision"
UNREACHABLE = "No threshold reaches it."
MOVE = "Move the threshold"
MOVE_HELP = "What deciding 'score at or above it' would have given on the same labelled rows."
AT_THRESHOLD = "At threshold {threshold}"
AS_LOGGED = "As logged"
NO_DECISIONS = (
    "This project logs no decisions and declares no threshold; move the threshold to see what one would give."
)
ONE_VERSION = "Version {version}"
CLICK_POINT = "Click a point to see the examples of its window."
CLICK_CELL = "Click a cell to see its rows."
OVER_TIME = "{metric} {grain}"
GRAINS = {
    "all": "over the whole window", "5min": "every 5 minutes", "15min": "every 15 minutes", "hour": "by hour",
    "day": "by day", "week": "by week", "month": "by month",
}  # fmt: skip
NO_LABELS = "No row of this window has a label yet."
LABELLED = "Labelled rows"
ROWS = "Rows"
OF = "{some} of {all}"
LABELLED_SHARE = "Labelled"
NEWEST = "Newest row"
DAMAGE = "Left out of the logs: {damage}"
NO_REFERENCE = "no reference"
ONLY_EXPERIMENTS = "No model is logged here; the experiments stand below."
NOTHING_DECLARED = "The project file declares neither predictions nor experiments."
TREND = "Trend {grain}"
SECTIONS = "What to look at"
FROM_SAMPLE = "from {share} of the rows"
OF_SAMPLE = "{rows} of a sample drawn at random"
EXACT_IN = "exact in about {time}"
EXACT_STOPPED = "the exact answer took too long and was stopped: ask for a smaller window"
EXACT_COMING = "Exact answers: {done} of {all}, all of them in about {time}. Until then, what a sample says."


NOBODY_LOOKED = "{rules}, and nobody has looked at them yet."


def attention(worse: int, models: int) -> str:
    """The first line of the overview.

    >>> attention(0, 1), attention(2, 3)
    ('The model shows no loss of quality now.', '2 of 3 models need attention.')
    """
    if not worse:
        none = f"None of {models} models shows a loss of quality now."
        return "The model shows no loss of quality now." if models == 1 else none
    if models == 1:
        return "The model needs attention."
    return f"{worse} of {models} models {'needs' if worse == 1 else 'need'} attention."


LABELS_NEEDED = "about {n} more labels for ±5 points"
