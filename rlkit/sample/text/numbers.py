"""Numbers in what a model wrote: found by a pattern of ASCII digits and read as fractions, exactly and in bounded time."""

import re
from fractions import Fraction

DIGITS = 400  # of a number; what has more equals nothing
_PART = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)?(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_FOUND = re.compile(
    rf"(?<![0-9.])(?P<sign>(?<![\w)\].])[-+−])?(?P<over>(?=\.?[0-9]){_PART})(?:/(?P<under>(?=\.?[0-9]){_PART}))?",
    re.ASCII,
)


def numbers(text: str) -> list[Fraction | None]:
    """Return the numbers in a text, in their order; None for one that is too large to be read, or divides by zero.

    7, -7, 7.50, .5, 1,000 and 3/4 are numbers, and so is 1e3. A minus counts as a sign unless it follows a word, a number or a
    bracket: "12-7" holds 12 and 7. Digits of other scripts are no digits.
    """
    return [_value(found) for found in _FOUND.finditer(text)]


def number(text: str) -> Fraction | None:
    """Return the number that a text is, or None."""
    words = text.strip()
    found = _FOUND.fullmatch(words)
    return None if found is None else _value(found)


def _value(found: re.Match[str]) -> Fraction | None:
    over, under = _read(found["over"]), _read(found["under"] or "1")
    if over is None or not under:
        return None
    return -over / under if found["sign"] in {"-", "−"} else over / under


def _read(digits: str) -> Fraction | None:
    mantissa, _, exponent = digits.replace(",", "").lower().partition("e")
    if len(mantissa) > DIGITS or len(exponent) > 4 or abs(int(exponent or 0)) > DIGITS:
        return None
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
