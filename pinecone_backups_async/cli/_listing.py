"""`pinecone-backups list`: walk the project and write it as it comes. Knows the client and the outputs."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Literal

import attrs
from rich.status import Status

from pinecone_backups_async import Backup, BackupsClient, ConfigurationError
from pinecone_backups_async.testing import FakePinecone

from ._filters import Filters, parse_duration
from ._formats import csv_writer, jsonl_writer, write_json
from ._streams import Terminal, talk
from ._table import backups_table

__all__ = ["ListOptions", "Output", "list_backups", "opened_client"]

Output = Literal["table", "json", "jsonl", "csv"]
DEMO_BACKUPS = 24


@attrs.frozen(kw_only=True)
class ListOptions:
    """Hold what was asked for, checked."""

    output: Output
    filters: Filters
    max_items: int | None
    pagination_token: str | None
    demo: bool

    @classmethod
    def checked(
        cls,
        *,
        output: Output | None,
        indexes: Iterable[str],
        statuses: Iterable[str],
        newer_than: str | None,
        max_items: int | None,
        pagination_token: str | None,
        demo: bool,
    ) -> ListOptions:
        """Return the options; raise ConfigurationError for a duration or a number that is none."""
        since: dt.datetime | None = None
        if newer_than is not None:
            try:
                since = dt.datetime.now(dt.UTC) - parse_duration(newer_than)
            except (ValueError, OverflowError) as error:
                raise ConfigurationError(f"--newer-than: {error}") from None
        if max_items is not None and max_items < 0:
            raise ConfigurationError("--max-items must be an integer of at least 0")
        filters = Filters(
            indexes=frozenset(indexes), statuses=frozenset(status.casefold() for status in statuses), newer_than=since
        )
        return cls(
            output=output or ("table" if sys.stdout.isatty() else "jsonl"),
            filters=filters,
            max_items=max_items,
            pagination_token=pagination_token,
            demo=demo,
        )


@contextlib.asynccontextmanager
async def opened_client(*, demo: bool) -> AsyncGenerator[BackupsClient]:
    """Open the client that the environment describes, or one for the demonstration project."""
    if not demo:
        if not os.environ.get("PINECONE_API_KEY"):
            raise ConfigurationError("PINECONE_API_KEY is not set; --demo shows a demonstration project without a key")
        async with BackupsClient() as client:
            yield client
        return
    async with (
        FakePinecone(backups=DEMO_BACKUPS) as fake,
        BackupsClient(fake.api_key, base_url=fake.url, additional_headers={}) as client,
    ):
        yield client


async def list_backups(options: ListOptions) -> int:
    """Write the listing to stdout and return 0; raise BackupsError where it fails."""
    kept: list[Backup] = []
    write: Callable[[Sequence[Backup]], None] = kept.extend
    if options.output == "jsonl":
        write = jsonl_writer(sys.stdout)
    elif options.output == "csv":
        # A listing that goes on is appended to its beginning, which has the header.
        write = csv_writer(sys.stdout, header=options.pagination_token is None)
    async with opened_client(demo=options.demo) as client:
        await _walk(client, options, write)
    if options.output == "json":
        write_json(kept, sys.stdout)
    elif options.output == "table":
        console = Terminal()
        console.print(backups_table(kept, dt.datetime.now(dt.UTC), console.width))
    return 0


async def _walk(client: BackupsClient, options: ListOptions, write: Callable[[Sequence[Backup]], None]) -> None:
    """Hand the backups that match to `write`, page by page, until `max_items` of them have come."""
    left, seen, matched = options.max_items, 0, 0
    if left == 0:
        return
    # Without filters the walk itself can stop in time; with them only the matches count.
    bound = left if options.filters == Filters() else None
    pages = client.list_backups(pagination_token=options.pagination_token, max_items=bound).pages()
    with _progress(options.output) as status:
        async for page in pages:
            matches = [backup for backup in page.data if options.filters.match(backup)][:left]
            write(matches)
            seen, matched = seen + len(page.data), matched + len(matches)
            if status is not None:
                status.update(f"Listing backups… {seen} seen, {matched} match")
            if left is not None:
                left -= len(matches)
                if left == 0:
                    return
    if seen and not matched:
        talk(f"pinecone-backups: none of {seen} backups matches")


def _progress(output: Output) -> contextlib.AbstractContextManager[Status | None]:
    """Return the progress line, for a terminal on which it does not run into what is written meanwhile."""
    streams = output in {"jsonl", "csv"} and sys.stdout.isatty()
    if streams or not sys.stderr.isatty():
        return contextlib.nullcontext()
    return Terminal(stderr=True).status("Listing backups…")
