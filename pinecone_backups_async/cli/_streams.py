"""The standard streams, whatever they are: absent, closed, of another encoding. Knows no command."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import NoReturn, TextIO

from rich.console import Console

from ._sanitize import for_terminal

__all__ = ["Terminal", "let_go", "prepare", "talk"]


def prepare() -> None:
    """Have streams that take any text: an absent one leads nowhere, and what an encoding lacks is escaped."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Terminal(Console):
    """A console that leaves it to the command what a closed pipe means; rich would exit with 1."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise what the pipe raised."""
        raise BrokenPipeError


def talk(text: str) -> None:
    """Say a line on stderr. Where nobody listens, that is no failure of what the line is about."""
    try:
        print(for_terminal(text), file=sys.stderr, flush=True)
    except OSError:
        let_go(sys.stderr)


def let_go(stream: TextIO) -> None:
    """Lead a stream nowhere that cannot be written to: Python would try, and complain, once more at its end."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
