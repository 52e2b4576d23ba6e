"""The standard streams, whatever they are: absent, closed, of another encoding. Knows no command."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TextIO

from ._sanitize import for_terminal

__all__ = ["data_stream", "discard_stream", "is_terminal", "prepare_streams", "print_stderr"]


def prepare_streams() -> None:
    """Have streams that take any text: an absent one leads nowhere, and what an encoding lacks is escaped."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def data_stream() -> TextIO:
    """Return stdout for data: UTF-8, with the line ends that are written, whatever the platform and the locale."""
    stream: object = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    return sys.stdout


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person reads the stream, or types into it. It may be absent."""
    return stream is not None and stream.isatty()


def print_stderr(text: str) -> None:
    """Print a line on stderr. If stderr cannot be written to, the command continues."""
    try:
        print(for_terminal(text), file=sys.stderr, flush=True)
    except OSError:
        discard_stream(sys.stderr)


def discard_stream(stream: TextIO) -> None:
    """Replace a stream that cannot be written to: Python would try, and complain, once more when it ends."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
