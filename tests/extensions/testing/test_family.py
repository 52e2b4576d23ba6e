"""The endpoints beside the listing: what each does and what it refuses, asked without a client."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from pinecone_backups_async import Index, RestoreJob
from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, ask, backup, pages

LIST = "GET /indexes/products/backups"
CREATE = "POST /indexes/products/backups"
RESTORE = "POST /backups/a/create-index"
POD = {"pod": {"environment": "us-west1-gcp", "pod_type": "p1.x1"}}


def job(name: str = "j", **facts: Any) -> RestoreJob:
    required: dict[str, Any] = {"restore_job_id": name, "target_index_name": "copy", "target_index_id": "idx-2"}
    required |= {"backup_id": "a", "status": "Pending", "created_at": NOW}
    return RestoreJob(**required | facts)


async def test_a_backup_from_its_creation_to_its_deletion(fake: FakePinecone) -> None:
    created = await ask(fake, CREATE, json={"name": "nightly", "description": "By hand"})
    facts = {"name": "nightly", "description": "By hand", "source_index_name": "products", "status": "Initializing"}
    assert created.json.items() >= (facts | {"created_at": "2026-04-01T00:00:00.000000123Z"}).items()
    assert (created.status, "size_bytes" in created.json) == (201, False)
    new = created.json["backup_id"]
    assert (await ask(fake, f"GET /backups/{new}")).json["status"] == "Ready"
    receipt = await ask(fake, f"POST /backups/{new}/create-index", json={"name": "copy"})
    assert (receipt.status, fake.indexes["copy"].ready, fake.restore_jobs[0].status) == (202, False, "Pending")
    done = (await ask(fake, f"GET /restore-jobs/{receipt.json['restore_job_id']}")).json
    assert done.items() >= {"status": "Completed", "percent_complete": 100, "backup_id": new}.items()
    assert done["target_index_id"] == receipt.json["index_id"]
    gone = await ask(fake, f"DELETE /backups/{new}")
    assert (gone.status, gone.text, len(fake.backups)) == (202, "", 4)
    assert (await ask(fake, f"GET /backups/{new}")).error == (404, f"Backup {new} not found.")


N: dict[str, Any] = {"name": "n"}
REFUSED: list[tuple[str, Any, int, str]] = [
    *((f"{verb} /backups/x", None, 404, "Backup x not found.") for verb in ("GET", "DELETE")),
    ("POST /backups/x/create-index", N, 404, "Backup x not found."),
    ("GET /restore-jobs/x", None, 404, "Restore job x not found."),
    *((f"GET /indexes/x{end}", None, 404, "Index x not found.") for end in ("", "/backups")),
    ("POST /indexes/x/backups", {}, 404, "Index x not found."),
    ("POST /indexes/pods/backups", {}, 400, "Backups from pod indexes are not supported"),
    ("POST /backups/b/create-index", N, 412, "Backup b is not completed"),
    (RESTORE, {"name": "products"}, 409, "Resource already exists."),
    ("DELETE /backups/c", None, 412, "There are pending restore jobs for this backup: ['j']"),
    (CREATE, {"names": "x"}, 422, "unknown field `names`"),
    (CREATE, {"name": None}, 422, "invalid type of `name`"),
    (CREATE, [], 422, "expected an object"),
    (RESTORE, {}, 422, "missing field `name`"),
    (RESTORE, N | {"tags": {"a": 1}}, 422, "invalid type of `tags`"),
    (RESTORE, N | {"tags": []}, 422, "invalid type of `tags`"),
    (RESTORE, N | {"read_capacity": {}}, 422, "unknown field `read_capacity`"),
    (RESTORE, N | {"deletion_protection": "on"}, 400, "deletion_protection must be enabled or disabled."),
    *[(RESTORE, {"name": name}, 400, "Index name must be") for name in ("", "-a", "a-", "A", "a_b", "a" * 46, "ä")],
    (f"{LIST}?include_deleted=1", None, 400, "include_deleted must be true or false."),
    ("GET /backups/%ff", None, 400, "The path is not UTF-8."),
]


@pytest.mark.parametrize(("line", "body", "status", "message"), REFUSED)
async def test_a_refusal_changes_nothing(fake: FakePinecone, line: str, body: Any, status: int, message: str) -> None:
    fake.add(job(backup_id="c"))
    fake.indexes["pods"] = attrs.evolve(fake.indexes["products"], name="pods", spec=POD)
    before = (fake.backups, fake.restore_jobs, dict(fake.indexes))
    refused = (await ask(fake, line, json=body)).error
    assert (refused[0], message in refused[1]) == (status, True)
    assert (fake.backups, fake.restore_jobs, fake.indexes) == before


@pytest.mark.parametrize(("content", "media_type", "status"), [
    (b"", "application/json", 422), (b"{", "application/json", 422), (b"{}", "text/plain", 400), (b"\xff", "", 400),
    (b"{}", "Application/JSON; charset=utf-8", 201),
])  # fmt: skip
async def test_a_body_must_be_json(fake: FakePinecone, content: bytes, media_type: str, status: int) -> None:
    assert (await ask(fake, CREATE, data=content, headers={"Content-Type": media_type})).status == status
    assert len(fake.backups) == (5 if status == 201 else 4)


async def test_what_costs_needs_payment_and_quota(fake: FakePinecone) -> None:
    fake.payment_required = True
    assert [(await ask(fake, request, json={"name": "n"})).error[0] for request in (CREATE, RESTORE)] == [402, 402]
    fake.payment_required, fake.max_backups = False, 4
    full = "Increase your quota or upgrade to create more backups."
    assert (await ask(fake, CREATE, json={})).error == (403, full)
    fake.delete("b")
    assert (await ask(fake, CREATE, json={})).status == 201


async def test_a_segment_of_a_path_is_decoded_once(fake: FakePinecone) -> None:
    fake.add(backup("a/b"), backup("%2F"), backup("ü ?"))
    for path, found in ("a%2Fb", "a/b"), ("%252F", "%2F"), ("%C3%BC%20%3F", "ü ?"):
        assert (await ask(fake, f"GET /backups/{path}")).json["backup_id"] == found
    assert (await ask(fake, "GET /backups/a/b")).status == 404


@pytest.mark.parametrize("path", ["/backups", "/backups/a", "/indexes", "/indexes/products/backups", "/restore-jobs"])
@pytest.mark.parametrize("method", ["TRACE", "HEAD", "OPTIONS", "PUT", "PATCH"])
async def test_another_method_of_a_known_path_is_a_405(fake: FakePinecone, method: str, path: str) -> None:
    reply = await ask(fake, f"{method} {path}")
    assert (reply.status, reply.headers["Allow"].split(", ")[0]) == (405, "GET")
    assert (await ask(fake, f"{method} {path}/x/y/z")).status == 404


async def test_the_listing_of_an_index_has_its_own(fake: FakePinecone) -> None:
    """What is asked of the first page does not stand in its token: `include_deleted` goes on every page."""
    fake.add(backup("old", 9, source_index_deleted_at=NOW), backup("other", source_index_name="other"))
    assert (await ask(fake, LIST)).ids == ["a", "b", "c", "d"]
    deleted = {"include_deleted": "true"}
    first = await ask(fake, LIST, query=deleted | {"limit": 4})
    rest = {"paginationToken": first.next_token}
    assert (first.ids, (await ask(fake, LIST, query=rest | deleted)).ids) == (["a", "b", "c", "d"], ["old"])
    assert (await ask(fake, LIST, query=rest)).ids == []


async def test_an_index_that_is_removed_is_deleted(fake: FakePinecone) -> None:
    """Its backups can be restored under its own name, which is another index then."""
    del fake.indexes["products"]
    assert {row.source_index_deleted_at for row in fake.backups} == {NOW}
    assert (await ask(fake, LIST)).status == 404
    assert len((await ask(fake, LIST, query={"include_deleted": "true"})).ids) == 4
    receipt = (await ask(fake, RESTORE, json={"name": "products"})).json
    assert {row.source_index_deleted_at for row in fake.backups} == {NOW}
    assert (await ask(fake, CREATE, json={})).json["source_index_id"] == receipt["index_id"]
    assert len((await ask(fake, LIST)).ids) == 1


async def test_a_removed_index_that_comes_back_is_another(fake: FakePinecone) -> None:
    del fake.indexes["products"]
    assert fake.backups[0].source_index_deleted_at == NOW
    fake.indexes["products"] = Index(name="products", host="h", status={}, spec={"byoc": {"environment": "e"}})
    assert (await ask(fake, LIST)).ids == []
    assert (await ask(fake, CREATE, json={})).json["source_index_id"] != "idx-1"
    assert [index["name"] for index in (await ask(fake, "GET /indexes")).json["indexes"]] == ["products"]


async def test_the_latest_version_answers_in_its_own_way() -> None:
    """200 for a creation, no dimension or metric, a deployment in place of a spec, a 401 in plain text."""
    new: Any = {"version": "2026-07"}
    async with FakePinecone(backups=6) as fake:
        created = await ask(fake, CREATE, json={}, **new)
        assert created.status == 200
        for row in created.json, *(await ask(fake, "GET /backups", **new)).json["data"]:
            assert not {"dimension", "metric"} & row.keys()
        index = (await ask(fake, "GET /indexes/products", **new)).json
        assert index["deployment"] == {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}
        assert not {"spec", "vector_type"} & index.keys()
        fake.indexes["products"] = attrs.evolve(fake.indexes["products"], spec=POD)
        pods = (await ask(fake, "GET /indexes", **new)).json["indexes"]
        assert {"deployment_type": "pod"} | POD["pod"] in [index["deployment"] for index in pods]
        refused = await ask(fake, "GET /backups", key="wrong", **new)
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


@pytest.mark.parametrize(("odd", "found"), [(False, ["01", "23", "4"]), (True, ["01", "12", "23"])])
async def test_jobs_may_be_listed_twice_or_not(fake: FakePinecone, odd: bool, found: list[str]) -> None:
    """Whatever the listing does, a job whose index is gone is left out."""
    fake.odd_restore_listing = odd
    fake.add(*(job(str(n), created_at=NOW.replace(minute=9 - n), target_index_name=f"i{n}") for n in range(6)))
    del fake.indexes["i5"]
    listed = await pages(fake, "GET /restore-jobs", limit=2)
    assert ["".join(row["restore_job_id"] for row in page.json["data"]) for page in listed] == found
