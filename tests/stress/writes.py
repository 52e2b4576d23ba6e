"""Writes whose responses get lost: one backup for each name, beside what the official client makes of the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pinecone

from pinecone_backups_async import BackupsClient
from pinecone_backups_async.testing import Answer, FakePinecone, RecordedRequest
from tests.stress import Figure
from tests.support.clients import client_of, eager
from tests.support.timing import Sleeps

INDEX = "products"
UNAVAILABLE = {"error": {"code": "UNAVAILABLE", "message": "x"}, "status": 200}
# Responses that are lost after the request took effect, but for a refusal. Those in the second table look final.
TRANSIENT = {
    **{f"{status}": Answer.lost(status) for status in (408, 500, 502, 503, 504)},
    "429": Answer.error(429, "RESOURCE_EXHAUSTED", "x"),
    "UNAVAILABLE": Answer.lost(200, body=UNAVAILABLE),
    "dropped": Answer.lost(),
    "cut": Answer.lost(cut=True),
    "garbled": Answer.lost(200, body=b'{"backup_id": "x'),
    "HTML": Answer.lost(200, body=b"<html>"),
    "empty": Answer.lost(200),
    "no UTF-8": Answer.lost(200, body=b"\xff"),
    "no gzip": Answer.lost(200, headers={"Content-Encoding": "gzip"}, body=b"no gzip"),
    "503 with Retry-After": Answer.lost(503, headers={"Retry-After": "0"}),
}
FINAL = {f"{status}": Answer.lost(status) for status in (201, 206, 302, 307, 501, 505, 520, 524, 599)}


def losing(fake: FakePinecone, seed: int) -> None:
    """Lose 30 % of the responses."""
    dice = random.Random(seed)

    def lose(request: RecordedRequest) -> None:
        kinds = TRANSIENT | FINAL if request.method == "POST" else TRANSIENT
        fake.play(dice.choice(list(kinds.values())) if dice.random() < 0.3 else None)

    fake.before_answer = lose


async def backups_made(seed: int, names: int, create: Callable[[FakePinecone], Any]) -> list[str | None]:
    """Start a backup of each name twice, while 30 % of the responses are lost; return the names of those made."""
    async with FakePinecone(indexes=[INDEX]) as fake:
        losing(fake, seed)
        async with create(fake) as client:
            for number in range(2 * names):  # each job is run a second time
                await attempt(client, f"backup-{number // 2}")
        return [backup.name for backup in fake.backups]


async def attempt(client: Any, name: str) -> None:
    try:
        if isinstance(client, BackupsClient):
            await client.ensure_backup(INDEX, name)
        else:
            await client.backups.create(index_name=INDEX, name=name)
    except Exception:  # noqa: BLE001 - what the official client raises is its own; how many backups there are counts
        return


def ours(fake: FakePinecone) -> BackupsClient:
    return client_of(fake, retry=eager(attempts=8, sleep=Sleeps()))


def official(fake: FakePinecone) -> Any:
    return pinecone.AsyncPinecone(api_key=fake.api_key, host=fake.url)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


async def writes(names: int, seeds: int, *, beside: int) -> list[Figure]:
    """Compare ensure_backup with the official create, of fewer names as its own waits are long."""
    made = [await backups_made(seed, names, ours) for seed in range(1, seeds + 1)]
    theirs = await backups_made(1, beside, official)
    what = f"30 % of {len(TRANSIENT) + len(FINAL)} kinds, each twice"
    once = all(len(found) == len(set(found)) == names for found in made)
    return [
        Figure(f"{names} names, {what}: ensure_backup", f"{[len(found) for found in made]} backups", once),
        Figure(f"{beside} names, {what}: the official create", f"{len(theirs)} backups", passed=True),
    ]
