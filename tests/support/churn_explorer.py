"""Every script of changes at once: follow a rule that proves a listing complete through all that can happen to it.

The rule is the real coroutine, run again for each history of pages. Two histories that leave the project alike, and
that no rule of its kind can tell apart, have the same future, so only one of them is followed; `state_of` says which
are alike. Which backups were there throughout needs no book-keeping: a deleted one never returns, so they are the first
ones that are still there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import lru_cache
from typing import Any

from pinecone_backups_async import Backup, BackupPage, IncompleteListingError

FetchPage = Callable[[str | None], Awaitable[BackupPage]]
Listing = tuple[str, ...]
Rule = Callable[[FetchPage, int], Coroutine[Any, Any, list[Backup]]]
StateOf = Callable[[list[Listing], Listing, Listing], object]
FIRST: Listing = ("a", "b", "c")


@lru_cache
def backup(backup_id: str) -> Backup:
    return Backup(
        backup_id=backup_id, source_index_name="i", source_index_id="1", status="Ready", cloud="aws", region="us-east-1"
    )


def page_of(listing: Listing, token: str | None, size: int, *, eager: bool) -> BackupPage:
    """Return the page at a token, which is a position; `eager` says whether a full page that is the last has none."""
    start = int(token or 0)
    rows = listing[start : start + size]
    end = start + len(rows)
    more = end < len(listing) if eager else len(rows) == size
    return BackupPage(data=tuple(map(backup, rows)), next_token=str(end) if more else None)


def state_of_two_passes(passes: list[Listing], current: Listing, listing: Listing) -> object:
    """Return all that a rule which compares each pass with the one before it can know, whatever the rule."""
    return len(passes), passes[-1:], current, listing


def state_of_a_proof(passes: list[Listing], current: Listing, listing: Listing) -> object:
    """Return all that can change what a proof by distinct ids does next, or whether that is right.

    It compares ids for equality alone, so an id counts by its place in the listing and by what is known of it: whether
    it is one of the first, whether this pass has it, whether this pass must still find it. Of ids that are gone only
    their existence counts: one that must still be found never will be, one that this pass has spoils it for the next.
    """
    last, ids = passes[-1] if passes else (), set(current)
    wanted = set(last) - ids if passes and len(set(last)) == len(last) else None
    if wanted is not None and wanted - set(listing):
        wanted = None
    known = tuple((name in FIRST, name in ids, wanted is not None and name in wanted) for name in listing)
    return len(passes), wanted is None, len(ids) == len(current), bool(ids - set(listing)), known


class _Asked(BaseException):
    """The rule has asked for the page of a token that its history does not hold."""


def explore(
    rule: Rule, changes: int, page_size: int, *, eager: bool = False, passes: int = 5,
    state_of: StateOf = state_of_two_passes,
) -> Counter[str]:  # fmt: skip
    """Count how a rule ends over all scripts of at most so many changes: complete, short, refused; and the states."""
    ends = Counter[str]()
    ahead: list[tuple[Listing, int, tuple[BackupPage, ...]]] = [(FIRST, changes, ())]
    seen: set[object] = set()
    while ahead:
        listing, left, history = ahead.pop()
        try:
            ends[_end(rule, passes, history, listing)] += 1
        except _Asked as asked:
            (token,) = asked.args
            for now, rest in _changed(listing, left):
                state = repr((rest, token, state_of(*_passes(history), now)))
                if state not in seen:
                    seen.add(state)
                    ahead.append((now, rest, (*history, page_of(now, token, page_size, eager=eager))))
    return ends + Counter(states=len(seen))


def _end(rule: Rule, passes: int, history: tuple[BackupPage, ...], listing: Listing) -> str:
    """Return how a rule ends with the pages of a history, if it does."""
    pages = iter(history)

    async def fetch(token: str | None) -> BackupPage:
        page = next(pages, None)
        if page is None:
            raise _Asked(token)
        return page

    running = rule(fetch, passes)
    try:
        running.send(None)
    except StopIteration as ended:
        return "complete" if is_complete([item.backup_id for item in ended.value], listing) else "short"
    except IncompleteListingError:
        return "refused"
    raise AssertionError("it waits for something else than pages")


def is_complete(found: list[str], listing: Listing) -> bool:
    """Return whether every id of the first ones that is still listed was found, and none twice."""
    return set(FIRST) & set(listing) <= set(found) and len(found) == len(set(found))


def _passes(history: tuple[BackupPage, ...]) -> tuple[list[Listing], Listing]:
    """Return the ids of each pass that has ended, and those of the one that is under way."""
    passes: list[Listing] = []
    current: Listing = ()
    for page in history:
        current += tuple(item.backup_id for item in page.data)
        if page.next_token is None:
            passes.append(current)
            current = ()
    return passes, current


def _changed(listing: Listing, left: int) -> Iterator[tuple[Listing, int]]:
    """Yield what a listing can become before the next request, and how many changes are left then."""
    reached = {listing: left}
    ahead = [listing]
    for now in ahead:
        rest = reached[now]
        yield now, rest
        if rest:
            for following in after_one(now, f"n{5 - rest}"):
                if following not in reached:
                    reached[following] = rest - 1
                    ahead.append(following)


def after_one(listing: Listing, name: str) -> Iterator[Listing]:
    """Yield what one change makes of a listing; `name` is that of what is inserted."""
    for where in range(len(listing) + 1):
        yield (*listing[:where], name, *listing[where:])
    for where in range(len(listing)):
        others = (*listing[:where], *listing[where + 1 :])
        yield others
        for to in range(len(listing)):
            if to != where:
                yield (*others[:to], listing[where], *others[to:])
