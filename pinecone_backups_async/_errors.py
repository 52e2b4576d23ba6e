"""The errors of this package. They have facts, print in one line, and can be pickled and copied; none has the key.

BackupsError
+- ConfigurationError (ValueError)      an argument or a setting is not allowed; nothing was sent
+- ClientClosedError (RuntimeError)     the client was closed
+- TransportError                       no complete response arrived
|  +- TransportTimeoutError (TimeoutError)
|  +- TLSError                          the certificate or the handshake failed; never retried
+- ApiError                             the service answered with an error
|  +- InvalidRequestError 400 422       UnauthorizedError 401       PaymentRequiredError 402
|  +- ForbiddenError 403                NotFoundError 404           ConflictError 409
|  +- FailedPreconditionError 412       RateLimitError 429          ServiceError 5xx
|  +- UnexpectedRedirectError 300-399
+- ResponseParsingError                 a successful response whose body is invalid
|  +- ResponseTooLargeError             PaginationLoopError
+- IncompleteListingError               a listing that could not be proven complete
+- WaitFailedError                      the operation of a wait has failed
+- WaitTimeoutError (TimeoutError)      the operation of a wait did not finish in time
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ._models import Backup, RestoreJob

#: The class of an error status, if it has one of its own; each class names its statuses.
CLASS_OF_STATUS: Final[dict[int, type[ApiError]]] = {}


class ErrorCode(StrEnum):
    """The error codes that are known today; `ApiError.code` is an open string and may hold others."""

    OK = "OK"
    UNKNOWN = "UNKNOWN"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    DATA_LOSS = "DATA_LOSS"
    FORBIDDEN = "FORBIDDEN"
    UNPROCESSABLE_ENTITY = "UNPROCESSABLE_ENTITY"
    PAYMENT_REQUIRED = "PAYMENT_REQUIRED"


class BackupsError(Exception):
    """Base of all errors of this package. Only misuse, such as two tasks on one iterator, is a bare RuntimeError.

    Each fact is an attribute with a default on the class, and a keyword of the constructor.
    """

    #: How many requests were sent for the call that failed.
    attempts: int = 0
    #: The token of the page that failed: pass it to `list_backups` to resume there (None: from the beginning).
    pagination_token: str | None = None
    #: True if a write may have taken effect although it failed. Always False for a call that only reads.
    outcome_unknown: bool = False

    # The facts live in __dict__ and the message in args: pickle and copy carry both over without help.
    def __init__(self, message: str = "", **facts: Any) -> None:
        super().__init__(message)
        for name, value in facts.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no fact named {name}")
            setattr(self, name, tuple(value) if isinstance(getattr(type(self), name), tuple) else value)

    def __str__(self) -> str:
        attempts = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        outcome = " (the outcome is unknown: it may have happened)" if self.outcome_unknown else ""
        return f"{self.args[0]}{attempts}{outcome}"


class ConfigurationError(BackupsError, ValueError):
    """An argument or a setting is not allowed; the message names it and says what is. Raised before any request."""

    #: The name of the argument or the setting, such as `limit` or `api_key`.
    argument: str | None = None


class ClientClosedError(BackupsError, RuntimeError):
    """The client was closed before or during the call."""


class TransportError(BackupsError):
    """No complete response arrived: no connection, a broken one, or bytes that are not HTTP."""

    #: The proxy's status if a proxy refused the tunnel, else None.
    status: int | None = None
    #: Whether the request may have reached the service.
    sent: bool = False


class TransportTimeoutError(TransportError, TimeoutError):
    """No complete response arrived in time."""


class TLSError(TransportError):
    """The TLS handshake failed, for instance because the certificate is not trusted. Never retried."""


class _ResponseError(BackupsError):
    """An error that a response caused; it prints the request id first."""

    #: The service's id of the request, for its support.
    request_id: str | None = None

    def __str__(self) -> str:
        return super().__str__() if self.request_id is None else f"[{self.request_id}] {super().__str__()}"


class ApiError(_ResponseError):
    """The service responded with an error: an unexpected status, or an error object with status 200.

    `code` (see `ErrorCode`), `message` and `details` are those of the specification's `ErrorResponse`, as far as the
    body had them.
    """

    def __init_subclass__(cls, statuses: range | tuple[int, ...] = ()) -> None:
        CLASS_OF_STATUS.update(dict.fromkeys(statuses, cls))

    #: The HTTP status.
    status: int = 0
    #: The code of the error object, such as `NOT_FOUND`; an open string.
    code: str | None = None
    #: The details of the error object; None if the response is larger than 8 KiB or has a secret in it.
    details: Any = None
    #: The seconds of the Retry-After header; None if it was absent or unusable.
    retry_after: float | None = None

    @property
    def message(self) -> str:
        """Return the service's message."""
        return str(self.args[0])

    def __str__(self) -> str:
        request_id = "" if self.request_id is None else f"[{self.request_id}] "
        code = "" if self.code is None else f" {self.code}"
        return f"{request_id}{self.status}{code}: {BackupsError.__str__(self)}"


class InvalidRequestError(ApiError, statuses=(400, 422)):
    """The service refused the request itself (400, 422), for instance a pagination token that it cannot read."""


class UnauthorizedError(ApiError, statuses=(401,)):
    """The service refused the API key (401)."""

    #: Where the key came from: `the argument api_key` or `PINECONE_API_KEY`.
    key_source: str | None = None

    def __str__(self) -> str:
        return super().__str__() + (f" (the key came from {self.key_source})" if self.key_source else "")


class PaymentRequiredError(ApiError, statuses=(402,)):
    """The account has an unpaid bill (402)."""


class ForbiddenError(ApiError, statuses=(403,)):
    """The API key is valid, but the plan, a quota or the key's permissions do not allow the call (403)."""


class NotFoundError(ApiError, statuses=(404,)):
    """The index, the backup or the restore job does not exist (404)."""


class ConflictError(ApiError, statuses=(409,)):
    """The name is taken (409)."""


class FailedPreconditionError(ApiError, statuses=(412,)):
    """The backup is not in a state that allows the call (412): not Ready, or in use by restore jobs."""


class RateLimitError(ApiError, statuses=(429,)):
    """Too many requests, or a quota is used up (429)."""


class ServiceError(ApiError, statuses=range(500, 600)):
    """The service failed (5xx), or sent the code UNAVAILABLE with status 200."""


class UnexpectedRedirectError(ApiError, statuses=range(300, 400)):
    """The service responded with a redirect (300-399). It is not followed: the key would be sent to another host."""


class ResponseParsingError(_ResponseError):
    """A successful response has an invalid body."""

    #: Pairs of path and reason, such as `("$.data[3].region", "expected str, got null")`.
    problems: tuple[tuple[str, str], ...] = ()
    #: The beginning of the body, at most 500 characters.
    excerpt: str = ""
    #: Whether the body was JSON at all. Only one that was not is retried.
    decoded: bool = True


class ResponseTooLargeError(ResponseParsingError):
    """A response exceeds a limit: its size, its number of values, or its number of rows. Not retried.

    Reading and decoding stop at the limit, so that no response fills the memory or blocks the event loop.
    """


class PaginationLoopError(ResponseParsingError):
    """The service sends pages without end: it repeats a token, or its pages have nothing new."""


class IncompleteListingError(BackupsError):
    """The inventory could not be proven complete."""

    #: All backups seen in any pass. There may be too many or too few, so do not decide anything by them.
    backups: tuple[Backup, ...] = ()
    #: How many times the listing was read.
    passes: int = 0


class WaitFailedError(BackupsError):
    """The operation that a wait was for has failed."""

    #: What the service reported last.
    last: Backup | RestoreJob | None = None


class WaitTimeoutError(BackupsError, TimeoutError):
    """The operation that a wait was for did not finish in time. It may still finish."""

    #: What the service reported last; None if nothing was seen.
    last: Backup | RestoreJob | None = None
