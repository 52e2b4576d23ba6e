"""Rows of cells as lines of a given width: columns leave, or wrap as a whole, and no word is ever cut.

Pure: knows no terminal and no backup. A cell is a text and a style, of which rich knows what it looks like.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import attrs
from rich.cells import cell_len

__all__ = ["Cell", "Column", "Grid", "Line", "prose_lines"]

_INDENT: Final = 2


class Cell(NamedTuple):
    """A text and its style."""

    text: str
    style: str = ""


Line = list[Cell]


@attrs.frozen
class Column:
    """A column: its title, and what happens to it if the width does not suffice.

    `leaves` is its place in the order in which columns leave, 0 for one that stays. `prose` may be wrapped between its
    words.
    """

    title: str
    right: bool = False
    leaves: int = 0
    prose: bool = False


def _width_of(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def prose_lines(text: str, style: str, width: int | None) -> list[Line]:
    """Return a text as lines of a width (None: unlimited), broken between its words only."""
    wrapped = [text] if width is None else textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [[Cell(part, style)] for part in wrapped]


class Grid:
    """Columns and rows, fitted to a width (None: unlimited).

    First the columns leave that may. One blank between columns rather than two keeps the last of these, or each row on
    one line, if that suffices. If the rest is still too wide, a row takes several lines: each holds as many columns as
    fit, aligned, and the later ones are indented. Only a cell that is wider than the width makes a line too long.
    """

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None) -> None:
        self._rows = rows
        self._columns = columns
        self._width = width
        self._widths = [
            max([len(column.title), *(_width_of(row[place].text) for row in rows)])
            for place, column in enumerate(columns)
        ]
        self._gap = self._fitting_gap()
        self._groups = self._grouped(self._shown(self._gap))

    def _fitting_gap(self) -> int:
        """Return 1 if that keeps the last column to leave, or each row on one line; else 2."""
        if self._width is None:
            return 2
        dearest = max(range(len(self._columns)), key=lambda place: self._columns[place].leaves)
        shown, tight = self._shown(gap=2), self._shown(gap=1)
        keeps_column = dearest in tight and dearest not in shown
        keeps_line = self._total(tight, 1) <= self._width < self._total(shown, 2)
        return 1 if keeps_column or keeps_line else 2

    @property
    def left_out(self) -> list[str]:
        """Return the titles of the columns that had to leave."""
        shown = {place for group in self._groups for place in group}
        return [column.title for place, column in enumerate(self._columns) if place not in shown]

    def lines(self) -> Iterator[Line]:
        """Yield the lines of the head and of the rows."""
        head = [Cell(column.title, "bold") for column in self._columns]
        for row in (head, *self._rows):
            for number, group in enumerate(self._groups):
                yield from self._group_lines(row, group, _INDENT if number else 0)

    def _total(self, places: Sequence[int], gap: int) -> int:
        return sum(self._widths[place] + gap for place in places) - gap

    def _shown(self, gap: int) -> list[int]:
        shown = list(range(len(self._columns)))
        if self._width is None:
            return shown
        for place in sorted((p for p in shown if self._columns[p].leaves), key=lambda p: self._columns[p].leaves):
            if self._total(shown, gap) <= self._width:
                break
            shown.remove(place)
        return shown

    def _grouped(self, shown: Sequence[int]) -> list[list[int]]:
        groups: list[list[int]] = [[]]
        for place in shown:
            group = groups[-1]
            indent = _INDENT if len(groups) > 1 else 0
            if group and self._width is not None and indent + self._total([*group, place], self._gap) > self._width:
                groups.append([place])
            else:
                group.append(place)
        return groups

    def _group_lines(self, row: Sequence[Cell], group: Sequence[int], indent: int) -> Iterator[Line]:
        if indent and not any(row[place].text for place in group):
            return
        *others, last = group
        padded = [self._padded(row[place], place) for place in others]
        text, style = row[last]
        room = None if self._width is None else self._width - indent - sum(self._widths[p] + self._gap for p in others)
        parts = [[Cell(text, style)]]
        if self._columns[last].prose and text:
            parts = prose_lines(text, style, room)
        for number, (part,) in enumerate(parts):
            before = padded if number == 0 else [Cell(" " * len(cell.text)) for cell in padded]
            yield [Cell(" " * indent), *before, self._padded(part, last, at_end=True)]

    def _padded(self, cell: Cell, place: int, *, at_end: bool = False) -> Cell:
        blanks = " " * (self._widths[place] - _width_of(cell.text))
        if self._columns[place].right:
            return Cell(f"{blanks}{cell.text}{'' if at_end else ' ' * self._gap}", cell.style)
        return cell if at_end else Cell(f"{cell.text}{blanks}{' ' * self._gap}", cell.style)
