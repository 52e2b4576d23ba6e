"""The bridge to aioresponses: scripted answers for the client's sessions, without a server."""

from __future__ import annotations

import re

import aiohttp

from pinecone_backups_async import BackupsClient, RetryPolicy
from tests.support.aioresponses_bridge import mocked_aiohttp
from tests.support.samples import page_body, row

SERVICE = "https://api.pinecone.io"
BACKUPS = re.compile(rf"^{SERVICE}/backups\b")


async def test_scripted_answers_reach_the_client_in_order() -> None:
    with mocked_aiohttp() as mocked:
        mocked.get(BACKUPS, status=503)
        mocked.get(BACKUPS, body=page_body(row("a"), next_token="t=="))
        mocked.get(BACKUPS, body=page_body(row("b")))
        async with BackupsClient("pcsk_test", base_url=SERVICE, retry=RetryPolicy(random=lambda: 0.0)) as client:
            assert [backup.backup_id async for backup in client.list_backups()] == ["a", "b"]
        (first, retried), (second,) = mocked.requests.values()
    assert first.kwargs["headers"]["X-Pinecone-Api-Version"] == "2026-04"
    assert first == retried
    assert "Api-Key" not in second.kwargs["headers"]  # the key is added behind what is replaced here


async def test_outside_the_bridge_nothing_is_replaced() -> None:
    real = vars(aiohttp.ClientSession)["_request"]
    with mocked_aiohttp():
        assert vars(aiohttp.ClientSession)["_request"] is not real
    assert vars(aiohttp.ClientSession)["_request"] is real
