"""What a service sees of the client: its log, and OpenTelemetry's spans."""

from __future__ import annotations

import logging

import pytest

from pinecone_backups_async import BackupsClient, RetryPolicy, TransportError
from pinecone_backups_async.testing import Answer, FakePinecone

KEY = "pcsk_canary-of-the-observability-tests"
DOWN = Answer.error(503, "UNAVAILABLE", f"Down, {KEY}.")


async def list_pages(fake: FakePinecone) -> list[str]:
    policy = RetryPolicy(random=lambda: 0.0)
    async with BackupsClient(KEY, base_url=fake.url, retry=policy) as client:
        return [page.next_token or "" async for page in client.list_backups().pages()]


async def test_a_listing_with_a_retry(caplog: pytest.LogCaptureFixture) -> None:
    """A retry is a WARNING; each attempt and the end of the listing are DEBUG; none shows the key or a token."""
    caplog.set_level(logging.DEBUG, "pinecone_backups_async")
    async with FakePinecone(backups=250, api_key=KEY) as fake:
        fake.play(None, DOWN)
        tokens = await list_pages(fake)
    records = [record for record in caplog.records if record.name == "pinecone_backups_async"]
    attempts = [vars(record) for record in records if "pinecone_method" in vars(record)]
    assert [(facts["pinecone_path"], facts["pinecone_status"]) for facts in attempts] == [
        ("/backups", status) for status in (200, 503, 200, 200)
    ]
    retry, end = (record for record in records if "pinecone_method" not in vars(record))
    assert (retry.levelname, retry.getMessage()) == ("WARNING", "ServiceError 503 in attempt 1, next in 0.00 s")
    assert (end.levelname, end.getMessage()) == ("DEBUG", "a listing ended (exhausted): 250 items in 3 pages")
    facts = vars(retry)
    assert (facts["pinecone_status"], facts["pinecone_attempt"], facts["pinecone_delay"]) == (503, 1, 0.0)
    assert not [text for text in (KEY, *tokens) if text and text in caplog.text]


async def test_a_raised_error_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with BackupsClient(KEY, base_url="http://127.0.0.1:1", retry=RetryPolicy(random=lambda: 0.0)) as client:
        with pytest.raises(TransportError):
            await client.fetch_page()
    facts = [vars(record) for record in caplog.records if record.levelno > logging.DEBUG]
    assert [(fact["pinecone_attempt"], fact["pinecone_status"]) for fact in facts] == [(n, None) for n in (1, 2, 3)]
