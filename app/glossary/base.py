"""The form of an explanation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "number", "label", "seconds"]


@dataclass(frozen=True)
class Explanation:
    """What stands in the "?" drawer.

    Attributes:
        title: the name people read.
        definition: what it is, in one or two sentences.
        formula: LaTeX, or None where words say it all.
        reading: how to read it.
        caveat: what it does not say.
        unit: how its value is written; "label" is in the unit of the label.
    """

    title: str
    definition: str
    formula: str | None
    reading: str
    caveat: str
    unit: Unit = "number"

    @property
    def markdown(self) -> str:
        """The explanation as Markdown, formula left out (it is shown on its own)."""
        guide = f"**How to read it.** {self.reading}"
        return f"{self.definition}\n\n{guide}\n\n**What it does not say.** {self.caveat}"
