"""Numbers as sentences have them; the app has its own formats, which this package must not know."""

from __future__ import annotations

import math
from collections.abc import Sequence

_MINUS = "−"
_LEVELS = {0.1, 0.05, 0.01, 0.001}


def number(value: float) -> str:
    """Three significant digits; whole from a thousand on.

    >>> number(0.8304), number(-12.34), number(12345.6), number(0.0000123), number(0.0)
    ('0.830', '−12.3', '12,346', '1.23e-05', '0')
    """
    size, sign = abs(value), _MINUS if value < 0 else ""
    if size == 0:
        return "0"
    if size < 1e-4 or size >= 1e12:
        return f"{sign}{size:.3g}"
    if size >= 999.5:
        return f"{sign}{size:,.0f}"
    rounded = float(f"{size:.3g}")  # 999.6 has as many decimals as 1000, and 0.9996 as 1.00
    return f"{sign}{size:.{2 - math.floor(math.log10(rounded))}f}"


def percent(share: float) -> str:
    """A share in percent: one decimal, more where it would read 0 or 100 without being so.

    >>> percent(0.1234), percent(0.5), percent(0.00012), percent(0.99991), percent(-1.0)
    ('12.3%', '50%', '0.012%', '99.99%', '−100%')
    """
    value = abs(share) * 100
    room = min(value, abs(100 - value)) or 1.0
    decimals = 1 if room >= 0.095 else min(4, 1 - math.floor(math.log10(room)))
    text = f"{value:.{decimals}f}"
    return f"{_MINUS if share < 0 else ''}{text.rstrip('0').rstrip('.')}%"


def signed(text: str) -> str:
    """A number in words with its sign.

    >>> signed("3.1%"), signed("−3.1%"), signed("0")
    ('+3.1%', '−3.1%', '0')
    """
    return text if text.startswith(_MINUS) or text in {"0", "0%"} else f"+{text}"


def p_value(p: float) -> str:
    """A p-value with two significant digits, more where it would read as a usual level without being it.

    >>> p_value(0.00213), p_value(0.5), p_value(0.00002), p_value(1.0), p_value(0.0496)
    ('p = .0021', 'p = .50', 'p < .0001', 'p = 1', 'p = .0496')
    """
    if p < 1e-4:
        return "p < .0001"
    if p >= 0.995:
        return "p = 1"
    digits = 2
    while digits < 6 and float(f"{p:.{digits}g}") in _LEVELS and p not in _LEVELS:
        digits += 1
    rounded = float(f"{p:.{digits}g}")
    decimals = digits - 1 - math.floor(math.log10(rounded))
    return f"p = {rounded:.{decimals}f}".replace("0.", ".", 1)


def count(n: float) -> str:
    """A count with separators between thousands.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{n:,.0f}"


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "unit"), plural(2000, "unit")
    ('1 unit', '2,000 units')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """Names in a row.

    >>> listed(["B"]), listed(["B", "C", "D"])
    ('B', 'B, C and D')
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
