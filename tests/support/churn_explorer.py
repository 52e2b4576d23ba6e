"""Every script of changes at once: follow a rule that proves a listing complete through all that can happen to it.

The rule is the real coroutine, run again for each history. Two histories that leave the project and the coroutine's own
state alike have the same future, so only one of them is followed; `state_of` says which are alike, from the coroutine's
local variables and the listing. Which backups were there throughout needs no book-keeping: a deleted one never returns,
so they are the first ones that are still there.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import attrs

from pinecone_backups_async import Backup, BackupPage, IncompleteListingError
from pinecone_backups_async._pager import FetchPage

Listing = tuple[str, ...]
Rule = Callable[[FetchPage, int], Coroutine[Any, Any, list[Backup]]]
FIRST: Listing = ("a", "b", "c")


def backup(backup_id: str) -> Backup:
    return Backup(
        backup_id=backup_id, source_index_name="i", source_index_id="1", status="Ready", cloud="aws", region="us-east-1"
    )


BACKUPS = {name: backup(name) for name in (*FIRST, "n1", "n2", "n3", "n4")}


class _Asked(BaseException):
    """The rule has asked for a page that its history does not hold."""

    def __init__(self, token: str | None) -> None:
        self.token = token


@attrs.define
class Explorer:
    """Follow a rule; `eager` says whether a service sends no token where a full page is the last."""

    rule: Rule
    state_of: Callable[[dict[str, dict[str, Any]], Listing], object]
    page_size: int
    eager: bool
    passes: int = 5
    counts: dict[str, int] = attrs.field(factory=lambda: {"complete": 0, "short": 0, "refused": 0, "requests": 0})

    def follow(self, changes: int) -> dict[str, int]:
        """Count how the rule ends over all scripts of at most so many changes."""
        ahead: list[tuple[Listing, int, tuple[BackupPage, ...]]] = [(FIRST, changes, ())]
        seen: set[object] = set()
        while ahead:
            listing, left, history = ahead.pop()
            asked = self._ask(history, listing)
            if asked is None:
                continue
            local = locals_of(asked)
            for now, rest in _changed(listing, left):
                state = (rest, asked.token, self.state_of(local, now))
                if state not in seen:
                    seen.add(state)
                    self.counts["requests"] += 1
                    ahead.append((now, rest, (*history, self._page(now, asked.token))))
        return self.counts

    def _page(self, listing: Listing, token: str | None) -> BackupPage:
        start = int(token or 0)
        rows = listing[start : start + self.page_size]
        behind = start + len(rows) < len(listing)
        more = behind if self.eager else len(rows) == self.page_size
        return BackupPage(
            data=tuple(BACKUPS[name] for name in rows), next_token=str(start + len(rows)) if more else None
        )

    def _ask(self, history: tuple[BackupPage, ...], listing: Listing) -> _Asked | None:
        """Replay a history; return what the rule asks for next, or None where it ended."""
        pages = iter(history)

        async def fetch(token: str | None) -> BackupPage:
            page = next(pages, None)
            if page is None:
                raise _Asked(token)
            return page

        running = self.rule(fetch, self.passes)
        try:
            running.send(None)
        except StopIteration as ended:
            found = [item.backup_id for item in ended.value]
            whole = set(FIRST) & set(listing) <= set(found) and len(found) == len(set(found))
            self.counts["complete" if whole else "short"] += 1
        except IncompleteListingError:
            self.counts["refused"] += 1
        except _Asked as asked:
            return asked
        return None


def _changed(listing: Listing, left: int) -> Iterator[tuple[Listing, int]]:
    """Yield what a listing can become before the next request, and how many changes are left then."""
    reached = {listing: left}
    ahead = [listing]
    for now in ahead:
        rest = reached[now]
        yield now, rest
        if rest:
            for following in _after_one(now, f"n{5 - rest}"):
                if following not in reached:
                    reached[following] = rest - 1
                    ahead.append(following)


def _after_one(listing: Listing, name: str) -> Iterator[Listing]:
    for where in range(len(listing) + 1):
        yield (*listing[:where], name, *listing[where:])
    for where in range(len(listing)):
        others = (*listing[:where], *listing[where + 1 :])
        yield others
        for to in range(len(listing)):
            if to != where:
                yield (*others[:to], listing[where], *others[to:])


def locals_of(asked: BaseException) -> dict[str, dict[str, Any]]:
    """Return the local variables that an exception has passed on its way, by function."""
    found: dict[str, dict[str, Any]] = {}
    trace = asked.__traceback__
    while trace is not None:
        found[trace.tb_frame.f_code.co_name] = dict(trace.tb_frame.f_locals)
        trace = trace.tb_next
    return found
