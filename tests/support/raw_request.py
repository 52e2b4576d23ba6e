"""One request as any HTTP client would send it, and the answer as it came: what the client under test must not be asked about."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import attrs

from pinecone_backups_async.testing import FakePinecone

VERSION = "2026-04"


@attrs.frozen
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def ids(self) -> list[str]:
        return [row["backup_id"] for row in self.json["data"]]

    @property
    def next_token(self) -> str | None:
        pagination = self.json["pagination"]
        return None if pagination is None else pagination["next"]


async def get(
    fake: FakePinecone,
    *,
    path: str = "/backups",
    method: str = "GET",
    key: str | None = None,
    version: str | None = VERSION,
    **query: str | int,
) -> Reply:
    """Send one request; `key` None sends the right one, `version` None none."""
    headers = {"Api-Key": fake.api_key if key is None else key}
    if version is not None:
        headers["X-Pinecone-Api-Version"] = version
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, fake.url + path, params=query, headers=headers) as response,
    ):
        return Reply(response.status, dict(response.headers), await response.text())
