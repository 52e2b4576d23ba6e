"""The one place that makes a call: an endpoint and its values become a request, its attempts, and a value or an error.

Knows the table of endpoints only as values that it is given. Checks the timeouts of a call and what its path needs.
"""

import logging
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, TypeVar

import attrs

from . import _arguments as checked
from ._errors import BackupsError, ResponseParsingError
from ._models import BackupPage, RestoreJobPage
from ._protocol import Endpoint, Protocol, Request, Response
from ._retry import Attempt, Limits, Retrier
from ._transport import SessionManager
from ._wall import walled

_log = logging.getLogger("pinecone_backups_async")
_RECORD = (
    "%(pinecone_method)s %(pinecone_path)s: status %(pinecone_status)s, error %(pinecone_error)s"
    " in %(pinecone_milliseconds).0f ms"
)
Timeout: TypeAlias = float | None
_Values: TypeAlias = Mapping[str, object]
_NONE: _Values = {}
_T = TypeVar("_T")
_Page = TypeVar("_Page", bound=BackupPage | RestoreJobPage)


@attrs.define(eq=False, repr=False)
class Calls:
    """Makes the calls of one client, whose own timeouts apply where a call has none."""

    _protocol: Protocol
    _session: SessionManager
    retrier: Retrier
    _timeout: float
    attempt_timeout: float

    def seconds(self, timeout: Timeout) -> float:
        """Return the seconds of a call: its argument, checked, or the client's own for None."""
        return self._timeout if timeout is None else checked.seconds("timeout", timeout)

    async def call(
        self, endpoint: Endpoint[_T], timeout: Timeout, attempt_timeout: Timeout, body: _Values = _NONE, **path: object
    ) -> _T:
        """Return what the service sends in response to one call, or raise the error."""
        return await self._prepared(endpoint, timeout, attempt_timeout, path)(_NONE, body)

    def fetcher(
        self, endpoint: Endpoint[_Page], timeout: Timeout, attempt_timeout: Timeout, query: _Values, **path: object
    ) -> Callable[[str | None], Awaitable[_Page]]:
        """Return a function that fetches the page of a token; its errors carry that token, to resume from.

        A token carries its page size, so with one the limit is left out; the rest of `query` is sent with every page.
        """
        call = self._prepared(endpoint, timeout, attempt_timeout, path)

        @walled
        async def fetch(token: str | None) -> _Page:
            try:
                if token is None:
                    return await call(query, _NONE)
                page = await call({**query, "limit": None, "paginationToken": token}, _NONE)
                if isinstance(page, BackupPage) and page.data_missing:
                    missing = "the response is not a page of backups: $.data is missing"
                    raise ResponseParsingError(missing, request_id=page.request_id, attempts=1)
                return page
            except BackupsError as error:
                error.pagination_token = token
                raise

        return fetch

    def _prepared(
        self, endpoint: Endpoint[_T], timeout: Timeout, attempt_timeout: Timeout, path: _Values
    ) -> Callable[[_Values, _Values], Awaitable[_T]]:
        """Check the values of a call; return the function that makes it, with a query and a body."""
        seconds, attempt = self.seconds(timeout), self.attempt_timeout
        if attempt_timeout is not None:
            attempt = checked.seconds("attempt_timeout", attempt_timeout)
        # Nothing may follow a POST once it is sent, so all the time that is left is its own.
        is_whole = attempt_timeout is None and not endpoint.repeatable
        limits = Limits(seconds, seconds if is_whole else attempt, attempt)
        segments = {name: checked.segment(name, value) for name, value in path.items()}

        async def make(query: _Values, body: _Values) -> _T:
            request = self._protocol.request(endpoint, segments, query, body)

            async def send(attempt: Attempt) -> _T:
                return self._protocol.read(endpoint, await self._sent(request, attempt))

            self._session.check_open()
            return await self.retrier.run(send, limits, endpoint)

        return make

    async def _sent(self, request: Request, attempt: Attempt) -> Response:
        """Send one attempt, and log one DEBUG record when it has ended, however it did."""
        start, response = time.monotonic(), None
        try:
            response = await self._session.send(request, attempt)
            return response
        finally:
            if _log.isEnabledFor(logging.DEBUG):
                facts = {
                    "pinecone_method": request.method,
                    "pinecone_path": request.url.partition("?")[0].removeprefix(self._protocol.base_url),
                    "pinecone_status": response and response.status,
                    "pinecone_error": None if response else type(sys.exception()).__name__,
                    "pinecone_milliseconds": (time.monotonic() - start) * 1000,
                    "pinecone_bytes": len(response.body) if response else 0,
                    "pinecone_request_id": response and self._protocol.request_id(response),
                }
                _log.debug(_RECORD, facts, extra=facts)
