"""Tokens into pages, pages into backups: walks that end, repeat nothing and keep their place; the inventory's proof.

Knows pages and a function that fetches one by its token; knows no HTTP, no retry, no time.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import blake2b
from typing import Final

import attrs

from ._errors import IncompleteListingError, PaginationLoopError
from ._models import Backup, BackupPage

__all__ = ["BackupPager", "FetchPage", "prove_complete"]

FetchPage = Callable[[str | None], Awaitable[BackupPage]]
MAX_BARREN_PAGES: Final = 10_000
_log = logging.getLogger("pinecone_backups_async")


class BackupPager:
    """A listing that has not begun: iterate it for backups, `pages()` for pages, `to_list()` for all at once.

    Each iteration is a walk of its own, from the beginning; the pager has no state. A walk yields each `backup_id`
    once, and keeps its place: after an error, a timeout or a cancellation the next `anext` on the same iterator goes
    on where it stood. A backup that is deleted while a walk is under way can hide another one from it;
    `BackupsClient.inventory` rules that out.
    """

    def __init__(self, fetch: FetchPage, *, pagination_token: str | None = None, max_items: int | None = None) -> None:
        self._fetch = fetch
        self._token = pagination_token
        self._max_items = max_items

    def __aiter__(self) -> AsyncIterator[Backup]:
        """Start a walk over the backups; it raises what `BackupsClient.fetch_page` does, and PaginationLoopError."""
        return _BackupWalk(_PageWalk(self._fetch, self._token, self._max_items))

    def pages(self) -> AsyncIterator[BackupPage]:
        """Start a walk over the pages, with each backup in the first page that brought it.

        A later walk goes on behind a page at `pagination_token=page.next_token`. A page that `max_items` cut short
        has the token of its own request instead, so that a walk from there reads it again rather than miss its rest.
        """
        return _PageWalk(self._fetch, self._token, self._max_items)

    async def to_list(self) -> list[Backup]:
        """Return all backups of one walk, or raise: never a part of them."""
        return [backup async for backup in self]


class _RawWalk:
    """Follow the tokens from page to page, refusing to go in circles."""

    def __init__(self, fetch: FetchPage, token: str | None) -> None:
        self._fetch = fetch
        self._token = token
        self._tokens_used: set[bytes] = set()
        self._ids: set[str] = set()
        self._barren = 0
        self._busy = False
        self._request_id: str | None = None
        self.pages = 0
        self.ended = False

    async def step(self) -> tuple[BackupPage, list[Backup]]:
        """Return the next page and those of its backups that no page before had."""
        if self._busy:
            raise RuntimeError("two tasks iterate one walk: give each a walk of its own")
        self._check_progress()
        self._busy = True
        try:
            page = await self._fetch(self._token)
        finally:
            self._busy = False
        return page, self._advance(page)

    def _check_progress(self) -> None:
        complaint = None
        if self._token is not None and _digest(self._token) in self._tokens_used:
            complaint = "the service sent a pagination token for the second time"
        elif self._barren >= MAX_BARREN_PAGES:
            complaint = f"{MAX_BARREN_PAGES} pages in a row brought nothing new"
        if complaint is not None:
            raise PaginationLoopError(complaint, pagination_token=self._token, request_id=self._request_id)

    def _advance(self, page: BackupPage) -> list[Backup]:
        if self._token is not None:
            self._tokens_used.add(_digest(self._token))
        fresh: list[Backup] = []
        for backup in page.data:
            if backup.backup_id not in self._ids:
                self._ids.add(backup.backup_id)
                fresh.append(backup)
        self._barren = 0 if fresh else self._barren + 1
        self._token, self._request_id = page.next_token, page.request_id
        self.pages += 1
        if page.next_token is None:
            self.end()
        return fresh

    def end(self) -> None:
        """Be over, because the listing is, or because nobody wants more of it."""
        self.ended = True
        _log.debug("a walk ended: %d backups in %d pages", len(self._ids), self.pages)


class _PageWalk(AsyncIterator[BackupPage]):
    def __init__(self, fetch: FetchPage, token: str | None, max_items: int | None) -> None:
        self._walk = _RawWalk(fetch, token)
        self._token = token
        self._left = max_items

    async def __anext__(self) -> BackupPage:
        if self._walk.ended or self._left == 0:
            raise StopAsyncIteration
        page, fresh = await self._walk.step()
        own_token, self._token = self._token, page.next_token
        next_token = page.next_token
        if self._left is not None:
            if len(fresh) > self._left:
                next_token = own_token
            fresh = fresh[: self._left]
            self._left -= len(fresh)
            if self._left == 0 and not self._walk.ended:
                self._walk.end()
        if len(fresh) == len(page.data):
            return page
        return attrs.evolve(page, data=tuple(fresh), next_token=next_token)


class _BackupWalk(AsyncIterator[Backup]):
    def __init__(self, pages: _PageWalk) -> None:
        self._pages = pages
        self._ready: deque[Backup] = deque()

    async def __anext__(self) -> Backup:
        while not self._ready:
            self._ready.extend((await anext(self._pages)).data)
        return self._ready.popleft()


def _digest(token: str) -> bytes:
    return blake2b(token.encode(), digest_size=16).digest()


async def _walk_once(fetch: FetchPage) -> tuple[dict[str, Backup], bool]:
    """Return the backups of one pass, and whether no id came twice in its rows."""
    walk = _RawWalk(fetch, None)
    backups: dict[str, Backup] = {}
    distinct = True
    while not walk.ended:
        page, fresh = await walk.step()
        distinct = distinct and len(fresh) == len(page.data)
        backups.update((backup.backup_id, backup) for backup in page.data)
    return backups, distinct


async def prove_complete(fetch: FetchPage, max_passes: int) -> list[Backup]:
    """Return every backup of the project, or raise IncompleteListingError where no two passes in a row prove that.

    A pass A is exact, the very set that existed at its last request, when no id came twice in its rows and the next
    pass B still holds every id of A. At A's last request its position equals the number of rows that it returned.
    These are distinct, all of them still exist, and none stands at or behind the position, or the last page would
    have returned it again. So they fill every place before the position, and nothing can hide there. B's backups are
    returned: a superset of A, and fresher. Two equal passes would prove nothing.
    """
    seen: dict[str, Backup] = {}
    candidate: dict[str, Backup] | None = None
    for _ in range(max_passes):
        backups, distinct = await _walk_once(fetch)
        if candidate is not None and candidate.keys() <= backups.keys():
            return list(backups.values())
        candidate = backups if distinct else None
        seen.update(backups)
    raise IncompleteListingError(
        f"the listing could not be proven complete: it changed, or repeated itself, in {max_passes} passes",
        backups=list(seen.values()),
        passes=max_passes,
    )
