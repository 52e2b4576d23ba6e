"""inventory() while backups come and go: whatever it returns holds every backup that was there throughout, each once."""

from __future__ import annotations

import asyncio

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinecone_backups_async import BackupPage, IncompleteListingError
from tests.support.churn_explorer import FIRST, Rule, backup
from tests.support.listing_rules import explored, prove_complete, two_equal_passes, without_distinctness


@pytest.mark.parametrize(
    ("most", "page_size", "eager"),
    [
        *((2, page_size, eager) for page_size in (1, 2) for eager in (False, True)),
        *(
            pytest.param(*script, marks=pytest.mark.soak)
            for script in ((4, 1, False), (3, 1, True), (4, 2, False), (4, 2, True))
        ),
    ],
)
def test_no_script_of_changes_makes_the_inventory_miss_a_backup(most: int, page_size: int, eager: bool) -> None:
    counts = explored(prove_complete, most, page_size, eager=eager)
    assert counts["short"] == 0
    assert counts["complete"] > 0
    assert counts["refused"] > 0


@pytest.mark.parametrize("rule", [two_equal_passes, without_distinctness])
def test_a_rule_that_proves_nothing_is_found_out(rule: Rule) -> None:
    assert explored(rule, most=3, page_size=2)["short"] > 0


Change = tuple[str, int, int]  # what, where, and for a move where to


@attrs.define
class Project:
    """A listing that changes between two requests, and whose tokens are positions."""

    size: int
    script: dict[int, Change]  # before which request each change happens
    now: list[str] = attrs.field(factory=lambda: list(FIRST))
    throughout: set[str] = attrs.field(factory=lambda: set(FIRST))
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


changes = st.tuples(st.sampled_from(["insert", "delete", "move"]), st.integers(0, 6), st.integers(0, 6))


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 4), st.dictionaries(st.integers(1, 30), changes, max_size=12))
def test_nor_does_any_longer_one(size: int, script: dict[int, Change]) -> None:
    project = Project(size, script)
    try:
        found = [item.backup_id for item in asyncio.run(prove_complete(project.fetch, 5))]
    except IncompleteListingError:
        return
    assert project.throughout <= set(found)
    assert len(found) == len(set(found))
