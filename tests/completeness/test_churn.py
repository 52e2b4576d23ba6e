"""inventory() while backups come and go: what it returns holds every backup that was there throughout, each once."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinecone_backups_async import Backup, BackupPage, IncompleteListingError
from pinecone_backups_async._pager import prove_complete
from tests.support.churn_explorer import FIRST, FetchPage, after_one, explore, is_complete, page_of, state_of_a_proof

SHORT = [(2, size, eager) for size in (1, 2) for eager in (False, True)]
LONG = [(4, 1, False), (3, 1, True), (4, 2, False), (4, 2, True)]


@pytest.mark.parametrize(
    ("changes", "page_size", "eager"), [*SHORT, *(pytest.param(*script, marks=pytest.mark.soak) for script in LONG)]
)
def test_no_script_of_changes_hides_a_backup(changes: int, page_size: int, eager: bool) -> None:
    """Every script of at most so many insertions, deletions and moves is followed."""
    counts = explore(prove_complete, changes, page_size, eager=eager, state_of=state_of_a_proof)
    assert counts["short"] == 0
    assert counts["complete"] > 0
    assert counts["refused"] > 0


async def one_that_only_looks_right(fetch: FetchPage, max_passes: int, *, equal: bool) -> list[Backup]:
    """Prove by two equal passes, or by the client's own rule but for the demand that no id comes twice."""
    before: list[Backup] | None = None
    for _ in range(max_passes):
        page = await fetch(None)
        current = list(page.data)
        while page.next_token is not None:
            page = await fetch(page.next_token)
            current += page.data
        if before is not None and (current == before if equal else set(before) <= set(current)):
            return list(dict.fromkeys(current)) if not equal else current
        before = current
    raise IncompleteListingError


@pytest.mark.soak
@pytest.mark.parametrize("equal", [True, False])
def test_a_rule_that_proves_nothing_is_found_out(equal: bool) -> None:
    assert explore(partial(one_that_only_looks_right, equal=equal), changes=3, page_size=2, passes=3)["short"] > 0


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), st.booleans(), st.dictionaries(st.integers(1, 30), st.integers(0, 99), max_size=12))
def test_nor_does_a_longer_script(size: int, eager: bool, script: dict[int, int]) -> None:
    """It says before which request there is a change, and which one of all that are possible then."""
    listing, requests = FIRST, itertools.count()

    async def fetch(token: str | None) -> BackupPage:
        nonlocal listing
        number = next(requests)
        if number in script:
            changed = list(after_one(listing, f"new{number}"))
            listing = changed[script[number] % len(changed)]
        return page_of(listing, token, size, eager=eager)

    try:
        found = asyncio.run(prove_complete(fetch, 5))
    except IncompleteListingError:
        return
    assert is_complete([item.backup_id for item in found], listing)
