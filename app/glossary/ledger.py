"""What is shown of decisions, and of arms side by side."""

from __future__ import annotations

from app.glossary.base import Explanation

LEDGER: dict[str, Explanation] = {
    "decisions": Explanation(
        "Decisions",
        "Who decided what on this experiment, when and why, beside the scorecard's own word at that moment. Every "
        "number of the page is frozen with a decision. Entries are only ever added.",
        None,
        "The entry that no other one corrects is the one that stands. Against the scorecard: it was shipped without "
        "its word being ship, or not shipped although it was.",
        "That a decision was right, or that a name is the person's: there is no log-in.",
    ),
    "decision_changes": Explanation(
        "What has changed since",
        "Every comparison as it was frozen, beside the same one computed now: over the same window, with all that "
        "is known now.",
        None,
        "Look first at comparisons whose verdict is another one than it was; numbers move a little whenever rows come "
        "late. The line on what was known then says whether the past itself still reads the same.",
        "Whether the effect has changed: the same experiment is counted again, with more rows. A winner that was "
        "chosen for its large effect mostly looks smaller later.",
    ),
    "side_by_side": Explanation(
        "Side by side",
        "Two arms with the same metrics under each other: the value over all units with half the width of its own "
        "interval, and the value of the units first exposed on each day, with its interval. Both arms share an axis.",
        None,
        "For a look at levels, at days that stand out in both arms or in one, and at missing days. The distribution "
        "of each metric is in the section on one metric.",
        "Whether the arms differ: two intervals that overlap may still differ, and among many days one that stands "
        "apart is to be expected. The scorecard says whether they differ.",
    ),
}
