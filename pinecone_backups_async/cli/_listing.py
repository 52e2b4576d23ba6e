"""`pinecone-backups list`: fetch the listing and write it as it comes. Knows the client and the outputs."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import attrs
from cyclopts import Parameter

from pinecone_backups_async import Backup, ConfigurationError

from ._connection import host_of, opened_client, within
from ._filters import ORDERS, Filters, Order
from ._formats import csv_writer, jsonl_writer, write_json_array
from ._options import OUTPUT, AgeOrNone, Count, DemoConnection, Names, Pairs, Wide, options_of, output_or_default
from ._progress import progress
from ._streams import data_stream, is_terminal, print_stderr
from ._table import backups_lines
from ._terminal import print_lines, table_width

if TYPE_CHECKING:
    from pinecone_backups_async import BackupsClient

__all__ = ["ListOptions", "list_"]


@attrs.frozen(kw_only=True)
class ListOptions(DemoConnection):
    """The options of `list`."""

    output: Annotated[
        Literal["table", "json", "jsonl", "csv"] | None,
        Parameter(help="Default: table on a terminal, jsonl in a pipe.", **OUTPUT),
    ] = None
    index: Annotated[Names, Parameter(help="Only backups of this index; may be repeated.")] = ()
    status: Annotated[Names, Parameter(metavar="STATUS", help="Only backups with this status; may be repeated.")] = ()
    tag: Annotated[Pairs, Parameter(help="Only backups with this tag; may be repeated, then all must be there.")] = ()
    newer_than: Annotated[AgeOrNone, Parameter(help="Only backups younger than this: 90s, 15m, 26h, 7d, 2w.")] = None
    older_than: Annotated[AgeOrNone, Parameter(help="Only backups older than this.")] = None
    sort: Annotated[
        Order | None,
        Parameter(metavar="BY", help="Youngest, largest, or first in the alphabet first. Waits for the whole listing."),
    ] = None
    max_items: Annotated[Count, Parameter(help="Stop after this many backups that match.")] = None
    pagination_token: Annotated[
        str | None, Parameter(metavar="TOKEN", help="Resume from this token (printed when a listing fails).")
    ] = None
    wide: Wide = False

    def filters(self) -> Filters:
        """Return the filters; raise ConfigurationError for an age before the beginning of time."""
        return Filters(
            indexes=frozenset(self.index),
            statuses=frozenset(status.casefold() for status in self.status),
            tags=frozenset((key, value) for key, _, value in (pair.partition("=") for pair in self.tag)),
            newer_than=_ago("--newer-than", self.newer_than),
            older_than=_ago("--older-than", self.older_than),
        )


def _ago(option: str, duration: dt.timedelta | None) -> dt.datetime | None:
    try:
        return None if duration is None else dt.datetime.now(dt.UTC) - duration
    except OverflowError:
        raise ConfigurationError(f"{option}: nothing is that old") from None


def list_(options: Annotated[ListOptions, options_of] = ListOptions()) -> int:
    """List the backups of the project.

    It fetches every page. A listing that fails exits with 1 and never looks complete.
    """
    return asyncio.run(_list(options, options.filters()))


Write = Callable[[Sequence[Backup]], None]


async def _list(options: ListOptions, filters: Filters) -> int:
    output = output_or_default(options.output, piped="jsonl")
    kept: list[Backup] = []
    write: Write = kept.extend
    # A listing that is sorted, a table or an array must be whole first.
    streams = output in {"jsonl", "csv"} and options.sort is None
    if streams:
        write = _writer(output, options)
    async with opened_client(options) as client, within(options.timeout, "the listing"):
        await _fetch(client, options, filters, write, spinner=not (streams and is_terminal(sys.stdout)))
    if not streams:
        _finish(kept, output, options)
    return 0


def _writer(output: str, options: ListOptions) -> Write:
    if output == "jsonl":
        return jsonl_writer(data_stream())
    # A listing that is resumed is appended to its beginning, which has the header.
    return csv_writer(data_stream(), header=options.pagination_token is None)


def _finish(backups: list[Backup], output: str, options: ListOptions) -> None:
    if options.sort is not None:
        backups = sorted(backups, key=ORDERS[options.sort])[: options.max_items]
    if output == "json":
        write_json_array(backups, data_stream())
    elif output == "table":
        print_lines(backups_lines(backups, dt.datetime.now(dt.UTC), table_width(wide=options.wide)))
    else:
        _writer(output, options)(backups)


async def _fetch(client: BackupsClient, options: ListOptions, filters: Filters, write: Write, *, spinner: bool) -> None:
    """Hand the backups that match to `write`, page by page, until `max_items` of them have come."""
    left = options.max_items if options.sort is None else None
    if options.max_items == 0:
        return
    # Without filters the client itself can stop in time; with them only the matches count.
    bound = left if filters == Filters() else None
    pages = client.list_backups(pagination_token=options.pagination_token, max_items=bound).pages()
    seen, matched = 0, 0
    with progress("Listing backups…", host_of(options), spinner=spinner) as shown:
        async for page in pages:
            matches = [backup for backup in page.data if filters.match(backup)][:left]
            write(matches)
            seen, matched = seen + len(page.data), matched + len(matches)
            shown.update(f"Listing backups… {seen} seen, {matched} match")
            if left is not None:
                left -= len(matches)
                if left == 0:
                    return
    if seen and not matched:
        print_stderr(f"pinecone-backups: none of {seen} backups matches")
