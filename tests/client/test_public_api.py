"""The public surface: what the package exports, and that each of it explains itself."""

from __future__ import annotations

import inspect

import pytest

import pinecone_backups_async as pba

PUBLIC = [
    "ApiError", "Backup", "BackupPage", "BackupPager", "BackupStatus", "BackupsClient", "BackupsError",
    "ClientClosedError", "ConfigurationError", "ConflictError", "ErrorCode", "FailedPreconditionError",
    "ForbiddenError", "IncompleteListingError", "Index", "InvalidRequestError", "MetadataField", "MetadataSchema",
    "Metric", "NotFoundError", "PaginationLoopError", "PaymentRequiredError", "RateLimitError", "ResponseParsingError",
    "ResponseTooLargeError", "RestoreJob", "RestoreJobPage", "RestoreJobPager", "RestoreReceipt", "RestoreStatus",
    "RetryPolicy", "ServiceError", "TLSError", "TransportError", "TransportTimeoutError", "UnauthorizedError",
    "UnexpectedRedirectError", "WaitFailedError", "WaitTimeoutError", "__version__",
]  # fmt: skip


def test_a_star_import_gives_exactly_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from pinecone_backups_async import *", namespace)
    assert sorted(namespace.keys() - {"__builtins__"}) == sorted(pba.__all__) == PUBLIC


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_every_public_name_and_method_has_a_docstring(name: str) -> None:
    public: type = getattr(pba, name)
    assert inspect.getdoc(public)
    for method, value in vars(public).items():
        if inspect.isfunction(value) and not method.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{method}"


def test_the_enums_have_the_specifications_names() -> None:
    assert set(pba.Metric) == {"cosine", "euclidean", "dotproduct"}
    assert set(pba.BackupStatus) == {"Initializing", "Pending", "Scheduled", "Ready", "Failed", "InitializationFailed"}
    assert len(pba.ErrorCode) == 20
    assert {"OK", "UNKNOWN", "UNAVAILABLE", "QUOTA_EXCEEDED", "PAYMENT_REQUIRED"} <= set(pba.ErrorCode)


def test_what_a_mistake_in_a_name_raises() -> None:
    with pytest.raises(TypeError, match="ApiError has no fact named colour"):
        pba.ApiError("m", colour="red")


def test_a_client_that_is_not_made_yet_has_a_repr() -> None:
    """A traceback of `__init__` with local variables shows it."""
    assert repr(object.__new__(pba.BackupsClient)) == "<BackupsClient, not configured>"
