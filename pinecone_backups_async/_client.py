"""BackupsClient: settings, lifetime, one method for each endpoint. Knows the rooms below and hands them the work."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

from ._arguments import MAX_LIMIT, checked_count, checked_limit, checked_seconds, checked_token
from ._errors import BackupsError
from ._pager import BackupPager, FetchPage, prove_complete
from ._protocol import BackupsProtocol
from ._retry import Retrier, RetryPolicy, checked_policy
from ._settings import (
    Secret,
    checked_api_key,
    checked_base_url,
    checked_headers,
    checked_proxy,
    checked_ssl_context,
    headers_from,
    text_from,
)
from ._transport import TRANSPORT, SessionManager

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    import aiohttp

    from ._models import Backup, BackupPage

__all__ = ["BackupsClient"]


class BackupsClient:
    """List the backups of a Pinecone project: `GET /backups` of API 2026-04.

    `api_key`, `base_url` and `additional_headers` come from PINECONE_API_KEY, PINECONE_CONTROLLER_HOST and
    PINECONE_ADDITIONAL_HEADERS (a JSON object) where they are None. `timeout` is how many seconds one page may take
    with all its attempts and waits, `attempt_timeout` one attempt. `proxy` is the URL of an HTTP proxy; the
    environment's proxies are not used. `connector` is borrowed, and never closed here.

    Can be made anywhere, also before a loop runs: the first request opens the connections. Use it with `async with`,
    or `await close()`. One client serves one event loop at a time, and any number of tasks in it. Raises
    ConfigurationError for a value that is not allowed.
    """

    # Slots, since tracemalloc loses where an object with a __dict__ was made, and a forgotten close tells that line.
    __slots__ = (
        "__weakref__",
        "_attempt_timeout",
        "_base_url",
        "_header_names",
        "_protocol",
        "_retrier",
        "_session",
        "_timeout",
    )

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = 60.0,
        attempt_timeout: float = 10.0,
        retry: RetryPolicy | None = None,
        additional_headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        connector: aiohttp.BaseConnector | None = None,
    ) -> None:
        # Wrapped before anything can raise: a traceback that shows local variables must not show these.
        key, api_key = Secret[object](text_from(os.environ, "PINECONE_API_KEY", api_key)), None
        headers = headers_from(os.environ, additional_headers)
        proxy_url, proxy, additional_headers = Secret(proxy), None, None
        policy = checked_policy(retry)
        self._timeout = checked_seconds("timeout", timeout)
        self._attempt_timeout = checked_seconds("attempt_timeout", attempt_timeout)
        self._base_url = checked_base_url(text_from(os.environ, "PINECONE_CONTROLLER_HOST", base_url))
        checked_proxy(proxy_url, self._base_url)
        checked_key = checked_api_key(key)
        additional = checked_headers(headers)
        self._header_names = sorted(additional)
        self._protocol = BackupsProtocol.at(self._base_url, checked_key, TRANSPORT, additional)
        self._session = SessionManager(
            base_url=self._base_url,
            api_key=checked_key,
            proxy=proxy_url,
            ssl_context=checked_ssl_context(ssl_context, connector),
            connector=connector,
        )
        self._retrier = Retrier(policy, self._session.pause)

    def list_backups(
        self,
        *,
        limit: int | None = None,
        pagination_token: str | None = None,
        max_items: int | None = None,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
    ) -> BackupPager:
        """Return the listing of all backups, for `async for`; no request is sent yet.

        `limit` is the page size, 1 to 100, and None asks for 100, the fewest requests; a `pagination_token` carries
        its own page size, so with one `limit` has no effect. `max_items` ends the walk after that many backups, and no
        page is asked to be larger. The
        timeouts, in seconds, take the place of the client's; they bound each page, so for a whole walk use
        asyncio.timeout. Mirrors the parameters of `list_project_backups`. Raises ConfigurationError here; iterating
        raises what `fetch_page` does, and PaginationLoopError.
        """
        size = checked_limit(limit) or MAX_LIMIT
        if max_items is not None:
            max_items = checked_count("max_items", max_items, least=0)
            size = max(1, min(size, max_items))  # a first page that is cut short would have no token to resume from
        fetch = self._fetcher(size, timeout, attempt_timeout)
        return BackupPager(fetch, pagination_token=checked_token(pagination_token), max_items=max_items)

    async def fetch_page(
        self,
        *,
        limit: int | None = None,
        pagination_token: str | None = None,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
    ) -> BackupPage:
        """Return exactly one page, with the token of the next one; for handlers that page for their own callers.

        The arguments are those of `list_backups`. Raises ConfigurationError, ClientClosedError, TransportError (no
        complete answer), ApiError (an answer that is an error), ResponseParsingError (a 200 that is no page); see
        `BackupsError` for what these tell.
        """
        fetch = self._fetcher(checked_limit(limit) or MAX_LIMIT, timeout, attempt_timeout)
        return await fetch(checked_token(pagination_token))

    async def inventory(
        self,
        *,
        max_passes: int = 5,
        limit: int | None = None,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
    ) -> list[Backup]:
        """Return all backups of the project, proven complete, also while others come and go; each one once.

        The listing is walked until two passes in a row prove that nothing was missed: at least twice, at most
        `max_passes` times. What is returned holds every backup that existed throughout. Raises IncompleteListingError
        where the proof fails, and what `fetch_page` does.
        """
        checked_count("max_passes", max_passes, least=2)
        return await prove_complete(
            self._fetcher(checked_limit(limit) or MAX_LIMIT, timeout, attempt_timeout), max_passes
        )

    def _fetcher(self, limit: int, timeout: float | None, attempt_timeout: float | None) -> FetchPage:
        for_page = self._timeout if timeout is None else checked_seconds("timeout", timeout)
        for_attempt = (
            self._attempt_timeout if attempt_timeout is None else checked_seconds("attempt_timeout", attempt_timeout)
        )

        async def fetch(pagination_token: str | None) -> BackupPage:
            request = self._protocol.request(limit=limit, pagination_token=pagination_token)

            async def attempt(seconds: float, unpooled: bool) -> BackupPage:  # noqa: FBT001
                # Straight from one to the other: an answer may echo the key, so no local variable keeps it.
                return self._protocol.read(
                    request, *await self._session.send(request, seconds=seconds, unpooled=unpooled)
                )

            try:
                self._session.check_open()
                return await self._retrier.run(attempt, timeout=for_page, attempt_timeout=for_attempt)
            except BackupsError as error:
                error.pagination_token = pagination_token
                raise

        return fetch

    async def close(self) -> None:
        """Close the connections; calls under way end with ClientClosedError. Closing twice is fine."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_session"):  # a traceback with locals asks for this while __init__ raises
            return "<BackupsClient, not configured>"
        state = ", closed" if self._session.closed else ""
        return f"<BackupsClient {self._base_url}, additional headers: {self._header_names}{state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a BackupsClient cannot be pickled or copied: make one where it is needed")

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if hasattr(self, "_session") and self._session.abandon():
            _warn(f"unclosed {self!r}: use `async with`, or await close()", ResourceWarning, source=self)
