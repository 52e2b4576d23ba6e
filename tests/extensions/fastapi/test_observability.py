"""What a service sees of the client: its log, and OpenTelemetry's spans."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pinecone_backups_async import BackupsClient, RetryPolicy, ServiceError, TransportError
from pinecone_backups_async.testing import Answer, FakePinecone

KEY = "pcsk_canary-of-the-observability-tests"
DOWN = Answer.error(503, "UNAVAILABLE", f"Down, {KEY}.")


def client_for(fake: FakePinecone) -> BackupsClient:
    return BackupsClient(KEY, base_url=fake.url, retry=RetryPolicy(random=lambda: 0.0))


async def walk(fake: FakePinecone) -> list[str]:
    async with client_for(fake) as client:
        return [page.next_token or "" async for page in client.list_backups().pages()]


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    records = [record for record in caplog.records if record.name.startswith("pinecone_backups_async")]
    return [record for record in records if "pinecone_method" not in vars(record)]  # one for each attempt, at DEBUG


async def test_a_retry_is_a_warning_and_a_finished_walk_is_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakePinecone(backups=250, api_key=KEY) as fake:
        fake.play(None, DOWN)
        tokens = await walk(fake)
    assert [(record.levelname, record.getMessage()) for record in ours(caplog)] == [
        ("WARNING", "ServiceError 503 in attempt 1, next in 0.00 s"),
        ("DEBUG", "a listing ended (exhausted): 250 items in 3 pages"),
    ]
    assert {record.name for record in ours(caplog)} == {"pinecone_backups_async"}
    warning = vars(ours(caplog)[0])
    assert (warning["pinecone_status"], warning["pinecone_attempt"], warning["pinecone_delay"]) == (503, 1, 0.0)
    assert KEY not in caplog.text
    assert [token for token in tokens if token]
    assert not [token for token in tokens if token and token in caplog.text]


async def refuse_one_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def test_a_retry_after_a_broken_connection_has_no_status(caplog: pytest.LogCaptureFixture) -> None:
    async with await asyncio.start_server(refuse_one_connection, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        policy = RetryPolicy(random=lambda: 0.0, attempts=2)
        async with BackupsClient(KEY, base_url=f"http://127.0.0.1:{port}", retry=policy) as client:
            with pytest.raises(TransportError):
                await client.fetch_page()
    (warning,) = ours(caplog)
    assert (warning.levelname, vars(warning)["pinecone_status"], vars(warning)["pinecone_attempt"]) == (
        "WARNING",
        None,
        1,
    )


async def test_the_error_that_is_raised_is_not_logged_as_well(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakePinecone(api_key=KEY) as fake, client_for(fake) as client:
        fake.play(*[DOWN] * 4)
        with pytest.raises(ServiceError):
            await client.fetch_page()
    assert [vars(record)["pinecone_attempt"] for record in ours(caplog)] == [1, 2, 3]
    assert KEY not in caplog.text


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    for kind in ("REQUEST", "RESPONSE"):
        monkeypatch.setenv(f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_{kind}", ".*")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield exporter
    instrumentor.uninstrument()


async def test_K4_every_request_has_a_span_and_none_shows_the_key(spans: InMemorySpanExporter) -> None:
    async with FakePinecone(backups=250, api_key=KEY) as fake:
        fake.play(None, DOWN)
        await walk(fake)
    finished = spans.get_finished_spans()
    assert len(finished) == len(fake.requests) == 4
    assert {request.headers["Api-Key"] for request in fake.requests} == {KEY}
    told = "".join(span.to_json() for span in finished)
    assert "http.request.header.x_pinecone_api_version" in told  # all headers were captured
    assert KEY not in told


async def test_K4_spans_of_failures_show_no_key_either(spans: InMemorySpanExporter) -> None:
    async with FakePinecone(api_key=KEY) as fake:
        url = fake.url
    async with BackupsClient(KEY, base_url=url, retry=RetryPolicy(random=lambda: 0.0, attempts=2)) as client:
        with pytest.raises(TransportError, match="refused"):
            await client.fetch_page()
    finished = spans.get_finished_spans()
    assert len(finished) == 2
    assert {span.status.status_code.name for span in finished} == {"ERROR"}
    assert KEY not in "".join(span.to_json() for span in finished)
