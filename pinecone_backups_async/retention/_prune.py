"""Delete what a policy does not keep. Knows the client; what may go is decided in `_decide`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

import attrs

from pinecone_backups_async import (
    Backup,
    BackupsError,
    ClientClosedError,
    ConfigurationError,
    ForbiddenError,
    PaymentRequiredError,
    RateLimitError,
    ServiceError,
    TransportError,
    UnauthorizedError,
    UnexpectedRedirectError,
)

from ._decide import NEWEST, Decision, RetentionPolicy, check_count, check_flag, decide, names_of

if TYPE_CHECKING:
    from pinecone_backups_async import BackupsClient

__all__ = ["PruneReport", "prune"]

# These say nothing about one backup: the key or the account is refused, or the service cannot be reached.
_STOPS: Final = (
    ClientClosedError,
    ForbiddenError,
    PaymentRequiredError,
    RateLimitError,
    ServiceError,
    TransportError,
    UnauthorizedError,
    UnexpectedRedirectError,
)


@attrs.frozen(kw_only=True)
class PruneReport:
    """What `prune` did, or would do in a dry run. Each backup is in one of `deleted`, `kept` and `failed`."""

    deleted: tuple[Backup, ...]
    """The backups that were deleted, in this order; in a dry run those that would be."""
    kept: tuple[Backup, ...]
    """The backups that are left, newest first, also those that were not reached because the run stopped."""
    failed: tuple[tuple[Backup, BackupsError], ...] = ()
    """The backups that could not be deleted, each with the error."""
    error: BackupsError | None = None
    """What stopped the run before its end, such as a refused key or a service that does not respond; else None."""
    decisions: tuple[Decision, ...] = ()
    """The decisions that were applied, newest first, with their reasons."""
    dry_run: bool = True
    """Whether nothing was deleted because `dry_run` was True."""


async def prune(
    client: BackupsClient,
    policy: RetentionPolicy,
    *,
    indexes: Collection[str] | None = None,
    gone: bool = False,
    max_deletes: int,
    dry_run: bool = True,
) -> PruneReport:
    """Delete what the policy does not keep, judged by a complete inventory; by default only report what would go.

    Before anything is deleted in an index, its newest Ready backup is looked up; if that is no longer Ready, none of
    the index is deleted. Backups are deleted one at a time, the oldest of an index first. One that vanished meanwhile
    counts as deleted. A backup whose deletion is refused is in `failed`, and the run continues; a refused key or
    account, a closed client, and a service that does not respond stop it, and the report says so in `error`.
    Raises what `BackupsClient.inventory` does, such as IncompleteListingError; then nothing was deleted.

    - `indexes`: names of the only indexes in which to delete; None for all.
    - `gone`: whether backups of deleted indexes may go; the newest Ready one of each stays in any case.
    - `max_deletes`: if the policy deletes more than this in the whole run, nothing is deleted, and
      ConfigurationError is raised. A dry run is not limited.
    - `dry_run`: report without deleting.
    """
    wanted = names_of("indexes", indexes)
    check_count("max_deletes", max_deletes)
    check_flag("dry_run", dry_run)
    check_flag("gone", gone)
    decided = decide(await client.inventory(), policy, gone=gone)
    newest = {each.backup.source_index_id: each.backup for each in decided if NEWEST in each.reasons}
    decisions = tuple(each for each in decided if wanted is None or each.backup.source_index_name in wanted)
    doomed = [each.backup for each in reversed(decisions) if not each.keep]
    if dry_run:
        kept = tuple(each.backup for each in decisions if each.keep)
        return PruneReport(deleted=tuple(doomed), kept=kept, decisions=decisions)
    if len(doomed) > max_deletes:
        text = f"max_deletes is {max_deletes}, but the policy deletes {len(doomed)} backups: nothing was deleted"
        raise ConfigurationError(text, argument="max_deletes")
    going: defaultdict[str, list[Backup]] = defaultdict(list)
    for backup in doomed:
        going[backup.source_index_id].append(backup)
    run = _Run(client)
    for index_id, rows in going.items():
        if run.error is None:
            await run.delete(rows, newest[index_id])
    return run.report(decisions)


@attrs.define
class _Run:
    """The deletions so far. Errors are kept without tracebacks, whose frames would hold the run that holds them."""

    client: BackupsClient
    deleted: list[Backup] = attrs.field(factory=list[Backup])
    failed: list[tuple[Backup, BackupsError]] = attrs.field(factory=list[tuple[Backup, BackupsError]])
    error: BackupsError | None = None

    async def delete(self, rows: Iterable[Backup], newest: Backup) -> None:
        """Delete backups of one index if its newest Ready one is still Ready; note what stops the whole run."""
        trouble = await _trouble_with(self.client, newest)
        if isinstance(trouble, _STOPS):
            self.error = trouble
            return
        for backup in rows:
            if trouble is not None:
                self.failed.append((backup, trouble))
                continue
            try:
                await self.client.delete_backup(backup.backup_id, missing_ok=True)
            except BackupsError as error:
                self.failed.append((backup, error.with_traceback(None)))
                if isinstance(error, _STOPS):
                    self.error = error
                    return
            else:
                self.deleted.append(backup)

    def report(self, decisions: tuple[Decision, ...]) -> PruneReport:
        """Return what became of each backup."""
        touched = {backup.backup_id for backup in (*self.deleted, *(backup for backup, _ in self.failed))}
        return PruneReport(
            deleted=tuple(self.deleted),
            kept=tuple(each.backup for each in decisions if each.backup.backup_id not in touched),
            failed=tuple(self.failed),
            error=self.error,
            decisions=decisions,
            dry_run=False,
        )


async def _trouble_with(client: BackupsClient, newest: Backup) -> BackupsError | None:
    """Return why nothing may be deleted in an index; None if its newest Ready backup is still Ready."""
    try:
        current = await client.describe_backup(newest.backup_id)
    except BackupsError as error:
        return error.with_traceback(None)
    if current.outcome == "reached":
        return None
    return BackupsError(
        f"{newest.backup_id}, the newest Ready backup of the index, is {current.status} now: nothing was deleted"
    )
