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
    del namespace["__builtins__"]
    assert sorted(namespace) == sorted(pba.__all__) == PUBLIC


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


def test_an_absent_name_is_an_attribute_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pba, "__all__", [*pba.__all__, "Listed"])  # and in no module
    for name in ("Absent", "Listed"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(pba, name)
    with pytest.raises(TypeError, match="ApiError has no fact named colour"):
        pba.ApiError("m", colour="red")
    assert repr(object.__new__(pba.BackupsClient)) == "<BackupsClient, not configured>"  # as in a traceback of __init__
