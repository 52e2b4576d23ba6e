"""What the command shows while it works: a spinner, and each retry in one line. On stderr, for a person only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Final, Self

from ._streams import is_terminal, print_stderr

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner

__all__ = ["Progress", "duration_text", "passes_shown", "progress", "ticking"]

_LOGGER: Final = logging.getLogger("pinecone_backups_async")
_WORDS: Final = {
    "TransportTimeoutError": "no answer from {}",
    "ResponseParsingError": "an unreadable answer from {}",
}


class Progress:
    """A line that changes while the command works, if stderr is a terminal; nothing elsewhere."""

    def __init__(self, text: str, *, spinner: bool) -> None:
        self.for_person = is_terminal(sys.stderr)
        self._spinner: Spinner | None = None
        self._live: Live | None = None
        if spinner and self.for_person:
            self._spinner, self._live = _spinning(text)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, text: str) -> None:
        """Show another text."""
        if self._spinner is not None:
            self._spinner.update(text=text)

    def print(self, text: str) -> None:
        """Print a line, above the one that changes."""
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print_stderr(text)


def _spinning(text: str) -> tuple[Spinner, Live]:
    from rich.console import Console  # noqa: PLC0415 - for a terminal only
    from rich.live import Live  # noqa: PLC0415
    from rich.spinner import Spinner  # noqa: PLC0415

    console = Console(stderr=True)
    spinner = Spinner("line" if console.options.ascii_only else "dots", text)
    # Without the redirection, what is written to stdout meanwhile stays what it is.
    return spinner, Live(spinner, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)


@contextlib.contextmanager
def progress(text: str, host: str, *, spinner: bool = True) -> Generator[Progress]:
    """Show a text while the block runs, and every retry of a request to the host as a line, on a terminal."""
    with Progress(text, spinner=spinner) as shown:
        handler = _Warnings(host, shown)
        _LOGGER.addHandler(handler)
        try:
            yield shown
        finally:
            _LOGGER.removeHandler(handler)


class _Passes(logging.Handler):
    """Which pass over a listing is under way, and its pages so far, from the client's log records."""

    def __init__(self, update: Callable[[str], None], text: str) -> None:
        super().__init__(logging.DEBUG)
        self._update = update
        self._text = text
        self._number, self._pages = 1, 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count."""
        if vars(record).get("pinecone_milliseconds") is not None and vars(record).get("pinecone_status") == 200:
            self._pages += 1
        elif str(record.msg).startswith("a listing ended"):
            self._number, self._pages = self._number + 1, 0
        self._update(f"{self._text} pass {self._number}, {self._pages} pages")


@contextlib.contextmanager
def passes_shown(shown: Progress, text: str) -> Generator[None]:
    """Count the passes and pages of the listings in the block, on a terminal."""
    handler, level = _Passes(shown.update, text), _LOGGER.level
    if shown.for_person:
        _LOGGER.addHandler(handler)
        _LOGGER.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.setLevel(level)


class _Warnings(logging.Handler):
    """Warnings of the client: retries for a person only, and writes that were cancelled, whose outcome is unknown."""

    def __init__(self, host: str, shown: Progress) -> None:
        super().__init__(logging.WARNING)
        self._host = host
        self._shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        facts = vars(record)
        if "pinecone_delay" not in facts:
            self._shown.print(f"pinecone-backups: {record.getMessage()}")
        elif self._shown.for_person:
            self._shown.print(self._retry_text(facts["pinecone_status"], facts["pinecone_error"], facts))

    def _retry_text(self, status: int | None, error: str, facts: dict[str, object]) -> str:
        from pinecone_backups_async import RetryPolicy  # noqa: PLC0415 - the client is imported by now

        what = f"{status} from {self._host}"
        if status is None:
            what = _WORDS.get(error, "the connection to {} failed").format(self._host)
        attempt = int(str(facts["pinecone_attempt"])) + 1
        return f"{what}, retrying in {facts['pinecone_delay']:.2g} s, {attempt} of {RetryPolicy().attempts}"


def duration_text(seconds: float) -> str:
    """Return a duration for a person, such as `2 min 5 s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextlib.asynccontextmanager
async def ticking(shown: Progress, text: str, *, minute: float = 60.0) -> AsyncGenerator[None]:
    """Say how long the block has been running: every second on a terminal, else in a line a minute."""
    began = time.monotonic()

    async def tick() -> None:
        while True:
            await asyncio.sleep(1.0 if shown.for_person else minute)
            line = f"{text}, {duration_text(time.monotonic() - began)}"
            if shown.for_person:
                shown.update(line)
            else:
                shown.print(f"pinecone-backups: {line}")

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
