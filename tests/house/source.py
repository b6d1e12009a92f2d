"""Our own source files, parsed: what the house rules are checked on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def modules(*folders: str, holding: str) -> Iterator[tuple[str, ast.Module]]:
    """Path within the checkout, and syntax tree, of the Python files below the folders in which a pattern is found.

    To parse is slow, and what a rule is about is written in few files.
    """
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if re.search(holding, text):
                yield path.relative_to(ROOT).as_posix(), ast.parse(text)


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string of a module but docstrings; an f-string is one text with gaps."""
    within = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            within |= {id(part) for part in node.values}
            yield (
                node.lineno,
                "".join(part.value if isinstance(part, ast.Constant) else "?" for part in node.values),
            )
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            within.add(id(node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            yield node.lineno, node.value
