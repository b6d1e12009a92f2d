"""What a headline says, and in which direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["worse", "changed", "better", "same", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """What is the case.

    Attributes:
        state: worse needs a look, changed is neither good nor bad, unknown means that nothing can be said.
        sentence: for the reader.
    """

    state: State
    sentence: str
