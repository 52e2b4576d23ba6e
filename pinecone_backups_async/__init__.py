"""An asyncio client for the backups of a Pinecone project.

async with BackupsClient() as client:
    async for backup in client.list_backups():
        ...

Each name is imported when it is first asked for. `from pinecone_backups_async import BackupsClient` at the top of a
module imports aiohttp there; the errors and the models do not need it.
"""

# ruff: noqa: F403, F405
# fmt: off
# isort: off
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from ._arguments import RetryPolicy
    from ._client import BackupsClient
    from ._errors import *
    from ._models import (
        Backup, BackupPage, Index, MetadataField, MetadataSchema, RestoreJob, RestoreJobPage, RestoreReceipt,
    )
    from ._pager import BackupPager, RestoreJobPager
    from ._statuses import *

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
# fmt: on
_MODULES = ("_errors", "_statuses", "_models", "_arguments", "_pager", "_client")  # what needs aiohttp is last


def __getattr__(name: str) -> Any:
    for module in _MODULES if name in __all__ else ():
        names = vars(import_module(f".{module}", __name__))
        if name in names:
            return globals().setdefault(name, names[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
