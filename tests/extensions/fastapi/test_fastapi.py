"""The pieces for FastAPI alone: the lifespan, the dependency, the types of answers, and an import without the extra."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from fastapi import FastAPI, Request, WebSocket

from pinecone_backups_async import (
    Backup,
    BackupPage,
    BackupsClient,
    ClientClosedError,
    ConfigurationError,
    MetadataField,
    MetadataSchema,
)
from pinecone_backups_async.fastapi import BackupModel, BackupPageModel, BackupsDep, lifespan, request_client
from pinecone_backups_async.testing import sample_backups

from .conftest import serving

KEY = "pcsk_key-of-the-fastapi-tests"


def make_client() -> BackupsClient:
    return BackupsClient(KEY, base_url="http://127.0.0.1:1")


def calling(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


async def test_the_lifespan_keeps_the_applications_own_and_closes_the_client() -> None:
    seen: dict[str, Any] = {}

    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        yield {"mine": 5}
        seen["ended"] = True

    app = FastAPI(lifespan=lifespan(make_client, own))

    @app.get("/")
    async def show(request: Request, client: BackupsDep) -> int:
        seen["client"] = client
        return int(request.state.mine)

    async with serving(app) as (url, _), httpx.AsyncClient() as http:
        assert (await http.get(url)).json() == 5
    assert seen["ended"]
    with pytest.raises(ClientClosedError):
        await seen["client"].fetch_page()


async def test_an_own_lifespan_that_yields_nothing_will_do() -> None:
    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncGenerator[None]:
        yield

    async with lifespan(make_client, own)(FastAPI()) as state:
        (client,) = state.values()
        assert isinstance(client, BackupsClient)


async def test_an_own_lifespan_that_fails_leaves_no_open_client() -> None:
    made: list[BackupsClient] = []

    async def connect() -> None:
        raise OSError("no database")

    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncGenerator[None]:
        await connect()
        yield

    def make() -> BackupsClient:
        made.append(make_client())
        return made[0]

    with pytest.raises(OSError, match="no database"):
        async with lifespan(make, own)(FastAPI()):
            pytest.fail("the application must not start")
    assert "closed" in repr(made[0])


async def test_a_service_without_a_key_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINECONE_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="PINECONE_API_KEY"):
        async with lifespan()(FastAPI()):
            pytest.fail("the application must not start")


async def test_every_start_of_an_application_has_a_client_of_its_own() -> None:
    app = FastAPI(lifespan=lifespan(make_client))
    seen: list[BackupsClient] = []

    @app.get("/")
    async def show(client: BackupsDep) -> None:
        seen.append(client)

    for _ in range(2):
        async with serving(app) as (url, _server), httpx.AsyncClient() as http:
            assert (await http.get(url)).status_code == 200
    assert seen[0] is not seen[1]
    assert all("closed" in repr(client) for client in seen)


async def test_websockets_get_the_client_too() -> None:
    app = FastAPI(lifespan=lifespan(make_client))
    sent: list[Any] = []

    @app.websocket("/")
    async def show(socket: WebSocket, client: BackupsDep) -> None:
        await socket.accept()
        await socket.send_text(repr(client))

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with lifespan(make_client)(app) as state:
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/",
            "headers": [],
            "query_string": b"",
            "state": dict(state),
        }
        await app(scope, receive, send)
    assert "BackupsClient" in sent[1]["text"]


async def test_without_the_lifespan_the_dependency_says_so() -> None:
    app = FastAPI()

    @app.get("/")
    async def show(client: BackupsDep) -> str:
        return repr(client)

    async with calling(app) as http:
        with pytest.raises(RuntimeError, match=r"FastAPI\(lifespan=lifespan\(\)\)"):
            await http.get("/")


async def test_a_request_without_a_key_never_borrows_the_services_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    app = FastAPI()

    @app.get("/")
    async def show(request: Request) -> str:
        return repr(request_client(request, request.headers.get("api-key")))

    async with calling(app) as http:
        with pytest.raises(ConfigurationError, match="api_key"):
            await http.get("/")


OLD_SHAPE = MetadataField(filterable=True, extra={"new": 1})
NEW_SHAPE = MetadataField(type="dense_vector", dimension=3, metric="cosine")
ODD = attrs.evolve(
    sample_backups(1)[0],
    schema=MetadataSchema(fields={"genre": OLD_SHAPE, "embedding": NEW_SHAPE}, extra={"version": 2}),
    tags={"team": "search", "depth": {"any": [None, 1.5]}},
    extra={"new_field": [1, {"deep": None}]},
)
BARE = Backup(
    backup_id="b", source_index_name="n", source_index_id="i", status="New", cloud="moon", region="sea", dimension=0
)
PAGE = BackupPage(data=(ODD, BARE, *sample_backups(50)), next_token="dG9rZW4=")


@pytest.fixture
async def answers() -> AsyncGenerator[httpx.AsyncClient]:
    app = FastAPI()

    @app.get("/page")
    async def page() -> BackupPageModel:
        return PAGE

    @app.get("/last")
    async def last() -> BackupPageModel:
        return BackupPage(data=())

    @app.get("/backup")
    async def backup() -> BackupModel:
        return ODD

    @app.get("/backups")
    async def backups() -> list[BackupModel]:
        return list(PAGE.data)

    async with calling(app) as http:
        yield http


async def test_models_go_out_as_their_to_dict(answers: httpx.AsyncClient) -> None:
    assert (await answers.get("/page")).json() == PAGE.to_dict()
    assert (await answers.get("/last")).json() == {"data": [], "pagination": None}
    assert (await answers.get("/backup")).json() == ODD.to_dict()
    assert (await answers.get("/backups")).json() == [backup.to_dict() for backup in PAGE.data]


@pytest.mark.parametrize("path", ["/page", "/last", "/backup", "/backups"])
async def test_what_goes_out_is_valid_by_the_openapi_schema(answers: httpx.AsyncClient, path: str) -> None:
    document = (await answers.get("/openapi.json")).json()
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate((await answers.get(path)).json(), schema | {"components": document["components"]})


async def test_the_openapi_schema_has_the_fields_of_the_classes(answers: httpx.AsyncClient) -> None:
    document = (await answers.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    responses = document["paths"]["/page"]["get"]["responses"]["200"]
    assert responses["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/BackupPage"}
    assert schemas["BackupPage"]["required"] == ["data", "pagination"]
    assert schemas["Pagination"]["required"] == ["next"]
    names = [field.name for field in attrs.fields(Backup) if field.name != "extra"]
    assert list(schemas["Backup"]["properties"]) == schemas["Backup"]["required"] == names
    assert {"type": "string", "format": "date-time"} in schemas["Backup"]["properties"]["created_at"]["anyOf"]
    assert schemas["Backup"]["properties"]["backup_id"]["type"] == "string"
    assert schemas["MetadataSchema"]["required"] == ["fields"]
    assert schemas["MetadataField"]["properties"].keys() == {"filterable", "type", "dimension", "metric"}
    assert "required" not in schemas["MetadataField"]


def test_without_the_extra_the_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.delitem(sys.modules, "pinecone_backups_async.fastapi")
    with pytest.raises(ImportError, match=r"pip install 'pinecone-backups-async\[fastapi\]'"):
        importlib.import_module("pinecone_backups_async.fastapi")
