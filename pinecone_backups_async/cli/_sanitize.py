"""Server text made harmless: what a terminal or a spreadsheet would obey is shown instead. Knows no output format."""

from __future__ import annotations

from typing import Final

__all__ = ["for_plugin", "for_spreadsheet", "for_terminal"]

_BEGIN_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")  # also the full-width ones


def for_terminal(text: str) -> str:
    """Return text in which every character that is not printable, such as a bidirectional mark, is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def for_plugin(text: str) -> str:
    """Return one line for a monitoring host, without bars: what follows a bar is performance data, in any line."""
    return for_terminal(text).replace("|", "/")


def for_spreadsheet(value: object) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula: an apostrophe comes before what could begin one."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) else text
