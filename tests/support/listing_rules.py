"""Ways to prove a listing complete: the client's own, and two that look right and are not."""

from __future__ import annotations

from typing import Any

from pinecone_backups_async import Backup, IncompleteListingError
from pinecone_backups_async._pager import (
    FetchPage,
    _walk_once,  # pyright: ignore[reportPrivateUsage]
    prove_complete,
)
from tests.support.churn_explorer import FIRST, Explorer, Listing, Rule


async def two_equal_passes(fetch: FetchPage, max_passes: int) -> list[Backup]:
    """Return a pass that equals the one before it: the rule that looks right, and is not."""
    before: list[Backup] | None = None
    for _ in range(max_passes):
        page = await fetch(None)
        current = list(page.data)
        while page.next_token is not None:
            page = await fetch(page.next_token)
            current += page.data
        if current == before:
            return current
        before = current
    raise IncompleteListingError


async def without_distinctness(fetch: FetchPage, max_passes: int) -> list[Backup]:
    """Return what prove_complete would, did it not care that an id came twice in a pass."""
    candidate: dict[str, Backup] | None = None
    for _ in range(max_passes):
        backups = (await _walk_once(fetch))[0]
        if candidate is not None and candidate.keys() <= backups.keys():
            return list(backups.values())
        candidate = backups
    raise IncompleteListingError


def state_of_a_proof(local: dict[str, dict[str, Any]], listing: Listing) -> object:
    """Return all that can change what a proof does next, or whether that is right.

    It compares ids for equality alone, so an id counts by its place in the listing and by what is known of it: whether it
    is one of the first, whether this pass has it, whether this pass must still find it. Of ids that are gone only their
    existence counts: one that must still be found never will be, one that this pass has spoils it for the next.
    """
    (rule,) = (found for name, found in local.items() if name in {"prove_complete", "without_distinctness"})
    candidate, ids, distinct = rule["candidate"], set(local["_walk_once"]["backups"]), local["_walk_once"]["distinct"]
    wanted = None if candidate is None else set(candidate) - ids
    if wanted is not None and wanted - set(listing):
        wanted = None
    known = tuple((name in FIRST, name in ids, wanted is not None and name in wanted) for name in listing)
    return rule["_"], wanted is None, distinct, bool(ids - set(listing)), known


def state_of_a_guess(local: dict[str, dict[str, Any]], listing: Listing) -> object:
    rule = local["two_equal_passes"]
    before, current = ([item.backup_id for item in rule.get(name) or ()] for name in ("before", "current"))
    return rule["_"], rule["before"] is None, tuple(before), tuple(current), listing


def explored(rule: Rule, most: int, page_size: int, *, eager: bool = False) -> dict[str, int]:
    """Count how a rule ends over all scripts of at most so many changes."""
    guess = rule is two_equal_passes
    return Explorer(rule, state_of_a_guess if guess else state_of_a_proof, page_size, eager, 3 if guess else 5).follow(
        most
    )


__all__ = ["explored", "prove_complete", "two_equal_passes", "without_distinctness"]
