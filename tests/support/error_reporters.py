"""Whoever looks at an error with all that they can get: object graph, pickle, tracebacks with locals, Sentry, spans.

The tests' own frames know the key, so of frames only those of the package and of libraries are looked at.
"""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import sentry_sdk
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rich.traceback import Traceback

from tests.support.guard import TESTS


def the_error_itself(raised: BaseException) -> str:
    return f"{raised} {raised!r} {raised.args!r} {vars(raised)!r} {raised.__cause__!r} {raised.__context__!r}"


def a_pickle(raised: BaseException) -> str:
    return pickle.dumps(raised).decode(errors="replace")


def a_traceback(raised: BaseException) -> str:
    shown = traceback.TracebackException.from_exception(raised, capture_locals=True)
    ahead: list[traceback.TracebackException | None] = [shown]
    for told in ahead:
        if told is not None:
            ahead += [told.__cause__, told.__context__]
            for frame in told.stack:
                if frame.filename.startswith(TESTS) and frame.locals is not None:
                    frame.locals.clear()
    return "".join(shown.format())


def a_rich_traceback(raised: BaseException) -> str:
    """Return all that rich would print beside the lines of the source: colouring these takes most of its time."""
    trace = Traceback.extract(type(raised), raised, raised.__traceback__, show_locals=True, locals_max_string=10**6)
    for stack in trace.stacks:
        stack.frames = [frame for frame in stack.frames if not frame.filename.startswith(TESTS)]
    return str(trace)


def a_sentry_event(raised: BaseException) -> str:
    """Return the event as Sentry's client would send it, without the frames of the tests."""
    events: list[Any] = []
    client = sentry_sdk.Client(
        dsn="http://public@127.0.0.1:1/1",
        before_send=lambda event, _: events.append(event),
        include_local_variables=True,
        default_integrations=False,
    )
    with sentry_sdk.new_scope() as scope:
        scope.set_client(client)
        sentry_sdk.capture_exception(raised)
    (event,) = events
    for value in event["exception"]["values"]:
        frames = value.get("stacktrace", {}).get("frames", [])
        value["stacktrace"] = [frame for frame in frames if not frame["abs_path"].startswith(TESTS)]
    return json.dumps(event)


ONLOOKERS: dict[str, Callable[[BaseException], str]] = {
    "the error itself": the_error_itself,
    "a pickle": a_pickle,
    "a traceback with locals": a_traceback,
    "rich's": a_rich_traceback,
    "a Sentry event": a_sentry_event,
}


@contextmanager
def spans() -> Generator[InMemorySpanExporter]:
    """Let OpenTelemetry record each request of aiohttp's, with all headers, also those that it has at its end."""

    def note(span: Any, params: Any) -> None:
        response = getattr(params, "response", None)
        span.set_attribute("headers.at.end", f"{params.headers} {response and response.request_info}")

    capture = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_"
    exporter, provider, instrumentor = InMemorySpanExporter(), TracerProvider(), AioHttpClientInstrumentor()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with mock.patch.dict("os.environ", {f"{capture}REQUEST": ".*", f"{capture}RESPONSE": ".*"}):
        instrumentor.instrument(tracer_provider=provider, response_hook=note)
        try:
            yield exporter
        finally:
            instrumentor.uninstrument()
            provider.shutdown()
