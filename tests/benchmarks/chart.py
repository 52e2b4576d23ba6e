"""The chart of the contenders: bars drawn as SVG by hand. Knows names and numbers only.

The colours stand on light and on dark paper alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bars"]

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 760, 190, 90, 38, 58
_INK, _OURS, _OTHERS = "#7b828c", "#2f9e74", "#8b95a3"
_FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"


def bars(title: str, note: str, values: Mapping[str, float], ours: frozenset[str]) -> str:
    """Return an SVG of one bar a name, labelled with its value, the smallest on top."""
    ranked = sorted(values.items(), key=lambda item: item[1])
    longest = ranked[-1][1]
    height = _TOP + _ROW * len(ranked) + 34
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<g {_FONT} font-size='14' fill='{_INK}'>",
        _text(12, 28, title, "font-size='16' font-weight='600'"),
    ]
    for place, (name, value) in enumerate(ranked):
        width = (_WIDTH - _LEFT - _RIGHT) * value / longest
        lines += _bar(place, name, width, f"{value:.2f} x", ours=name in ours)
    return "\n".join([*lines, _text(12, height - 12, note, "font-size='12'"), "</g>", "</svg>", ""])


def _bar(place: int, name: str, width: float, label: str, *, ours: bool) -> list[str]:
    y = _TOP + _ROW * place
    weight = "font-weight='600'" if ours else ""
    return [
        _text(_LEFT - 12, y + 16, name, f"text-anchor='end' {weight}"),
        f"<rect x='{_LEFT}' y='{y}' width='{width:.1f}' height='22' rx='3' fill='{_OURS if ours else _OTHERS}'/>",
        _text(round(_LEFT + width + 8), y + 16, label, weight),
    ]


def _text(x: int, y: int, text: str, style: str) -> str:
    return f"<text x='{x}' y='{y}' {style}>{escape(text)}</text>"
