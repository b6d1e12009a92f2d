"""Rules that no linter knows: nothing is caught wholesale, no markup is injected, starting is light."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.house.source import ROOT, modules

OURS = ("analytics", "app", "sample_logs", "benchmarks")
WHOLESALE = {"Exception", "BaseException"}


def caught_wholesale(tree: ast.Module) -> list[int]:
    """Lines of handlers that would also swallow a mistake of ours."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or any(isinstance(n, ast.Name) and n.id in WHOLESALE for n in ast.walk(node.type))
        )
    ]


def injected_markup(tree: ast.Module) -> list[int]:
    """Lines of calls that hand the browser markup of their own."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and any(
            keyword.arg == "unsafe_allow_html"
            and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
            for keyword in node.keywords
        )
    ]


@pytest.mark.parametrize(
    "handler,found",
    [
        ("except Exception:", [3]),
        ("except (ValueError, BaseException):", [3]),
        ("except:", [3]),
        ("except ValueError:", []),
    ],
)
def test_a_wholesale_handler_is_recognised(handler, found):
    assert caught_wholesale(ast.parse(f"try:\n    f()\n{handler}\n    pass")) == found


@pytest.mark.parametrize(
    "rule, holding",
    [(caught_wholesale, r"except\s*:|Exception\b"), (injected_markup, "unsafe_allow_html")],
    ids=["caught_wholesale", "injected_markup"],
)
def test_rule_holds_everywhere(rule, holding):
    strays = {path: lines for path, tree in modules(*OURS, holding=holding) if (lines := rule(tree))}
    assert strays == {}


def test_markup_is_recognised():
    assert injected_markup(ast.parse("st.markdown(x, unsafe_allow_html=True)")) == [1]


def test_help_waits_for_no_library():
    """`assay --help` answers before pandas could be imported."""
    code = (
        "import sys\nfrom app.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'duckdb', 'pyarrow', 'scipy', 'sklearn', 'statsmodels', 'streamlit'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "Usage: assay" in result.stdout
    assert result.stderr.strip() == "[]"
