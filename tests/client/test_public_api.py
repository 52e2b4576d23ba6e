"""The public surface: what the package exports, what importing it costs, its types, that each explains itself."""

from __future__ import annotations

import datetime as dt
import inspect
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any, assert_type

import pytest

import pinecone_backups_async as pba
from pinecone_backups_async import Backup, BackupPage, BackupPager, BackupsClient, MetadataSchema, testing
from pinecone_backups_async.testing import FakePinecone

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


def test_every_public_name_and_method_has_a_docstring() -> None:
    for name in PUBLIC[:-1]:  # but the version
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


IMPORTS = """
import sys, pinecone_backups_async, pinecone_backups_async.testing.plugin
from pinecone_backups_async import BackupsError, BackupStatus
pinecone_backups_async.__version__, dir(pinecone_backups_async)
heavy = {"aiohttp", "attr", "cattrs", "msgspec", "tenacity", "yarl"}
assert heavy & set(sys.modules) == set()
from pinecone_backups_async import Backup
assert heavy & set(sys.modules) == {"attr"}
from pinecone_backups_async import RetryPolicy
assert heavy & set(sys.modules) == {"attr", "yarl"}
"""


def test_only_what_is_needed_is_imported() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


@pytest.mark.parametrize("package", [pba, testing])
def test_a_name_that_is_not_there_is_an_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'missing'"):
        _ = package.missing  # type: ignore[attr-defined]
    assert {"__all__", "__name__"} <= set(dir(package))


def test_an_error_has_no_other_facts() -> None:
    with pytest.raises(TypeError, match="ApiError has no fact named colour"):
        pba.ApiError("m", colour="red")


def test_a_client_that_is_not_made_yet_has_a_repr() -> None:
    """A traceback of `__init__` with local variables shows it."""
    assert repr(object.__new__(pba.BackupsClient)) == "<BackupsClient, not configured>"


async def test_what_a_caller_gets_is_typed() -> None:
    """mypy and pyright check it, and it runs."""
    async with FakePinecone(backups=3) as fake, BackupsClient(fake.api_key, base_url=fake.url) as client:
        pager = client.list_backups(limit=1)
        assert_type(client, BackupsClient)
        assert_type(pager, BackupPager)
        assert_type(pager.pages(), AsyncIterator[BackupPage])
        async for backup in pager:
            assert_type(backup, Backup)
        async for page in pager.pages():
            assert_type(page, BackupPage)
        assert_type(await pager.to_list(), list[Backup])
        assert_type(await client.inventory(), list[Backup])
        page = await client.fetch_page()
        assert_type(page, BackupPage)
        assert_type(page.data, tuple[Backup, ...])
        assert_type(page.next_token, str | None)
        first = page.data[0]
        assert_type(first.backup_id, str)
        assert_type(first.created_at, dt.datetime | None)
        assert_type(first.size_bytes, int | None)
        assert_type(first.tags, Mapping[str, Any] | None)
        assert_type(first.schema, MetadataSchema | None)
        assert_type(first.to_dict(), dict[str, Any])
