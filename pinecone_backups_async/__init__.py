"""An asyncio client for the backups of a Pinecone project.

async with BackupsClient() as client:
    async for backup in client.list_backups():
        ...

Errors and models are imported at once. The names that need aiohttp are imported when they are first asked for, which
`from pinecone_backups_async import BackupsClient` does at the top of a module.
"""

# fmt: off
# isort: off
from typing import TYPE_CHECKING, Any

from ._errors import (
    ApiError, BackupsError, ClientClosedError, ConfigurationError, ConflictError, FailedPreconditionError,
    ForbiddenError, IncompleteListingError, InvalidRequestError, NotFoundError, PaginationLoopError,
    PaymentRequiredError, RateLimitError, ResponseParsingError, ResponseTooLargeError, ServiceError, TLSError,
    TransportError, TransportTimeoutError, UnauthorizedError, UnexpectedRedirectError, WaitFailedError,
    WaitTimeoutError,
)
from ._models import (
    Backup, BackupPage, Index, MetadataField, MetadataSchema, RestoreJob, RestoreJobPage, RestoreReceipt,
)
from ._statuses import BackupStatus, ErrorCode, Metric, RestoreStatus
from ._version import __version__

if TYPE_CHECKING:
    from ._client import BackupsClient
    from ._pager import BackupPager, RestoreJobPager
    from ._policy import RetryPolicy

__all__ = [
    "ApiError", "Backup", "BackupPage", "BackupPager", "BackupStatus", "BackupsClient", "BackupsError",
    "ClientClosedError", "ConfigurationError", "ConflictError", "ErrorCode", "FailedPreconditionError",
    "ForbiddenError", "IncompleteListingError", "Index", "InvalidRequestError", "MetadataField", "MetadataSchema",
    "Metric", "NotFoundError", "PaginationLoopError", "PaymentRequiredError", "RateLimitError",
    "ResponseParsingError", "ResponseTooLargeError", "RestoreJob", "RestoreJobPage", "RestoreJobPager",
    "RestoreReceipt", "RestoreStatus", "RetryPolicy", "ServiceError", "TLSError", "TransportError",
    "TransportTimeoutError", "UnauthorizedError", "UnexpectedRedirectError", "WaitFailedError", "WaitTimeoutError",
    "__version__",
]
_LATER = {"BackupsClient": "_client", "BackupPager": "_pager", "RestoreJobPager": "_pager", "RetryPolicy": "_policy"}
# fmt: on


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - paid by those who need it

    value = globals()[name] = getattr(import_module(f".{_LATER[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
