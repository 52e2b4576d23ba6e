"""The bridge that lets aioresponses 0.7.9 answer for aiohttp 3.14 and later; the testing guide shows the same.

aiohttp's ClientResponse asks for a `stream_writer` since 3.14, and aioresponses does not pass one (its issue 289).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from aiohttp import ClientResponse
from aioresponses import aioresponses


class BridgedResponse(ClientResponse):
    """A ClientResponse that can be made without a stream writer: a response that was never sent needs none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
        super().__init__(*args, **kwargs)


@contextmanager
def mocked_aiohttp() -> Generator[Any, None, None]:
    """Have aioresponses answer every aiohttp session in here; yields the aioresponses object."""
    with patch("aioresponses.core.ClientResponse", BridgedResponse), aioresponses() as mocked:
        yield mocked
