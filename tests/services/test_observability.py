"""What a service sees of the client: its log, and OpenTelemetry's spans."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pinecone_backups_async import BackupsClient, RetryPolicy
from pinecone_backups_async.testing import Answer, FakePinecone

KEY = "pcsk_canary-of-the-observability-tests"
DOWN = Answer.error(503, "UNAVAILABLE", "Down.")


async def walk(fake: FakePinecone) -> list[str]:
    policy = RetryPolicy(random=lambda: 0.0)
    async with BackupsClient(KEY, base_url=fake.url, retry=policy) as client:
        return [page.next_token or "" async for page in client.list_backups().pages()]


async def test_a_retry_is_a_warning_and_a_finished_walk_is_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakePinecone(backups=250, api_key=KEY) as fake:
        fake.play(None, DOWN)
        tokens = await walk(fake)
    ours = [record for record in caplog.records if record.name.startswith("pinecone_backups_async")]
    assert [(record.levelname, record.getMessage()) for record in ours] == [
        ("WARNING", "ServiceError 503 in attempt 1, next in 0.00 s"),
        ("DEBUG", "a walk ended: 250 backups in 3 pages"),
    ]
    assert {record.name for record in ours} == {"pinecone_backups_async"}
    warning = vars(ours[0])
    assert (warning["status"], warning["attempt"], warning["delay"]) == (503, 1, 0.0)
    assert KEY not in caplog.text
    assert not [token for token in tokens if token and token in caplog.text]


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
    told = "".join(span.to_json() for span in finished)
    assert "2026-04" in told  # all headers were captured
    assert KEY not in told
