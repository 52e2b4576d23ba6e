"""One request as any HTTP client would send it, and its response: without the client of this package.

The body of every response must be valid by the schemas of the specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import jsonschema  # type: ignore[import-untyped]
from yarl import URL

from pinecone_backups_async import Backup
from pinecone_backups_async.testing import FakePinecone
from tests.support import backups

NOW = backups.NOW
VERSION = "2026-04"
SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("api_2026_04.schema.json").read_text())
CODES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "PAYMENT_REQUIRED", 403: "FORBIDDEN", 404: "NOT_FOUND",
    405: "UNIMPLEMENTED", 409: "ALREADY_EXISTS", 412: "FAILED_PRECONDITION", 422: "UNPROCESSABLE_ENTITY",
}  # fmt: skip
# The schema of what a request is answered with.
BODIES = {
    r"GET (/indexes/[^/]+)?/backups": "page",
    r"GET /backups/[^/]+|POST /indexes/[^/]+/backups": "backup",
    r"POST /backups/[^/]+/create-index": "receipt",
    r"GET /restore-jobs": "restore_job_page",
    r"GET /restore-jobs/[^/]+": "restore_job",
    r"GET /indexes": "index_list",
    r"GET /indexes/[^/]+": "index",
}


def validate(body: Any, schema: str) -> None:
    validator: Any = jsonschema.Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{schema}"})
    validator.validate(body)


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

    @property
    def error(self) -> tuple[int, str]:
        """Return the status and the message of an error, whose body must be the documented one."""
        validate(self.json, "error")
        assert (self.json["status"], self.json["error"]["code"]) == (self.status, CODES[self.status])
        assert self.headers["Content-Type"] == "application/json"
        return self.status, self.json["error"]["message"]


def backup(name: str, days_old: int | None = 0, **facts: Any) -> Backup:
    """Return a backup of the index `products`, Ready unless `facts` say otherwise; None is no time."""
    age = None if days_old is None else 24 * days_old
    return backups.backup(age, index="products", index_id="idx-1", backup_id=name, **facts)


async def ask(
    fake: FakePinecone, request: str, *, key: str | None = None, version: str | None = VERSION,
    query: Mapping[str, Any] | None = None, **settings: Any,
) -> Reply:  # fmt: skip
    """Send `request`, such as "GET /backups"; `key` None sends the right one, `version` None none."""
    method, _, path = request.partition(" ")
    headers = {"Api-Key": fake.api_key if key is None else key}
    if version is not None:
        headers["X-Pinecone-Api-Version"] = version
    url = URL(fake.url + path, encoded=True).update_query(query or {})
    async with aiohttp.ClientSession(headers=headers) as session, session.request(method, url, **settings) as response:
        reply = Reply(response.status, dict(response.headers), await response.text(errors="replace"))
    if reply.status in {200, 201, 202} and version == VERSION:
        for schema in [name for pattern, name in BODIES.items() if re.fullmatch(pattern, f"{method} {url.raw_path}")]:
            validate(reply.json, schema)
    return reply


async def get(fake: FakePinecone, *, key: str | None = None, version: str | None = VERSION, **query: Any) -> Reply:
    """Ask for a page of the project's backups."""
    return await ask(fake, "GET /backups", key=key, version=version, query=query)


async def pages(fake: FakePinecone, request: str, **query: str | int) -> list[Reply]:
    """Ask for every page of a listing."""
    replies = [await ask(fake, request, query=query)]
    while replies[-1].next_token is not None:
        replies.append(await ask(fake, request, query={"paginationToken": replies[-1].next_token}))
    return replies
