"""`pinecone-backups describe`, `create` and `delete`. Knows the client's methods for one backup."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING, Annotated, Final

import attrs
from cyclopts import Parameter

from pinecone_backups_async import (
    Backup,
    ConfigurationError,
    ConflictError,
    FailedPreconditionError,
    NotFoundError,
)

from ._complaints import failure_text
from ._connection import host_of, opened_client, within
from ._formats import Value
from ._options import FLAG, Connection, DemoConnection, options_of
from ._progress import progress
from ._streams import is_terminal, print_stderr
from ._values import Clock, ValueOutput, WaitOption, find_backup, print_rows, print_value, wait_for

if TYPE_CHECKING:
    from pinecone_backups_async import BackupsClient

__all__ = ["create", "delete", "describe"]

_BEGINNING: Final = re.compile(r"[0-9a-f][0-9a-f-]{7,34}")


@attrs.frozen(kw_only=True)
class DescribeOptions(DemoConnection):
    """The options of `describe`."""

    output: ValueOutput = None


def describe(
    id_: Annotated[str, Parameter(name="ID", help="The id of a backup, or its beginning: at least 8 characters.")],
    /,
    *,
    options: Annotated[DescribeOptions, options_of] = DescribeOptions(),
) -> int:
    """Show every field of a backup."""
    return asyncio.run(_describe(id_, options))


async def _describe(id_: str, options: DescribeOptions) -> int:
    async with opened_client(options) as client, within(options.timeout, "the command"):
        with progress("Looking for the backup…", host_of(options)):
            backup = await find_backup(client, id_)
    print_value(backup, options.output)
    return 0


@attrs.frozen(kw_only=True)
class CreateOptions(DemoConnection):
    """The options of `create`."""

    name: Annotated[str | None, Parameter(metavar="NAME", help="A name; names need not be unique.")] = None
    description: Annotated[str | None, Parameter(metavar="TEXT", help="A description.")] = None
    once: Annotated[
        bool,
        Parameter(help="Only if no backup with this --name is Ready or in progress. Safe to run again.", **FLAG),
    ] = False
    wait: WaitOption = False
    output: ValueOutput = None


def create(
    index: Annotated[str, Parameter(help="The name of the index.")],
    /,
    *,
    options: Annotated[CreateOptions, options_of] = CreateOptions(),
) -> int:
    """Create a backup of an index."""
    if options.once and not options.name:
        raise ConfigurationError("--once needs --name: the name is how the backup is found again")
    return asyncio.run(_create(index, options))


async def _create(index: str, options: CreateOptions) -> int:
    clock = Clock(options.seconds)
    async with opened_client(options) as client:
        with progress(f"Creating a backup of {index}…", host_of(options)):
            backup = await _created(client, index, options, clock.left())
        print_value(await _awaited(client, backup, options, clock) if options.wait else backup, options.output)
    return 0


async def _awaited(client: BackupsClient, backup: Backup, options: CreateOptions, clock: Clock) -> Value:
    index = backup.source_index_name
    print_stderr(f"pinecone-backups: backup {backup.backup_id} of {index} is {backup.status}")
    what = f"backup {backup.backup_id[:8]} of {index}"
    return await wait_for(client, backup, what, host=host_of(options), clock=clock)


async def _created(client: BackupsClient, index: str, options: CreateOptions, timeout: float | None) -> Backup:
    if options.once:
        return await client.ensure_backup(index, options.name or "", description=options.description, timeout=timeout)
    return await client.create_backup(index, name=options.name, description=options.description, timeout=timeout)


@attrs.frozen(kw_only=True)
class DeleteOptions(Connection):
    """The options of `delete`."""

    missing_ok: Annotated[bool, Parameter(help="A backup that does not exist is no failure.", **FLAG)] = False
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), help="Do not ask.", **FLAG)] = False


def delete(
    ids: Annotated[tuple[str, ...], Parameter(help="The whole ids of the backups.")],
    /,
    *,
    options: Annotated[DeleteOptions, options_of] = DeleteOptions(),
) -> int:
    """Delete backups by their ids.

    On a terminal it shows the backups and asks first. Elsewhere it needs --yes.
    """
    for id_ in ids:
        if _BEGINNING.fullmatch(id_):
            raise ConfigurationError(
                f"{id_} is the beginning of an id: delete takes whole ids (list --wide shows them)"
            )
    if not options.yes and not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise ConfigurationError("delete needs --yes if there is no terminal to ask on")
    return asyncio.run(_delete(list(dict.fromkeys(ids)), options))


async def _delete(ids: list[str], options: DeleteOptions) -> int:
    clock = Clock(options.seconds)
    failed = 0
    async with opened_client(options) as client:
        if not options.yes and not await _confirmed(client, ids, options, clock):
            print_stderr("pinecone-backups: nothing was deleted")
            return 2
        with progress("", host_of(options), spinner=False):
            for id_ in ids:
                failed += not await _deleted(client, id_, options, clock.left())
    return 1 if failed else 0


async def _deleted(client: BackupsClient, id_: str, options: DeleteOptions, timeout: float | None) -> bool:
    """Delete one; return False for a failure that is about this one alone, and raise every other."""
    try:
        await client.delete_backup(id_, missing_ok=options.missing_ok, timeout=timeout)
    except (NotFoundError, FailedPreconditionError, ConflictError) as error:
        print_stderr(f"pinecone-backups: {id_}: {failure_text(error)}")
        return False
    print(f"deleted {id_}", flush=True)
    return True


async def _confirmed(client: BackupsClient, ids: list[str], options: DeleteOptions, clock: Clock) -> bool:
    """Show the backups and ask. One that does not exist ends it before anything happens, unless that is allowed."""
    found: list[Backup] = []
    for id_ in ids:
        try:
            found.append(await client.describe_backup(id_, timeout=clock.left()))
        except NotFoundError:
            if not options.missing_ok:
                raise
    print_rows(found)
    what = "this backup" if len(found) == 1 else f"these {len(found)} backups"
    print(f"Delete {what}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}
