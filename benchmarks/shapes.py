"""The search for the response that holds the event loop longest: shapes of values in every place of a body.

Each body is as large as a response may be, in bytes or in values, and a little less; so nothing is refused early.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from multidict import CIMultiDict

from pinecone_backups_async import BackupsError
from pinecone_backups_async._decode import MAX_BODY, MAX_DEPTH, MAX_ERROR_BODY, MAX_VALUES
from pinecone_backups_async._endpoints import DESCRIBE_RESTORE_JOB, LIST_INDEXES, LIST_RESTORE_JOBS
from pinecone_backups_async._endpoints import LIST_PROJECT_BACKUPS as LIST
from pinecone_backups_async._protocol import Endpoint, Protocol, Response
from pinecone_backups_async._structure import MAX_ROWS
from tests.support.samples import row

Shape = tuple[str, str, int]
_END = '],"pagination":null}'
_PROTOCOL = Protocol("https://api.example", {}, ["pcsk_benchmark-of-the-shapes"])

# JSON texts of one value.
VALUES: dict[str, str] = {
    "null": "null",
    "digit": "5",
    "float": "1.5",
    "long float": "0." + "1234567890" * 4,
    "longer float": "0." + "1234567890" * 70 + "e-300",
    "long int": "9" * 300,
    "longest int": "9" * 4_290,
    "empty text": '""',
    "text": '"a text of some words"',
    "long text": '"' + "x" * 4_000 + '"',
    "controls": '"' + r"\u0001" * 600 + '"',
    "escapes": '"' + r"\n\"" * 600 + '"',
    "wide text": '"' + "\u00e9\U0001f600" * 100 + '"',
    "escaped wide text": '"' + r"\ud83d\ude00" * 100 + '"',
    "time": '"2024-03-15T10:30:00+01:00"',
    "list": "[]",
    "object": "{}",
    "list of lists": "[[],[],[]]",
    "field": '{"filterable":true,"type":"string"}',
    "field of the future": '{"filterable":true,"novel":1}',
    "wrong field": '{"filterable":1}',
    "deep lists": "[" * (MAX_DEPTH - 8) + "]" * (MAX_DEPTH - 8),
    "deep objects": '{"a":' * (MAX_DEPTH - 8) + "1" + "}" * (MAX_DEPTH - 8),
}
KEYS: dict[str, Callable[[int], str]] = {
    "": lambda _: "",  # no keys: an array
    "short keys": lambda number: f'"{number:x}":',
    "long keys": lambda number: f'"{number:080}":',
    "odd keys": lambda number: rf'"\u0001\"\u00e9{number:x}":',
    "one key": lambda _: '"same":',
}


def _error(field: str) -> str:
    error: dict[str, Any] = {"code": "UNKNOWN", "message": "It failed."} | {field: "@"}
    return json.dumps({"status": 500, "error": error})


def _page(**fields: Any) -> str:
    return json.dumps({"data": [row(**fields)], "pagination": None})


# Where the values stand: the endpoint, the status, and the JSON around them.
PLACES: dict[str, tuple[Endpoint[Any], int, str]] = {
    "page": (LIST, 200, '{"data":[],"novel":"@"}'),
    "rows": (LIST, 200, '{"data":"@"}'),
    "extra": (LIST, 200, _page(novel="@")),
    "tags": (LIST, 200, _page(tags="@")),
    "name": (LIST, 200, _page(name="@")),
    "created_at": (LIST, 200, _page(created_at="@")),
    "fields": (LIST, 200, _page(schema={"fields": "@"})),
    "fields beside novel": (LIST, 200, _page(schema={"fields": "@"}, novel=1)),
    "schema": (LIST, 200, _page(schema={"fields": {}, "novel": "@"})),
    "token": (LIST, 200, '{"data":[],"pagination":{"next":"@"}}'),
    "error under 200": (LIST, 200, _error("details")),
    "message under 200": (LIST, 200, _error("message")),
    "details": (LIST, 500, _error("details")),
    "message": (LIST, 500, _error("message")),
    "plain error": (LIST, 502, '"@"'),
    "restore jobs": (LIST_RESTORE_JOBS, 200, '{"data":"@"}'),
    "restore job": (DESCRIBE_RESTORE_JOB, 200, '{"restore_job_id":"@"}'),
    "indexes": (LIST_INDEXES, 200, '{"indexes":"@"}'),
}


def bodies() -> Iterator[Shape]:
    """Yield every shape: place, value with its keys, how many rows repeat it."""
    for place, value, rows, keys in itertools.product(PLACES, VALUES, (1, 100, MAX_ROWS), KEYS):
        if rows == 1 or '"data": [{' in PLACES[place][2]:
            yield place, f"{value}/{keys}", rows


def body_of(shape: Shape) -> bytes:
    """Return the bytes of a shape, as many values as 99 % of the limits allow."""
    place, what, rows = shape
    value, _, keys = what.partition("/")
    _, status, around = PLACES[place]
    ahead, behind = around.replace(" ", "").split('"@"')
    begin = end = ""
    if rows > 1:  # the row alone is repeated
        begin, ahead = '{"data":[', ahead.removeprefix('{"data":[')
        behind, end = behind.removesuffix(_END), _END
    each, key = VALUES[value], KEYS[keys]
    commas = each.count(",") + each.count("[") + each.count("{") + 1
    fixed = len((ahead + behind).encode()) + 3
    bytes_each = len((key(10**5) + each).encode()) + 1
    of_row = (ahead + behind).count(",") + ahead.count("{") + 2
    size = 0.99 * (MAX_BODY if status == 200 else MAX_ERROR_BODY)
    number = int(min((size / rows - fixed) / bytes_each, (0.99 * MAX_VALUES / rows - of_row) / commas))
    items = ",".join(key(place) + each for place in range(number))
    one = f"{ahead}{'{' if key(0) else '['}{items}{'}' if key(0) else ']'}{behind}"
    return (begin + ",".join([one] * rows) + end).encode()


def seconds_of(shape: Shape) -> tuple[float, str]:
    """Return the CPU seconds that reading a shape takes, and what came of it."""
    endpoint, status, _ = PLACES[shape[0]]
    response = Response(status, CIMultiDict[str](), body_of(shape))
    began = time.thread_time()
    try:
        outcome = type(_PROTOCOL.read(endpoint, response)).__name__
    except BackupsError as error:
        outcome = type(error).__name__
    return time.thread_time() - began, outcome


def worst(most: int | None = None) -> tuple[float, Shape]:
    """Return the slowest shape, of all or of a sample, and its time: the least of three for each of the ten slowest."""
    shapes = list(bodies())
    if most is not None:
        shapes = random.Random(1).sample(shapes, most)
    slowest = sorted(shapes, key=lambda shape: seconds_of(shape)[0], reverse=True)[:10]
    return max((min(seconds_of(shape)[0] for _ in range(3)), shape) for shape in slowest)
