"""The one place that makes a call: an endpoint and its values become a request, its attempts, and a value or an error.

Knows the table of endpoints only as values that it is given.
"""

import logging
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
_Values: TypeAlias = Mapping[str, object]
_NONE: _Values = {}
_T = TypeVar("_T")
_Page = TypeVar("_Page", bound=BackupPage | RestoreJobPage)


@attrs.define(eq=False, repr=False)
class Calls:
    """Makes the calls of one client."""

    _protocol: Protocol
    _session: SessionManager
    retrier: Retrier
    _defaults: Limits

    def limits(self, timeout: float | None, attempt_timeout: float | None) -> Limits:
        """Return the limits of a call: the arguments, checked, and the client's own if they are None."""
        limits = self._defaults
        if timeout is not None:
            limits = attrs.evolve(limits, timeout=checked.seconds("timeout", timeout))
        if attempt_timeout is not None:
            seconds = checked.seconds("attempt_timeout", attempt_timeout)
            limits = attrs.evolve(limits, attempt_timeout=seconds, attempt_timeout_given=True)
        return limits

    async def call(
        self,
        endpoint: Endpoint[_T],
        limits: Limits,
        path: _Values = _NONE,
        query: _Values = _NONE,
        body: _Values = _NONE,
    ) -> _T:
        """Return what the service sends in response to one call, or raise the error. `path` is checked."""
        segments = {name: checked.segment(name, value) for name, value in path.items()}
        request = self._protocol.request(endpoint, segments, query, body)

        async def send(attempt: Attempt) -> _T:
            return self._protocol.read(endpoint, await self._observed(request, attempt))

        self._session.check_open()
        return await self.retrier.run(send, limits, endpoint)

    def fetcher(
        self, endpoint: Endpoint[_Page], limits: Limits, size: int, path: _Values = _NONE, query: _Values = _NONE
    ) -> Callable[[str | None], Awaitable[_Page]]:
        """Return a function that fetches the page of a token; its errors carry that token, to resume from.

        A token carries its page size, so with one the limit is left out; what is in `query` is sent with every page.
        """

        @walled
        async def fetch(token: str | None) -> _Page:
            place: _Values = {"limit": size} if token is None else {"paginationToken": token}
            try:
                page = await self.call(endpoint, limits, path, query={**place, **query})
                if token is not None and isinstance(page, BackupPage) and page.data_missing:
                    problems = (("$.data", "required, but missing"),)
                    message = "the response is not a page of backups: $.data: required, but missing"
                    raise ResponseParsingError(message, problems=problems, request_id=page.request_id, attempts=1)
            except BackupsError as error:
                error.pagination_token = token
                raise
            return page

        return fetch

    async def _observed(self, request: Request, attempt: Attempt) -> Response:
        """Send one attempt, and log one DEBUG record about it unless it was cancelled."""
        start = time.monotonic()
        try:
            response = await self._session.send(request, attempt)
        except BackupsError as error:
            self._log(request, start, error)
            raise
        self._log(request, start, response)
        return response

    def _log(self, request: Request, start: float, result: Response | BackupsError) -> None:
        if not _log.isEnabledFor(logging.DEBUG):
            return
        milliseconds = (time.monotonic() - start) * 1000
        path = request.url.partition("?")[0].removeprefix(self._protocol.base_url)
        response, error = (result, None) if isinstance(result, Response) else (None, type(result).__name__)
        facts = {
            "pinecone_method": request.method,
            "pinecone_path": path,
            "pinecone_status": response and response.status,
            "pinecone_error": error,
            "pinecone_milliseconds": milliseconds,
            "pinecone_bytes": len(response.body) if response else 0,
            "pinecone_request_id": response and self._protocol.request_id(response),
        }
        what = facts["pinecone_status"] or error
        _log.debug("%s %s: %s in %.0f ms", request.method, path, what, milliseconds, extra=facts)
