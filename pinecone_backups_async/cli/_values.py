"""What the commands for single backups and restores share: output, waiting, finding an id by its beginning."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import attrs
from cyclopts import Parameter

from pinecone_backups_async import Backup, ConfigurationError, NotFoundError, RestoreJob

from ._formats import Value, write_json
from ._options import FLAG, OUTPUT, output_or_default
from ._progress import progress, ticking
from ._streams import data_stream, print_stderr
from ._table import backups_lines, facts_lines
from ._terminal import print_lines

if TYPE_CHECKING:
    from pinecone_backups_async import BackupsClient, RestoreReceipt

__all__ = [
    "SHORTEST_BEGINNING",
    "Clock",
    "ValueOutput",
    "WaitOption",
    "find_backup",
    "one_of",
    "print_rows",
    "print_value",
    "wait_for",
]

SHORTEST_BEGINNING: Final = 8
_LONGEST_WAIT: Final = 21_600.0
ValueOutput = Annotated[
    Literal["table", "json"] | None,
    Parameter(help="Default: table on a terminal, json in a pipe.", **OUTPUT),
]
WaitOption = Annotated[bool, Parameter(help="Wait until it is done; --timeout is then 6 h unless given.", **FLAG)]


@attrs.frozen
class Clock:
    """What is left of `--timeout` for the requests and the wait of a command."""

    seconds: float | None
    began: float = attrs.field(factory=time.monotonic)

    def left(self) -> float | None:
        """Return the seconds that are left, None if there is no limit; a request gets some time in any case."""
        return None if self.seconds is None else max(0.1, self.seconds - (time.monotonic() - self.began))


def print_value(value: Value, output: str | None) -> None:
    """Print one value."""
    if output_or_default(output, piped="json") == "json":
        write_json(value.to_dict(), data_stream())
    else:
        print_lines(facts_lines(_texts(value.to_dict())))


def _texts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts that are known, as texts."""
    known = {name: value for name, value in facts.items() if value is not None and value != {}}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in known.items()}


def print_rows(backups: Sequence[Backup]) -> None:
    """Show backups to a person before something happens to them, each id in full."""
    for line in backups_lines(backups, dt.datetime.now(dt.UTC), None)[:-1]:
        print_stderr("".join(cell.text for cell in line).rstrip())


async def wait_for(
    client: BackupsClient, value: Backup | RestoreReceipt | RestoreJob | str, what: str, *, host: str, clock: Clock
) -> Backup | RestoreJob:
    """Wait for a backup (or its id), or for a restore by its receipt or job, and say for how long."""
    text = f"Waiting for {what}"
    seconds = clock.left() or _LONGEST_WAIT
    with progress(text, host) as shown:
        async with ticking(shown, text):
            if isinstance(value, Backup | str):
                return await client.wait_until_ready(value, timeout=seconds)
            return await client.wait_until_restored(value, timeout=seconds)


async def find_backup(client: BackupsClient, id_: str) -> Backup:
    """Return the backup with an id, or with the only id that begins so."""
    try:
        return await client.describe_backup(id_)
    except NotFoundError as missing:
        if len(id_) < SHORTEST_BEGINNING:
            raise
        backups = [backup async for backup in client.list_backups() if backup.backup_id.startswith(id_)]
        found: Backup = one_of({backup.backup_id: backup for backup in backups}, id_, missing)
        return found


def one_of(found: Mapping[str, Any], beginning: str, missing: NotFoundError) -> Any:
    """Return the only value; raise if there is none, or more than one."""
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} ids begin with {beginning}: {', '.join(sorted(found))}")
    for value in found.values():
        return value
    raise missing
