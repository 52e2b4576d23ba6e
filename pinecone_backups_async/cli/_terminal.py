"""Lines of cells on stdout: in colour on a terminal, plain elsewhere and if there are many. Knows rich."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from ._grid import Line
from ._streams import is_terminal

__all__ = ["print_lines", "strokes", "table_width"]

_MOST_IN_COLOUR: Final = 1_000


def table_width(*, wide: bool = False) -> int | None:
    """Return the columns that a table may have: those of the terminal; None, no limit, elsewhere or if asked for."""
    return None if wide or not is_terminal(sys.stdout) else shutil.get_terminal_size().columns


def print_lines(lines: Sequence[Line]) -> None:
    """Print the lines."""
    if len(lines) > _MOST_IN_COLOUR or not is_terminal(sys.stdout):
        sys.stdout.writelines(f"{''.join(cell.text for cell in line).rstrip()}\n" for line in lines)
        return
    console = Console()
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)


def strokes() -> str:
    """Return the two characters that bars are made of, as far as stdout's encoding has them."""
    try:
        "━─".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "#-"
    return "━─"
