"""What can go wrong. Errors hold facts, print in one line, and survive pickle and copy; none of them holds the key.

BackupsError
+- ConfigurationError (ValueError)      a bad argument or setting, found before any request
+- ClientClosedError (RuntimeError)     the client was closed
+- TransportError                       no complete answer
|  +- TransportTimeoutError (TimeoutError)
|  +- TLSError                          the peer is not who it should be; never retried
+- ApiError                             any other status than 200
|  +- InvalidRequestError 400 422      UnauthorizedError 401     ForbiddenError 403       NotFoundError 404
|  +- RateLimitError 429               ServiceError 5xx          UnexpectedRedirectError 300-399
+- ResponseParsingError                 a 200 that is not a page
|  +- ResponseTooLargeError            PaginationLoopError
+- IncompleteListingError               a listing that could not be proven complete
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._models import Backup

__all__ = [
    "ApiError",
    "BackupsError",
    "ClientClosedError",
    "ConfigurationError",
    "ForbiddenError",
    "IncompleteListingError",
    "InvalidRequestError",
    "NotFoundError",
    "PaginationLoopError",
    "RateLimitError",
    "ResponseParsingError",
    "ResponseTooLargeError",
    "ServiceError",
    "TLSError",
    "TransportError",
    "TransportTimeoutError",
    "UnauthorizedError",
    "UnexpectedRedirectError",
]


class BackupsError(Exception):
    """Base of all errors of this package; only misuse, such as two tasks on one walk, is a bare RuntimeError.

    `attempts` counts the requests that were sent for the page that failed; `pagination_token` is that page's own
    token: pass it to `list_backups` to go on where the listing failed (None: from the beginning).
    """

    # The facts live in __dict__ and the message in args, which is what pickle and copy carry over without help.
    def __init__(self, message: str = "", *, attempts: int = 0, pagination_token: str | None = None) -> None:
        super().__init__(message)
        self.attempts = attempts
        self.pagination_token = pagination_token

    def __str__(self) -> str:
        tried = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.args[0] if self.args else ''}{tried}"


class ConfigurationError(BackupsError, ValueError):
    """An argument or a setting is not allowed; the message names it and says what is. Raised before any request."""


class ClientClosedError(BackupsError, RuntimeError):
    """The client was closed before or during the call."""


class TransportError(BackupsError):
    """No complete answer came back: no connection, a broken one, or bytes that are not HTTP.

    `status` is set only where a proxy refused the tunnel: then it is the proxy's status.
    """

    def __init__(self, message: str = "", *, status: int | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.status = status


class TransportTimeoutError(TransportError, TimeoutError):
    """No complete answer came back in time."""


class TLSError(TransportError):
    """The TLS handshake failed, as with a certificate that is not trusted. Never retried; nothing was sent."""


class _AnsweredError(BackupsError):
    """An error that an answer caused; it prints the request id first."""

    def __init__(self, message: str = "", *, request_id: str | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.request_id = request_id

    def __str__(self) -> str:
        return super().__str__() if self.request_id is None else f"[{self.request_id}] {super().__str__()}"


class ApiError(_AnsweredError):
    """The service answered with an error: any status but 200, or an error object under status 200.

    `status` is the HTTP status; `code` (see `ErrorCode`), `message` and `details` are those of the specification's
    `ErrorResponse`, as far as the body had them; `retry_after` is in seconds, None where the header was absent or
    unusable.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        code: str | None = None,
        details: Any = None,
        retry_after: float | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def __str__(self) -> str:
        facts = f"{self.status} {self.code}" if self.code is not None else f"{self.status}"
        request_id = "" if self.request_id is None else f"[{self.request_id}] "
        return f"{request_id}{facts}: {BackupsError.__str__(self)}"


class InvalidRequestError(ApiError):
    """The service refused the request itself (400, 422), for instance a pagination token that it cannot read."""


class UnauthorizedError(ApiError):
    """The API key was refused (401)."""


class ForbiddenError(ApiError):
    """The API key is valid but may not list backups (403)."""


class NotFoundError(ApiError):
    """There is no such endpoint at this base URL (404)."""


class RateLimitError(ApiError):
    """Too many requests, or a quota is used up (429)."""


class ServiceError(ApiError):
    """The service failed (5xx), or said UNAVAILABLE under status 200."""


class UnexpectedRedirectError(ApiError):
    """The service answered with a redirect (300-399). It was not followed: the key stays with the configured origin."""


class ResponseParsingError(_AnsweredError):
    """A 200 whose body is not a page of backups.

    `problems` are (path, reason) pairs, such as `("$.data[3].region", "expected str, got null")`; `excerpt` is
    the beginning of the body, at most 500 characters; `decoded` says whether the body was JSON at all (only one that
    was not is retried).
    """

    def __init__(
        self,
        message: str = "",
        *,
        problems: Sequence[tuple[str, str]] = (),
        excerpt: str = "",
        decoded: bool = True,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.problems: tuple[tuple[str, str], ...] = tuple(problems)
        self.excerpt = excerpt
        self.decoded = decoded


class ResponseTooLargeError(ResponseParsingError):
    """A body of more than 8 MiB, decompressed, of more than 100,000 values, or of more than 1,000 backups. Not retried.

    Reading and decoding stop there, so that no answer fills the memory or holds the event loop.
    """


class PaginationLoopError(ResponseParsingError):
    """The service keeps sending pages without an end: a token came back a second time, or nothing new arrives."""


class IncompleteListingError(BackupsError):
    """The inventory could not be proven complete, since backups came and went during every pass.

    `backups` are all that were seen in any of the `passes`: possibly too many or too few, so never a basis for a
    verdict.
    """

    def __init__(self, message: str = "", *, backups: Sequence[Backup] = (), passes: int = 0, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.backups: tuple[Backup, ...] = tuple(backups)
        self.passes = passes
