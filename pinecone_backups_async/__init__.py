"""List the backups of a Pinecone project: an asyncio client for one question, which backups exist.

async with BackupsClient() as client:
    async for backup in client.list_backups():
        ...
"""

from ._client import BackupsClient
from ._errors import (
    ApiError,
    BackupsError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    FailedPreconditionError,
    ForbiddenError,
    IncompleteListingError,
    InvalidRequestError,
    NotFoundError,
    PaginationLoopError,
    PaymentRequiredError,
    RateLimitError,
    ResponseParsingError,
    ResponseTooLargeError,
    ServiceError,
    TLSError,
    TransportError,
    TransportTimeoutError,
    UnauthorizedError,
    UnexpectedRedirectError,
    WaitFailedError,
    WaitTimeoutError,
)
from ._models import (
    Backup,
    BackupPage,
    BackupStatus,
    ErrorCode,
    Index,
    MetadataField,
    MetadataSchema,
    Metric,
    RestoreJob,
    RestoreJobPage,
    RestoreReceipt,
    RestoreStatus,
)
from ._pager import BackupPager
from ._policy import RetryPolicy
from ._version import __version__

__all__ = [
    "ApiError",
    "Backup",
    "BackupPage",
    "BackupPager",
    "BackupStatus",
    "BackupsClient",
    "BackupsError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ErrorCode",
    "FailedPreconditionError",
    "ForbiddenError",
    "IncompleteListingError",
    "Index",
    "InvalidRequestError",
    "MetadataField",
    "MetadataSchema",
    "Metric",
    "NotFoundError",
    "PaginationLoopError",
    "PaymentRequiredError",
    "RateLimitError",
    "ResponseParsingError",
    "ResponseTooLargeError",
    "RestoreJob",
    "RestoreJobPage",
    "RestoreReceipt",
    "RestoreStatus",
    "RetryPolicy",
    "ServiceError",
    "TLSError",
    "TransportError",
    "TransportTimeoutError",
    "UnauthorizedError",
    "UnexpectedRedirectError",
    "WaitFailedError",
    "WaitTimeoutError",
    "__version__",
]
