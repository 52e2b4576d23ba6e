"""`pinecone-backups restore`, `restores` and `wait`. Knows the client's methods for restore jobs."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

import attrs
from cyclopts import Parameter

from pinecone_backups_async import Backup, NotFoundError, RestoreJob

from ._connection import host_of, opened_client, within
from ._formats import jsonl_writer, write_json_array
from ._options import OUTPUT, Connection, Count, Wide, options_of, output_or_default
from ._progress import progress
from ._streams import data_stream, is_terminal, print_stderr
from ._table import jobs_lines
from ._terminal import print_lines, table_width
from ._values import (
    SHORTEST_BEGINNING,
    Clock,
    ValueOutput,
    WaitOption,
    find_backup,
    one_of,
    print_rows,
    print_value,
    wait_for,
)

if TYPE_CHECKING:
    from pinecone_backups_async import BackupsClient

__all__ = ["restore", "restores", "wait"]

_WHOLE_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@attrs.frozen(kw_only=True)
class RestoreOptions(Connection):
    """The options of `restore`."""

    name: Annotated[str, Parameter(metavar="NEW", help="The name of the new index: 1 to 45 of a-z, 0-9 and -.")]
    wait: WaitOption = False
    output: ValueOutput = None


def restore(
    id_: Annotated[str, Parameter(name="ID", help="The whole id of the backup.")],
    /,
    *,
    options: Annotated[RestoreOptions, options_of],
) -> int:
    """Restore a backup as a new index.

    The index is created in the cloud and the region of the backup.
    """
    return asyncio.run(_restore(id_, options))


async def _restore(id_: str, options: RestoreOptions) -> int:
    clock = Clock(options.seconds)
    async with opened_client(options) as client:
        with progress(f"Restoring as {options.name}…", host_of(options), spinner=False):
            if is_terminal(sys.stderr):
                print_rows([await client.describe_backup(id_, timeout=clock.left())])
            receipt = await client.create_index_from_backup(id_, name=options.name, timeout=clock.left())
        if not options.wait:
            print_value(receipt, options.output)
            return 0
        print_stderr(f"pinecone-backups: restore job {receipt.restore_job_id} creates the index {options.name}")
        what = f"restore job {receipt.restore_job_id[:8]} of index {options.name}"
        print_value(await wait_for(client, receipt, what, host=host_of(options), clock=clock), options.output)
    return 0


@attrs.frozen(kw_only=True)
class RestoresOptions(Connection):
    """The options of `restores`."""

    output: Annotated[
        Literal["table", "json", "jsonl"] | None,
        Parameter(help="Default: table on a terminal, jsonl in a pipe.", **OUTPUT),
    ] = None
    max_items: Annotated[Count, Parameter(help="Stop after this many restore jobs.")] = None
    wide: Wide = False


def restores(options: Annotated[RestoresOptions, options_of] = RestoresOptions()) -> int:
    """List restore jobs.

    The service may leave some out: a job that is missing here may still exist.
    """
    return asyncio.run(_restores(options))


async def _restores(options: RestoresOptions) -> int:
    async with opened_client(options) as client, within(options.timeout, "the listing"):
        with progress("Listing restore jobs…", host_of(options)):
            jobs: list[RestoreJob] = await client.list_restore_jobs(max_items=options.max_items).to_list()
    _print_jobs(jobs, output_or_default(options.output, piped="jsonl"), wide=options.wide)
    return 0


def _print_jobs(jobs: Sequence[RestoreJob], output: str, *, wide: bool) -> None:
    if output == "json":
        write_json_array(jobs, data_stream())
    elif output == "jsonl":
        jsonl_writer(data_stream())(jobs)
    else:
        print_lines(jobs_lines(jobs, dt.datetime.now(dt.UTC), table_width(wide=wide)))


@attrs.frozen(kw_only=True)
class WaitOptions(Connection):
    """The options of `wait`."""

    output: ValueOutput = None


def wait(
    id_: Annotated[str, Parameter(name="ID", help="The id of a backup or a restore job, or its beginning.")],
    /,
    *,
    options: Annotated[WaitOptions, options_of] = WaitOptions(),
) -> int:
    """Wait until a backup is Ready, or a restore job Completed.

    It gives up after 6 h, unless --timeout says otherwise.
    """
    return asyncio.run(_wait(id_, options))


async def _wait(id_: str, options: WaitOptions) -> int:
    clock = Clock(options.seconds)
    async with opened_client(options) as client:
        with progress(f"Looking for {id_}…", host_of(options)):
            found = await _find(client, id_)
        done = await wait_for(client, found, f"{_kind(found)} {id_[:8]}", host=host_of(options), clock=clock)
        print_value(done, options.output)
    return 0


def _kind(found: Backup | RestoreJob | str) -> str:
    return "restore job" if isinstance(found, RestoreJob) else "backup"


async def _find(client: BackupsClient, id_: str) -> Backup | RestoreJob | str:
    """Return the backup or the job. A whole id that is not known yet is taken for that of a new backup."""
    try:
        return await find_backup(client, id_)
    except NotFoundError as missing:
        try:
            return await client.describe_restore_job(id_)
        except NotFoundError:
            if _WHOLE_ID.fullmatch(id_):
                return id_
        if len(id_) < SHORTEST_BEGINNING:
            raise
        jobs = [job async for job in client.list_restore_jobs() if job.restore_job_id.startswith(id_)]
        found: RestoreJob = one_of({job.restore_job_id: job for job in jobs}, id_, missing)
        return found
