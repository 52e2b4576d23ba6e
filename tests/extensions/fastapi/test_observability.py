"""What a service sees of the client in its log. Each record's facts are tested where they are made."""

from __future__ import annotations

import logging

import pytest

from pinecone_backups_async import ServiceError
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.clients import client_of

DOWN = Answer.error(503, "UNAVAILABLE", "Down, and it quotes pcsk_fake_key_for_tests.")


async def test_retries_are_warnings_and_raised_errors_none(
    fake: FakePinecone, caplog: pytest.LogCaptureFixture
) -> None:
    """Attempts and ends of listings are DEBUG; no record shows the key or a token."""
    caplog.set_level(logging.DEBUG)
    fake.play(None, DOWN, *[None] * 2, *[DOWN] * 4)
    async with client_of(fake) as client:
        tokens = [page.next_token or "" async for page in client.list_backups().pages()]
        with pytest.raises(ServiceError):
            await client.fetch_page()
    records = [record for record in caplog.records if record.name == "pinecone_backups_async"]
    warnings = [vars(record)["pinecone_attempt"] for record in records if record.levelno > logging.DEBUG]
    assert (warnings, len(records)) == ([1, 1, 2, 3], 4 + 8 + 1)
    assert not [text for text in (fake.api_key, *tokens) if text and text in caplog.text]
