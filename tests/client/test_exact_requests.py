"""The exact requests that leave, as aioresponses sees them: method, URL, body and headers, of every endpoint."""

from __future__ import annotations

from yarl import URL

from pinecone_backups_async import BackupsClient
from tests.support.aioresponses_bridge import mocked_aiohttp
from tests.support.samples import row

BASE = "https://api.pinecone.io"


async def test_the_exact_requests_of_a_listing() -> None:
    """A token is encoded once, and is sent without the limit that it carries."""
    later = "/backups?paginationToken=a%2B%2F%3D%26%23%25%C3%A9"
    with mocked_aiohttp() as mocked:
        mocked.get(f"{BASE}/backups?limit=100", payload={"data": [], "pagination": {"next": "a+/=&#%é"}})
        mocked.get(URL(BASE + later, encoded=True), payload={"data": []})
        async with BackupsClient("pcsk_exact") as client:
            assert await client.list_backups().to_list() == []
        urls = [url for _, url in mocked.requests]
        assert [dict(url.query) for url in urls] == [{"limit": "100"}, {"paginationToken": "a+/=&#%é"}]
        for (call,) in mocked.requests.values():
            assert call.kwargs["headers"]["X-Pinecone-Api-Version"] == "2026-04"
            assert call.kwargs["allow_redirects"] is False
            assert "Api-Key" not in call.kwargs["headers"]  # the middleware adds it, below aioresponses


async def test_the_exact_requests_of_the_family() -> None:
    backup = row(backup_id="b")
    job = {"restore_job_id": "j", "backup_id": "b", "target_index_name": "n", "target_index_id": "1"}
    job |= {"status": "Completed", "created_at": "2025-04-25T18:14:05.227526Z"}
    with mocked_aiohttp() as mocked:
        mocked.post(f"{BASE}/indexes/i/backups", status=201, payload=backup)
        mocked.post(f"{BASE}/backups/b/create-index", status=202, payload={"restore_job_id": "j", "index_id": "1"})
        mocked.get(f"{BASE}/backups/b", payload=backup)
        mocked.get(f"{BASE}/restore-jobs/j", payload=job)
        mocked.get(f"{BASE}/restore-jobs?limit=7", payload={"data": [job]})
        mocked.get(f"{BASE}/indexes/i/backups?include_deleted=true&limit=100", payload={"data": [backup]})
        mocked.get(f"{BASE}/indexes", payload={"indexes": []})
        mocked.delete(f"{BASE}/backups/b", status=202)
        async with BackupsClient("pcsk_exact") as client:
            assert (await client.create_backup("i", name="é")).backup_id == "b"
            assert (await client.create_index_from_backup("b", name="new", tags={"a": "1"})).restore_job_id == "j"
            assert (await client.describe_backup("b")).backup_id == "b"
            assert (await client.describe_restore_job("j")).outcome == "reached"
            assert len(await client.list_restore_jobs(limit=7).to_list()) == 1
            assert len(await client.list_backups(index_name="i", include_deleted=True).to_list()) == 1
            assert await client.list_indexes() == []
            await client.delete_backup("b")
        sent = [(method, url.path, call.kwargs["data"]) for (method, url), [call] in mocked.requests.items()]
        assert sent == [
            ("POST", "/indexes/i/backups", b'{"name": "\\u00e9"}'),
            ("POST", "/backups/b/create-index", b'{"name": "new", "tags": {"a": "1"}}'),
            ("GET", "/backups/b", None),
            ("GET", "/restore-jobs/j", None),
            ("GET", "/restore-jobs", None),
            ("GET", "/indexes/i/backups", None),
            ("GET", "/indexes", None),
            ("DELETE", "/backups/b", None),
        ]
        posted = [call.kwargs["headers"] for (method, _), [call] in mocked.requests.items() if method == "POST"]
        assert [headers["Content-Type"] for headers in posted] == ["application/json"] * 2
