"""The endpoints beside the listing: what each does and what it refuses, asked without a client."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from pinecone_backups_async import Index, RestoreJob
from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, ask, backup

CREATE = "POST /indexes/products/backups"
RESTORE = "POST /backups/a/create-index"
POD = {"pod": {"environment": "us-west1-gcp", "pod_type": "p1.x1"}}


def job(name: str = "j", **facts: Any) -> RestoreJob:
    required: dict[str, Any] = {
        "restore_job_id": name,
        "backup_id": "a",
        "target_index_name": "copy",
        "target_index_id": "idx-2",
    }
    required |= {"status": "Pending", "created_at": NOW}
    return RestoreJob(**required | facts)


def project(**settings: Any) -> FakePinecone:
    return FakePinecone([backup("a"), backup("b", 1, status="Failed"), backup("a/b", 2)], now=NOW, **settings)


async def test_create_describe_restore_describe_delete() -> None:
    async with FakePinecone(indexes=["products"], now=NOW) as fake:
        created = await ask(fake, CREATE, json={"name": "nightly", "description": "By hand"})
        assert created.status == 201
        new = created.json["backup_id"]
        facts = {"name": "nightly", "description": "By hand", "source_index_name": "products", "status": "Initializing"}
        assert facts.items() <= created.json.items()
        assert created.json["created_at"] == "2026-04-01T00:00:00.000000123Z"
        assert "size_bytes" not in created.json
        ready = (await ask(fake, f"GET /backups/{new}")).json
        assert (ready["status"], ready["size_bytes"]) == ("Ready", 0)
        receipt = await ask(fake, f"POST /backups/{new}/create-index", json={"name": "copy"})
        assert (receipt.status, fake.indexes["copy"].ready, fake.restore_jobs[0].status) == (202, False, "Pending")
        done = (await ask(fake, f"GET /restore-jobs/{receipt.json['restore_job_id']}")).json
        assert {"status": "Completed", "percent_complete": 100, "backup_id": new}.items() <= done.items()
        assert done["target_index_id"] == receipt.json["index_id"]
        assert fake.indexes["copy"].ready
        gone = await ask(fake, f"DELETE /backups/{new}")
        assert (gone.status, gone.text, fake.backups) == (202, "", ())
        assert (await ask(fake, f"GET /backups/{new}")).error == (404, f"Backup {new} not found.")


REFUSED: list[tuple[str, Any, int, str]] = [
    ("GET /backups/x", None, 404, "Backup x not found."),
    ("DELETE /backups/x", None, 404, "Backup x not found."),
    ("POST /backups/x/create-index", {"name": "n"}, 404, "Backup x not found."),
    ("GET /restore-jobs/x", None, 404, "Restore job x not found."),
    ("GET /indexes/x", None, 404, "Index x not found."),
    ("GET /indexes/x/backups", None, 404, "Index x not found."),
    ("POST /indexes/x/backups", {}, 404, "Index x not found."),
    ("POST /indexes/pods/backups", {}, 400, "Backups from pod indexes are not supported"),
    ("POST /backups/b/create-index", {"name": "n"}, 412, "Backup b is not completed"),
    (RESTORE, {"name": "products"}, 409, "Resource already exists."),
    ("DELETE /backups/a%2Fb", None, 412, "There are pending restore jobs for this backup: ['j']"),
    (CREATE, {"names": "x"}, 422, "unknown field `names`"),
    (CREATE, {"name": None}, 422, "invalid type of `name`"),
    (CREATE, [], 422, "expected an object"),
    (RESTORE, {}, 422, "missing field `name`"),
    (RESTORE, {"name": "n", "tags": {"a": 1}}, 422, "invalid type of `tags`"),
    (RESTORE, {"name": "n", "tags": []}, 422, "invalid type of `tags`"),
    (RESTORE, {"name": "n", "read_capacity": {}}, 422, "unknown field `read_capacity`"),
    (RESTORE, {"name": "n", "deletion_protection": "on"}, 400, "deletion_protection must be enabled or disabled."),
    *[(RESTORE, {"name": name}, 400, "Index name must be") for name in ("", "-a", "a-", "A", "a_b", "a" * 46, "ä")],
    ("GET /indexes/products/backups?include_deleted=1", None, 400, "include_deleted must be true or false."),
    ("GET /backups/%ff", None, 400, "The path is not UTF-8."),
]


@pytest.mark.parametrize(("request_line", "body", "status", "message"), REFUSED)
async def test_what_is_refused_changes_nothing(request_line: str, body: Any, status: int, message: str) -> None:
    async with project() as fake:
        fake.add(job(backup_id="a/b"))
        fake.indexes["pods"] = attrs.evolve(fake.indexes["products"], name="pods", spec=POD)
        before = (fake.backups, fake.restore_jobs, dict(fake.indexes))
        refused = (await ask(fake, request_line, json=body)).error
        assert refused[0] == status
        assert message in refused[1]
        assert (fake.backups, fake.restore_jobs, fake.indexes) == before


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [(b"", "application/json", 422), (b"{", "application/json", 422), (b"{}", "text/plain", 400), (b"\xff", "", 400)],
)
async def test_a_body_that_is_no_json_is_refused(content: bytes, media_type: str, status: int) -> None:
    async with project() as fake:
        assert (await ask(fake, CREATE, data=content, headers={"Content-Type": media_type})).status == status
        assert len(fake.backups) == 3
        media_type = "Application/JSON; charset=utf-8"
        assert (await ask(fake, CREATE, data=b"{}", headers={"Content-Type": media_type})).status == 201


async def test_what_costs_is_refused_without_payment_or_quota() -> None:
    async with project() as fake:
        fake.payment_required = True
        for request in CREATE, RESTORE:
            assert (await ask(fake, request, json={"name": "n"})).error[0] == 402
        fake.payment_required, fake.max_backups = False, 3
        full = "Increase your quota or upgrade to create more backups."
        assert (await ask(fake, CREATE, json={})).error == (403, full)
        fake.delete("b")
        assert (await ask(fake, CREATE, json={})).status == 201


async def test_a_segment_of_a_path_is_decoded_once() -> None:
    async with project() as fake:
        fake.add(backup("%2F"), backup("ü ?"))
        for path, found in ("a%2Fb", "a/b"), ("%252F", "%2F"), ("%C3%BC%20%3F", "ü ?"):
            assert (await ask(fake, f"GET /backups/{path}")).json["backup_id"] == found
        assert (await ask(fake, "GET /backups/a/b")).status == 404


@pytest.mark.parametrize("path", ["/backups", "/backups/a", "/indexes", "/indexes/products/backups", "/restore-jobs"])
@pytest.mark.parametrize("method", ["TRACE", "HEAD", "OPTIONS", "PUT", "PATCH"])
async def test_another_method_of_a_known_path_is_a_405(method: str, path: str) -> None:
    async with project() as fake:
        reply = await ask(fake, f"{method} {path}")
        assert (reply.status, reply.headers["Allow"].split(", ")[0]) == (405, "GET")
        assert (await ask(fake, f"{method} {path}/x/y/z")).status == 404


async def test_the_listing_of_an_index_has_its_own_backups() -> None:
    gone = backup("old", 9, source_index_deleted_at=NOW)
    async with project() as fake:
        fake.add(gone, backup("other", source_index_name="other"))
        assert (await ask(fake, "GET /indexes/products/backups")).ids == ["a", "b", "a/b"]
        first = await ask(fake, "GET /indexes/products/backups", query={"include_deleted": "true", "limit": 3})
        assert first.ids == ["a", "b", "a/b"]
        rest = {"paginationToken": first.next_token or ""}
        assert (await ask(fake, "GET /indexes/products/backups", query=rest | {"include_deleted": "true"})).ids == [
            "old"
        ]
        assert (await ask(fake, "GET /indexes/products/backups", query=rest)).ids == []  # the token does not carry it


async def test_an_index_that_is_removed_is_deleted() -> None:
    async with project() as fake:
        del fake.indexes["products"]
        assert {row.source_index_deleted_at for row in fake.backups} == {NOW}
        assert (await ask(fake, "GET /indexes/products/backups")).status == 404
        query = {"include_deleted": "true"}
        assert len((await ask(fake, "GET /indexes/products/backups", query=query)).ids) == 3
        fake.indexes["products"] = Index(name="products", host="h", status={}, spec={"byoc": {"environment": "e"}})
        assert (await ask(fake, "GET /indexes/products/backups")).ids == []
        again = (await ask(fake, CREATE, json={})).json
        assert again["source_index_id"] != "idx-1"
        assert [index["name"] for index in (await ask(fake, "GET /indexes")).json["indexes"]] == ["products"]


async def test_a_deleted_index_is_restored_under_its_own_name() -> None:
    async with project() as fake:
        del fake.indexes["products"]
        receipt = (await ask(fake, RESTORE, json={"name": "products"})).json
        assert {row.source_index_deleted_at for row in fake.backups} == {NOW}
        assert (await ask(fake, CREATE, json={})).json["source_index_id"] == receipt["index_id"]
        assert len((await ask(fake, "GET /indexes/products/backups")).ids) == 1


async def test_the_latest_version_answers_in_its_own_way() -> None:
    """200 for a creation, no dimension or metric, a deployment in place of a spec, a 401 in plain text."""
    async with FakePinecone(backups=6) as fake:
        created = await ask(fake, CREATE, json={}, version="2026-07")
        assert created.status == 200
        for row in created.json, *(await ask(fake, "GET /backups", version="2026-07")).json["data"]:
            assert not {"dimension", "metric"} & row.keys()
        index = (await ask(fake, "GET /indexes/products", version="2026-07")).json
        assert index["deployment"] == {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}
        assert not {"spec", "vector_type"} & index.keys()
        fake.indexes["products"] = attrs.evolve(fake.indexes["products"], spec=POD)
        pods = (await ask(fake, "GET /indexes", version="2026-07")).json["indexes"]
        assert {"deployment_type": "pod"} | POD["pod"] in [index["deployment"] for index in pods]
        refused = await ask(fake, "GET /backups", version="2026-07", key="wrong")
        assert (refused.status, refused.text, refused.headers["Content-Type"]) == (401, "Invalid API key", "text/plain")
        capacity = {"name": "copy", "read_capacity": {"mode": "OnDemand"}}
        ready = next(row.backup_id for row in fake.backups if row.status == "Ready")
        assert (await ask(fake, f"POST /backups/{ready}/create-index", json=capacity, version="2026-07")).status == 202


async def test_a_restored_index_is_as_its_backup_says() -> None:
    async with project() as fake:
        fake.add(backup("t", tags={"team": "search"}, dimension=8, metric="euclidean", cloud="gcp", region="r"))
        await ask(fake, "POST /backups/t/create-index", json={"name": "one"})
        await ask(
            fake, "POST /backups/t/create-index", json={"name": "two", "tags": {}, "deletion_protection": "enabled"}
        )
        one, two = (fake.indexes[name] for name in ("one", "two"))
        assert (one.dimension, one.metric, one.spec["serverless"]["region"]) == (8, "euclidean", "r")
        assert dict(one.extra) == {"tags": {"team": "search"}, "deletion_protection": "disabled"}
        assert dict(two.extra) == {"tags": {}, "deletion_protection": "enabled"}


@pytest.mark.parametrize(("odd", "pages"), [(False, ["01", "23", "4"]), (True, ["01", "12", "23"])])
async def test_the_listing_of_jobs_may_overlap_and_end_early(odd: bool, pages: list[str]) -> None:
    """Whatever it does, a job whose index is gone is left out."""
    async with project() as fake:
        fake.odd_restore_listing = odd
        fake.add(*(job(str(n), created_at=NOW.replace(minute=9 - n), target_index_name=f"i{n}") for n in range(6)))
        del fake.indexes["i5"]
        reply = await ask(fake, "GET /restore-jobs", query={"limit": 2})
        found = [reply]
        while reply.next_token is not None:
            reply = await ask(fake, "GET /restore-jobs", query={"paginationToken": reply.next_token})
            found.append(reply)
        assert ["".join(row["restore_job_id"] for row in page.json["data"]) for page in found] == pages
