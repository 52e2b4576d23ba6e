"""The endpoints beside the listing, asked without a client: what each does and refuses, and what looks change."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

from pinecone_backups_async import RestoreJob
from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, ask, backup, get, pages

LIST = "GET /indexes/products/backups"
CREATE = "POST /indexes/products/backups"
RESTORE = "POST /backups/a/create-index"
POD = {"pod": {"environment": "us-west1-gcp", "pod_type": "p1.x1"}}


def job(name: str = "j", **facts: Any) -> RestoreJob:
    required: dict[str, Any] = {"restore_job_id": name, "target_index_name": "copy", "target_index_id": "idx-2"}
    required |= {"backup_id": "a", "status": "Pending", "created_at": NOW}
    return RestoreJob(**required | facts)


async def test_a_creation_a_restore_and_a_deletion_begin(fake: FakePinecone) -> None:
    created = await ask(fake, CREATE, json={"name": "nightly", "description": "By hand"})
    facts = {"name": "nightly", "description": "By hand", "source_index_name": "products", "status": "Initializing"}
    assert created.json.items() >= (facts | {"created_at": "2026-11-24T12:00:00.000000123Z"}).items()
    assert (created.status, "size_bytes" in created.json) == (201, False)
    receipt = await ask(fake, RESTORE, json={"name": "copy"})
    assert (receipt.status, fake.indexes["copy"].ready, fake.restore_jobs[0].status) == (202, False, "Pending")
    gone = await ask(fake, f"DELETE /backups/{created.json['backup_id']}")
    assert (gone.status, gone.text, len(fake.backups)) == (202, "", 4)


AFTER_TWO = "c2tpcD0wMDAwMDAwMiZzaXplPTAwMg=="
LIMITS = ["0", "101", "-1", "ten", "1.5", "", "1e1", "+5", "²", " 5", "9" * 5000]
SIZES_0_AND_101 = "c2tpcD0wMDAwMDAxMCZzaXplPTAwMA==", "c2tpcD0wMDAwMDAxMCZzaXplPTEwMQ=="
BASE64_OF_NONSENSE = "bm9uc2Vuc2U="
TOKENS = ["", "nonsense", "ä", BASE64_OF_NONSENSE, f"{AFTER_TWO}!", AFTER_TWO.replace("=", "%3D"), *SIZES_0_AND_101]
VERSION = "The X-Pinecone-Api-Version header must be 2025-10 or 2026-04 or 2026-07."
PAGE = "GET /backups"
N: dict[str, Any] = {"name": "n"}
BODIES: list[tuple[str, Any, int, str]] = [
    ("POST /backups/x/create-index", N, 404, "Backup x not"), ("POST /indexes/x/backups", {}, 404, "Index x not"),
    ("POST /indexes/pods/backups", {}, 400, "Backups from pod indexes are not supported"),
    ("POST /backups/b/create-index", N, 412, "Backup b is not completed"),
    (RESTORE, {"name": "products"}, 409, "Resource already exists."),
    (CREATE, {"names": "x"}, 422, "unknown field `names`"), (CREATE, {"name": None}, 422, "invalid type of `name`"),
    (CREATE, [], 422, "expected an object"), (RESTORE, {}, 422, "missing field `name`"),
    (RESTORE, N | {"tags": {"a": 1}}, 422, "invalid type of `tags`"),
    (RESTORE, N | {"read_capacity": {}}, 422, "unknown field `read_capacity`"),
    (RESTORE, N | {"deletion_protection": "on"}, 400, "deletion_protection must be enabled or disabled."),
    *((RESTORE, {"name": name}, 400, "Index name must be") for name in ("", "-a", "a-", "A", "a_b", "a" * 46, "ä")),
]  # fmt: skip
REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    *((PAGE, {"key": key}, 401, "Invalid API key.") for key in ("", "pcsk_wrong")),
    *((PAGE, {"version": version}, 400, VERSION) for version in (None, "", "2026-4", "2025-04", "unstable")),
    *((PAGE, {"query": {"limit": limit}}, 400, "limit must be an integer from 1 to 100.") for limit in LIMITS),
    *((PAGE, {"query": {"paginationToken": token}}, 400, "Invalid pagination token.") for token in TOKENS),
    *((f"GET {path}", {}, 404, "is not served here.") for path in ("/", "/index", "/backups/", "/backups/a/b")),
    *((f"{verb} /backups/x", {}, 404, "Backup x not found.") for verb in ("GET", "DELETE")),
    ("GET /restore-jobs/x", {}, 404, "Restore job x not found."),
    *((f"GET /indexes/x{end}", {}, 404, "Index x not found.") for end in ("", "/backups")),
    ("DELETE /backups/c", {}, 412, "There are pending restore jobs for this backup: ['j']"),
    (f"{LIST}?include_deleted=1", {}, 400, "must be true or false."), ("GET /backups/%ff", {}, 400, "is not UTF-8."),
    *((line, {"json": body}, status, message) for line, body, status, message in BODIES),
    *((CREATE, {"data": data, "headers": {"Content-Type": "application/json"}}, 422, "") for data in (b"", b"{")),
    (CREATE, {"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 400, ""), (CREATE, {"data": b"\xff"}, 400, ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "more", "status", "told"), REFUSED)
async def test_what_is_refused(fake: FakePinecone, line: str, more: dict[str, Any], status: int, told: str) -> None:
    """It changes nothing."""
    assert (await get(fake, limit=2)).next_token == AFTER_TWO
    fake.add(job(backup_id="c"))
    fake.indexes["pods"] = attrs.evolve(fake.indexes["products"], name="pods", spec=POD)
    before = (fake.backups, fake.restore_jobs, dict(fake.indexes))
    refused = (await ask(fake, line, **more)).error
    assert (refused[0], told in refused[1]) == (status, True)
    assert (fake.backups, fake.restore_jobs, fake.indexes) == before


@pytest.mark.parametrize("path", ["/backups", "/backups/a", "/indexes", "/indexes/products/backups", "/restore-jobs"])
@pytest.mark.parametrize("method", ["TRACE", "HEAD", "OPTIONS", "PUT", "PATCH"])
async def test_another_method_of_a_known_path_is_a_405(fake: FakePinecone, method: str, path: str) -> None:
    reply = await ask(fake, f"{method} {path}")
    assert (reply.status, reply.headers["Allow"].split(", ")[0]) == (405, "GET")
    assert (await ask(fake, f"{method} {path}/x/y/z")).status == 404


async def test_what_costs_needs_payment_and_quota(fake: FakePinecone) -> None:
    fake.payment_required = True
    assert [(await ask(fake, request, json=N)).error[0] for request in (CREATE, RESTORE)] == [402, 402]
    fake.payment_required, fake.max_backups = False, 4
    full = "Increase your quota or upgrade to create more backups."
    assert (await ask(fake, CREATE, json={})).error == (403, full)
    fake.delete("b")
    typed = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await ask(fake, CREATE, data=b"{}", headers=typed)).status == 201


async def test_an_index_that_is_removed_is_deleted(fake: FakePinecone) -> None:
    """Its backups can be restored under its own name, which is another index then; so is one that is put back."""
    removed = fake.indexes.pop("products")
    assert {row.source_index_deleted_at for row in fake.backups} == {NOW}
    assert (await ask(fake, LIST)).status == 404
    assert len((await ask(fake, LIST, query={"include_deleted": "true"})).ids) == 4
    receipt = (await ask(fake, RESTORE, json={"name": "products"})).json
    assert {row.source_index_deleted_at for row in fake.backups} == {NOW}
    assert (await ask(fake, CREATE, json={})).json["source_index_id"] == receipt["index_id"]
    assert len((await ask(fake, LIST)).ids) == 1
    del fake.indexes["products"]
    assert {row.source_index_deleted_at for row in fake.backups} == {NOW}
    fake.indexes["products"] = attrs.evolve(removed, spec={"byoc": {"environment": "e", "read_capacity": {}}})
    assert (await ask(fake, LIST)).ids == []
    assert (await ask(fake, CREATE, json={})).json["source_index_id"] not in {"idx-1", receipt["index_id"]}
    assert [index["name"] for index in (await ask(fake, "GET /indexes")).json["indexes"]] == ["products"]


async def test_the_latest_version_answers_in_its_own_way() -> None:
    """200 for a creation, no dimension or metric, a deployment in place of a spec, a 401 in plain text."""
    new: Any = {"version": "2026-07"}
    async with FakePinecone(backups=6) as fake:
        created = await ask(fake, CREATE, json={}, **new)
        assert created.status == 200
        for row in created.json, *(await ask(fake, PAGE, **new)).json["data"]:
            assert not {"dimension", "metric"} & row.keys()
        index = (await ask(fake, "GET /indexes/products", **new)).json
        assert index["deployment"] == {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}
        assert not {"spec", "vector_type"} & index.keys()
        fake.indexes["products"] = attrs.evolve(fake.indexes["products"], spec=POD)
        pods = (await ask(fake, "GET /indexes", **new)).json["indexes"]
        assert {"deployment_type": "pod"} | POD["pod"] in [index["deployment"] for index in pods]
        refused = await ask(fake, PAGE, key="wrong", **new)
        assert (refused.status, refused.text, refused.headers["Content-Type"]) == (401, "Invalid API key", "text/plain")
        capacity = {"name": "copy", "read_capacity": {"mode": "OnDemand"}}
        ready = next(row.backup_id for row in fake.backups if row.status == "Ready")
        assert (await ask(fake, f"POST /backups/{ready}/create-index", json=capacity, **new)).status == 202


async def test_a_restored_index_is_as_its_backup_says(fake: FakePinecone) -> None:
    fake.add(backup("t", tags={"team": "search"}, dimension=8, metric="euclidean", cloud="gcp", region="r"))
    more: dict[str, Any] = {"tags": {}, "deletion_protection": "enabled"}
    for body in {"name": "one"}, {"name": "two", **more}:
        await ask(fake, "POST /backups/t/create-index", json=body)
    one, two = (fake.indexes[name] for name in ("one", "two"))
    assert (one.dimension, one.metric, one.spec["serverless"]["region"]) == (8, "euclidean", "r")
    assert dict(one.extra) == {"tags": {"team": "search"}, "deletion_protection": "disabled"}
    assert dict(two.extra) == more


async def test_jobs_may_be_listed_twice_or_not(fake: FakePinecone) -> None:
    """A job whose index is gone is left out in any case."""
    fake.odd_restore_listing = True
    fake.add(*(job(str(n), created_at=NOW.replace(minute=9 - n), target_index_name=f"i{n}") for n in range(6)))
    del fake.indexes["i5"]
    listed = await pages(fake, "GET /restore-jobs", limit=2)
    assert ["".join(row["restore_job_id"] for row in page.json["data"]) for page in listed] == ["01", "12", "23"]


async def create(fake: FakePinecone, **body: str) -> str:
    return str((await ask(fake, CREATE, json=body)).json["backup_id"])


async def looks(fake: FakePinecone, path: str, number: int = 4) -> str:
    """Describe something again and again; return each status: that of the thing, or that of the response."""
    replies = [await ask(fake, f"GET {path}") for _ in range(number)]
    return " ".join(reply.json["status"] if reply.status == 200 else str(reply.status) for reply in replies)


@pytest.mark.parametrize(("settings", "found"), [
    ({}, "Ready Ready Ready Ready"),
    ({"looks_until_ready": 3}, "Initializing Initializing Ready Ready"),
    ({"looks_until_ready": 2, "backup_outcome": "Failed"}, "Initializing Failed Failed Failed"),
    ({"lag": 1, "looks_until_ready": 2}, "404 Initializing Ready Ready"),
    ({"lag": 2, "looks_until_ready": 0}, "404 404 Ready Ready"),
])  # fmt: skip
async def test_looks_finish_a_backup(fake: FakePinecone, settings: dict[str, Any], found: str) -> None:
    for name, value in settings.items():
        setattr(fake, name, value)
    assert await looks(fake, f"/backups/{await create(fake)}") == found


@pytest.mark.parametrize(("settings", "found", "state"), [
    ({"looks_until_restored": 3, "lag": 1}, "404 Pending Pending Completed", "Ready"),
    ({"restore_outcome": "Failed"}, "Failed Failed Failed Failed", "InitializationFailed"),
    ({"looks_until_restored": 9}, "Pending Pending Pending Pending", "Initializing"),
])  # fmt: skip
async def test_looks_finish_a_job(fake: FakePinecone, settings: dict[str, Any], found: str, state: str) -> None:
    """It ends, and is found, even when its index is gone."""
    for name, value in settings.items():
        setattr(fake, name, value)
    path = f"/restore-jobs/{(await ask(fake, RESTORE, json={'name': 'copy'})).json['restore_job_id']}"
    assert await looks(fake, path) == found
    assert (await ask(fake, "GET /indexes/copy")).json["status"]["state"] == state
    assert ("percent_complete" in (await ask(fake, f"GET {path}")).json) == (state == "Ready")
    del fake.indexes["copy"]
    assert (await looks(fake, path, 9)).endswith(f" {fake.restore_outcome}")
    assert (await ask(fake, "GET /restore-jobs")).json["data"] == []


async def test_what_else_is_a_look(fake: FakePinecone) -> None:
    """One at an index is one at its job. A later page is none, nor is the listing of another index."""
    fake.looks_until_restored = 2
    await ask(fake, RESTORE, json={"name": "copy"})
    states = [(await ask(fake, "GET /indexes/copy")).json["status"]["state"] for _ in range(3)]
    assert states == ["Initializing", "Ready", "Ready"]
    fake.lag = 1
    fake.add(backup("x", 9, source_index_name="other"))
    new = await create(fake)
    first = await get(fake, limit=3)
    assert (first.ids, (await get(fake, paginationToken=first.next_token)).ids) == (["a", "b", "c"], ["d", "x"])
    assert (await ask(fake, "GET /indexes/other/backups")).ids == ["x"]
    assert (fake.backups[0].backup_id, fake.backups[0].status) == (new, "Initializing")
    assert (await ask(fake, LIST)).json["data"][0]["status"] == "Ready"


async def test_what_is_deleted_is_found_for_the_lag(fake: FakePinecone) -> None:
    fake.lag = 2
    assert (await ask(fake, "DELETE /backups/a")).status == 202
    assert [row.backup_id for row in fake.backups] == ["b", "c", "d"]
    assert (await ask(fake, "DELETE /backups/a")).status == 404
    assert (await get(fake)).ids == ["a", "b", "c", "d"]
    assert await looks(fake, "/backups/a") == "Ready 404 404 404"
    fake.delete("b")
    assert (await get(fake)).ids == ["c", "d"]
    await ask(fake, "DELETE /backups/c")
    fake.add(backup("c"))  # a deleted one can be added again
    assert await looks(fake, "/backups/c") == "Ready Ready Ready Ready"


async def test_the_time_is_what_the_test_says(fake: FakePinecone) -> None:
    fake.looks_until_ready, fake.now = 0, dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    await create(fake)
    assert (fake.backups[0].status, fake.backups[0].created_at) == ("Ready", fake.now)
