"""The public surface: what the door exports, and that each of it explains itself."""

from __future__ import annotations

import inspect

import pytest

import pinecone_backups_async as door

PUBLIC = [
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


def test_a_star_import_gives_exactly_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from pinecone_backups_async import *", namespace)
    del namespace["__builtins__"]
    assert sorted(namespace) == sorted(door.__all__) == PUBLIC


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_every_public_name_and_its_public_methods_explain_themselves(name: str) -> None:
    public: type = getattr(door, name)
    assert inspect.getdoc(public)
    for method, value in vars(public).items():
        if inspect.isfunction(value) and not method.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{method}"


def test_the_error_tree_is_the_one_that_is_drawn() -> None:
    assert issubclass(door.ConfigurationError, ValueError)
    assert issubclass(door.ClientClosedError, RuntimeError)
    assert issubclass(door.TransportTimeoutError, TimeoutError)
    for child, parent in {
        door.TransportTimeoutError: door.TransportError,
        door.TLSError: door.TransportError,
        door.InvalidRequestError: door.ApiError,
        door.UnauthorizedError: door.ApiError,
        door.ForbiddenError: door.ApiError,
        door.NotFoundError: door.ApiError,
        door.RateLimitError: door.ApiError,
        door.ServiceError: door.ApiError,
        door.UnexpectedRedirectError: door.ApiError,
        door.ResponseTooLargeError: door.ResponseParsingError,
        door.PaginationLoopError: door.ResponseParsingError,
        door.TransportError: door.BackupsError,
        door.ApiError: door.BackupsError,
        door.ResponseParsingError: door.BackupsError,
        door.IncompleteListingError: door.BackupsError,
        door.ConfigurationError: door.BackupsError,
        door.ClientClosedError: door.BackupsError,
    }.items():
        assert issubclass(child, parent)


def test_the_status_metric_and_code_enums_hold_the_specifications_names() -> None:
    assert set(door.Metric) == {"cosine", "euclidean", "dotproduct"}
    assert set(door.BackupStatus) == {"Initializing", "Pending", "Scheduled", "Ready", "Failed", "InitializationFailed"}
    assert len(door.ErrorCode) == 20
    assert {"OK", "UNKNOWN", "UNAVAILABLE", "QUOTA_EXCEEDED", "PAYMENT_REQUIRED"} <= set(door.ErrorCode)
