"""C: what stands in a 200, where only one value is wrong and all around it is a good page."""

from __future__ import annotations

import json
import logging

import pytest

from pinecone_backups_async import ApiError, ResponseParsingError, ServiceError
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.samples import row
from tests.test_client import DOWN, client_of

GARBLED = [b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 100_000, b'"\\ud800"', b'"\xff"']


def holding(place: str, value: bytes) -> bytes:
    """Return a good page but for one value: of the page's own unknown key, of a row's, or of a row's known one."""
    marked = {"data": [row()]} | {"pagination": None} | ({"novel": "@"} if place == "page" else {})
    if place != "page":
        marked["data"] = [row() | {place: "@"}]
    return json.dumps(marked).encode().replace(b'"@"', value)


@pytest.mark.parametrize("place", ["page", "novel", "name", "dimension", "tags"])
@pytest.mark.parametrize("value", GARBLED, ids=lambda value: value[:8].decode(errors="replace"))
async def test_C1_C3_C6_one_garbled_value_anywhere_spoils_the_page_and_is_retried(place: str, value: bytes) -> None:
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.play(*[Answer(body=holding(place, value))] * 4)
        with pytest.raises(ResponseParsingError) as caught:
            await client.list_backups().to_list()
        assert (caught.value.decoded, caught.value.attempts) == (False, 4)


@pytest.mark.parametrize("place", ["page", "novel", "name"])
async def test_C3_the_same_page_is_good_with_a_good_value(place: str) -> None:
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.play(Answer(body=holding(place, b'"fine"')))
        assert [found.backup_id for found in await client.list_backups().to_list()] == ["b1"]


@pytest.mark.parametrize("name", ["backup_id", "source_index_name", "status", "cloud", "region"])
async def test_C5_a_missing_field_is_named_by_its_path_and_no_other_is_told(name: str) -> None:
    short = {key: value for key, value in row("b-secret").items() if key != name}
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.play(Answer(body={"data": [row(), short]}))
        with pytest.raises(ResponseParsingError) as caught:
            await client.list_backups().to_list()
        assert caught.value.problems == ((f"$.data[1].{name}", "required, but missing"),)
        assert "b-secret" not in str(caught.value)
        assert len(fake.requests) == 1


async def test_C6_a_record_of_the_log_is_one_line_whatever_the_service_says(caplog: pytest.LogCaptureFixture) -> None:
    odd = "a\r\nroot: pwned\x1b[31m\0"
    caplog.set_level(logging.DEBUG, logger="pinecone_backups_async")
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.play(*[Answer.error(503, odd, odd, headers={"X-Pinecone-Request-Id": "r"})] * 4)
        with pytest.raises(ServiceError) as caught:
            await client.fetch_page()
        fake.play(DOWN)
        await client.list_backups().to_list()
    logging.getLogger("pinecone_backups_async").error("failed: %s", caught.value)
    lines = [found.getMessage() for found in caplog.records if found.name == "pinecone_backups_async"]
    assert len(lines) == 6  # four retries, the end of a walk, and the user's own
    assert all(line.isprintable() for line in lines)


async def test_C4_an_error_with_a_page_beside_it_is_no_page() -> None:
    both: dict[str, object] = {"data": [], "error": {"code": "INTERNAL", "message": "x"}}
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.play(Answer(body=both))
        with pytest.raises(ApiError):
            await client.list_backups().to_list()
        assert len(fake.requests) == 1
