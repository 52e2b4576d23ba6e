"""The pieces for FastAPI alone: the lifespan, the dependency, types of responses, and an import without the extra."""

from __future__ import annotations

import datetime as dt
import importlib
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any, cast

import attrs
import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from fastapi import FastAPI, Request, WebSocket

import pinecone_backups_async as pba
from pinecone_backups_async import Backup, BackupPage, BackupsClient, Index, RestoreJob, RestoreJobPage, RestoreReceipt
from pinecone_backups_async import fastapi as extension
from pinecone_backups_async.fastapi import BackupsDep, NdjsonResponse, lifespan, problem_responses, request_client
from pinecone_backups_async.testing import sample_backups
from tests.support.services import example_app, get, http_client, sent_to_websocket, serving

KEY = "pcsk_key-of-the-fastapi-tests"


def make_client() -> BackupsClient:
    return BackupsClient(KEY, base_url="http://127.0.0.1:1", retry=pba.RetryPolicy(attempts=1))


async def test_the_lifespan_keeps_the_applications_own() -> None:
    """Each start has a client of its own, which is closed at the end."""
    clients: list[BackupsClient] = []
    ends: list[str] = []

    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        yield {"mine": 5}
        ends.append("own")

    app = FastAPI(lifespan=lifespan(make_client, own))

    @app.get("/")
    async def show(request: Request, client: BackupsDep) -> int:
        clients.append(client)
        return int(request.state.mine)

    for _ in range(2):
        async with serving(app) as (url, _server):
            assert (await get(url)).json() == 5
    assert ends == ["own", "own"]
    assert clients[0] is not clients[1]
    assert ["closed" in repr(client) for client in clients] == [True, True]
    async with http_client(app) as http:  # which does not run the lifespan
        with pytest.raises(RuntimeError, match=r"the lifespan did not run.*FastAPI\(lifespan=lifespan\(\)\)"):
            await http.get("/")


async def test_a_lifespan_that_fails() -> None:
    """The application does not start: without a key, or where its own lifespan fails, which leaves no open client."""
    app = example_app()
    with pytest.raises(pba.ConfigurationError, match="set PINECONE_API_KEY"):
        async with app.router.lifespan_context(app):
            pytest.fail("the application must not start")
    client = make_client()

    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncGenerator[None]:
        await client.fetch_page()
        yield

    with pytest.raises(pba.TransportError):
        async with lifespan(lambda: client, own)(FastAPI()):
            pytest.fail("the application must not start")
    assert "closed" in repr(client)


async def test_websockets_get_the_client_too() -> None:
    app = FastAPI()

    @app.websocket("/")
    async def show(socket: WebSocket, client: BackupsDep) -> None:
        await socket.accept()
        await socket.send_text(repr(client))

    async with lifespan(make_client, lambda _: nullcontext())(app) as state:  # an own lifespan that yields nothing
        sent = await sent_to_websocket(app, state=dict(state))
    assert "BackupsClient" in sent[1]["text"]


@pytest.mark.parametrize(("key", "settings"), [(None, {}), (f"{KEY}\n", {}), (KEY, {"timeout": 0})])
async def test_a_refused_client(monkeypatch: pytest.MonkeyPatch, key: str | None, settings: dict[str, Any]) -> None:
    """The service's own key is never used instead, and the request's is in no frame of the package."""
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    request = Request({"type": "http", "state": {}})
    with pytest.raises(pba.ConfigurationError) as caught:
        request_client(request, key, **settings)
    frames = [entry.frame for entry in caught.traceback if "pinecone_backups_async" in str(entry.path)]
    assert frames
    assert not [frame for frame in frames if KEY in repr(frame.f_locals)]


JSON = {"any": [None, 1.5, {"deep": "ü"}]}
OLD_FIELD = pba.MetadataField(filterable=True, extra={"new": 1})
NEW_FIELD = pba.MetadataField(type="dense_vector", dimension=3, metric="cosine")
SCHEMA = pba.MetadataSchema(fields={"genre": OLD_FIELD, "embedding": NEW_FIELD}, extra={"version": 2})
BACKUP = attrs.evolve(sample_backups(1)[0], schema=SCHEMA, tags=JSON, extra={"new_field": [1, JSON]})
BARE = Backup(backup_id="b", source_index_name="n", source_index_id="i", status="New", cloud="moon", region="sea")
NOW = dt.datetime.now(dt.UTC)
IDS: dict[str, Any] = {"restore_job_id": "r", "backup_id": "b", "target_index_name": "n", "target_index_id": "i"}
JOB = RestoreJob(**IDS, status="Completed", created_at=NOW, completed_at=NOW, percent_complete=100.0, extra=JSON)
RUNNING = RestoreJob(**IDS, status="Pending", created_at=NOW)
RECEIPT = RestoreReceipt(restore_job_id="r", index_id="i", extra=JSON)
INDEX = Index(name="n", host="h", status={"ready": True, "state": "Ready"}, spec={"serverless": JSON}, extra=JSON)
BACKUPS = (BACKUP, BARE, *sample_backups(50))
MODELS: dict[Any, list[Any]] = {
    extension.BackupModel: [*BACKUPS],
    extension.BackupPageModel: [BackupPage(data=BACKUPS, next_token="t"), BackupPage(data=())],
    extension.RestoreJobModel: [JOB, RUNNING],
    extension.RestoreJobPageModel: [RestoreJobPage(data=(JOB, RUNNING), next_token="t")],
    extension.RestoreReceiptModel: [RECEIPT],
    extension.IndexModel: [INDEX, attrs.evolve(INDEX, dimension=3, metric="cosine", vector_type="dense")],
}


def returning(value: Any) -> Callable[[], Any]:
    return lambda: value


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    app = FastAPI(responses=problem_responses)
    for model, values in MODELS.items():
        rows: Any = list[model]  # type: ignore[valid-type]
        app.add_api_route(f"/{type(values[0]).__name__}", returning(values), response_model=rows)
    app.add_api_route("/ndjson", returning(None), response_class=NdjsonResponse)
    async with http_client(app) as http:
        yield http


@pytest.mark.parametrize("values", MODELS.values(), ids=lambda values: type(values[0]).__name__)
async def test_models_go_out_as_their_to_dict(http: httpx.AsyncClient, values: list[Any]) -> None:
    """What goes out is valid by the schema in the OpenAPI document, which has every field with a description."""
    name, dicts = type(values[0]).__name__, [value.to_dict() for value in values]
    assert (await http.get(f"/{name}")).json() == dicts
    components = (await http.get("/openapi.json")).json()["components"]
    for body in dicts:
        jsonschema.validate(body, {"$ref": f"#/components/schemas/{name}", "components": components})
    schema = components["schemas"][name]
    fields = {field.name for field in attrs.fields(cast("Any", type(values[0])))} - {"extra"}
    assert schema["properties"].keys() == ({"data", "pagination"} if "Page" in name else fields)
    for described in (schema, *schema["properties"].values()):
        assert described["description"]


async def test_the_openapi_document(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert schemas["Backup"]["required"] == list(schemas["Backup"]["properties"])
    assert {"type": "string", "format": "date-time"} in schemas["Backup"]["properties"]["created_at"]["anyOf"]
    assert schemas["Index"]["required"] == ["name", "host", "status"]
    assert schemas["Pagination"]["required"] == ["next"]
    responses = document["paths"]["/ndjson"]["get"]["responses"]
    assert list(responses["200"]["content"]) == ["application/x-ndjson"]
    assert {int(status) for status in responses} == {200, *problem_responses}
    assert list(responses["422"]["content"]) == ["application/problem+json", "application/json"]
    assert list(responses["502"]["content"]) == ["application/problem+json"]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", cast("Any", None))
    monkeypatch.delitem(sys.modules, "pinecone_backups_async.fastapi")
    with pytest.raises(ImportError, match=r"pip install 'pinecone-backups-async\[fastapi\]'"):
        importlib.import_module("pinecone_backups_async.fastapi")
