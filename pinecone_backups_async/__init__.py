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
    ForbiddenError,
    IncompleteListingError,
    InvalidRequestError,
    NotFoundError,
    PaginationLoopError,
    RateLimitError,
    ResponseParsingError,
    ResponseTooLargeError,
    ServiceError,
    TLSError,
    TransportError,
    TransportTimeoutError,
    UnauthorizedError,
    UnexpectedRedirectError,
)
from ._models import Backup, BackupPage, BackupStatus, ErrorCode, MetadataField, MetadataSchema, Metric
from ._pager import BackupPager
from ._retry import RetryPolicy
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
    "ErrorCode",
    "ForbiddenError",
    "IncompleteListingError",
    "InvalidRequestError",
    "MetadataField",
    "MetadataSchema",
    "Metric",
    "NotFoundError",
    "PaginationLoopError",
    "RateLimitError",
    "ResponseParsingError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "ServiceError",
    "TLSError",
    "TransportError",
    "TransportTimeoutError",
    "UnauthorizedError",
    "UnexpectedRedirectError",
    "__version__",
]
