"""inventory() while backups come and go: whatever it returns holds every backup that was there throughout, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import combinations, product

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinecone_backups_async import Backup, BackupPage, IncompleteListingError
from pinecone_backups_async._pager import FetchPage, prove_complete

Change = tuple[str, int, int]  # what, where, and for a move where to
Script = dict[int, Change]  # before which request it happens


def backup(backup_id: str) -> Backup:
    return Backup(
        backup_id=backup_id, source_index_name="i", source_index_id="1", status="Ready", cloud="aws", region="us-east-1"
    )


@attrs.define
class Project:
    """A listing that changes between two requests, and whose tokens are positions."""

    size: int
    script: Script
    now: list[str] = attrs.field(factory=lambda: ["a", "b", "c"])
    throughout: set[str] = attrs.field(factory=lambda: {"a", "b", "c"})
    requests: int = 0

    def change(self, what: str, where: int, to: int) -> None:
        if what == "insert":
            self.now.insert(min(where, len(self.now)), f"new{self.requests}")
        elif self.now:
            moved = self.now.pop(where % len(self.now))
            if what == "move":
                self.now.insert(min(to, len(self.now)), moved)
            else:
                self.throughout.discard(moved)

    async def fetch(self, token: str | None) -> BackupPage:
        if self.requests in self.script:
            self.change(*self.script[self.requests])
        self.requests += 1
        start = int(token or 0)
        rows = self.now[start : start + self.size]
        end = start + len(rows)
        more = end < len(self.now) or len(rows) == self.size
        return BackupPage(data=tuple(map(backup, rows)), next_token=str(end) if more and rows else None)


Rule = Callable[[FetchPage, int], Awaitable[list[Backup]]]


async def holds(rule: Rule, size: int, script: Script) -> bool | None:
    """Say whether what a rule returns holds every backup that was there throughout, once; None where it returns nothing."""
    project = Project(size, script)
    try:
        found = [item.backup_id for item in await rule(project.fetch, 5)]
    except IncompleteListingError:
        return None
    return project.throughout <= set(found) and len(found) == len(set(found))


async def two_equal_passes(fetch: FetchPage, max_passes: int) -> list[Backup]:
    """Return a pass that equals the one before it: the rule that looks right, and is not."""
    before: list[Backup] | None = None
    for _ in range(max_passes):
        current: dict[str, Backup] = {}
        token: str | None = None
        while True:
            page = await fetch(token)
            current |= {item.backup_id: item for item in page.data}
            token = page.next_token
            if token is None:
                break
        found = list(current.values())
        if found == before:
            return found
        before = found
    raise IncompleteListingError


CHANGES: list[Change] = [
    *(("insert", where, 0) for where in range(4)),
    *(("delete", where, 0) for where in range(3)),
    *(("move", where, to) for where in range(3) for to in range(3) if where != to),
]


def scripts(most: int, requests: int) -> Iterator[Script]:
    """Yield every way in which so many changes can fall before the first requests."""
    for number in range(most + 1):
        for moments in combinations(range(1, requests), number):
            for changes in product(CHANGES, repeat=number):
                yield dict(zip(moments, changes, strict=True))


def verdicts(rule: Rule, most: int, requests: int) -> dict[bool | None, int]:
    """Count the verdicts on a rule over all scripts and page sizes."""

    async def judge() -> dict[bool | None, int]:
        counts: dict[bool | None, int] = {True: 0, False: 0, None: 0}
        for size in (1, 2):
            for script in scripts(most, requests):
                counts[await holds(rule, size, script)] += 1
        return counts

    return asyncio.run(judge())


def test_every_short_script_of_changes_leaves_the_inventory_complete() -> None:
    counts = verdicts(prove_complete, most=2, requests=9)
    assert counts[False] == 0
    assert counts[True] > 5_000


@pytest.mark.soak
def test_so_does_every_script_of_three_changes() -> None:
    counts = verdicts(prove_complete, most=3, requests=8)
    assert counts[False] == 0
    assert counts[True] > 50_000


def test_two_equal_passes_would_prove_nothing() -> None:
    assert verdicts(two_equal_passes, most=3, requests=7)[False] > 0


changes = st.tuples(st.sampled_from(["insert", "delete", "move"]), st.integers(0, 6), st.integers(0, 6))


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 4), st.dictionaries(st.integers(1, 30), changes, max_size=12))
def test_nor_does_any_longer_one_break_it(size: int, script: Script) -> None:
    assert asyncio.run(holds(prove_complete, size, script)) is not False
