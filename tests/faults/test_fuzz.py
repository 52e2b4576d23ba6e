"""The codec's fast path is strict cattrs, only sooner: also over bytes that no JSON library would write."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinecone_backups_async import BackupPage, ResponseParsingError
from pinecone_backups_async._codec import (
    _fast,  # pyright: ignore[reportPrivateUsage]
    _structure_strictly,  # pyright: ignore[reportPrivateUsage]
    decode_json,
)
from tests.samples import row

PAGE = {
    "data": [row(schema={"fields": {"a": {"filterable": True}}}, created_at="2024-03-15T10:30:00Z", tags={"t": "v"})],
    "pagination": {"next": "later"},
    "took": 5,
}
WHOLE = json.dumps(PAGE).encode()
odd_bytes = st.sampled_from([b"\xff", b"\\ud800", b"1e999", b"9" * 400, b"NaN", b"\0", b'"', b"{", b"]", b",", b"null"])


def strictly(body: bytes) -> BackupPage | None:
    try:
        return _structure_strictly(decode_json(body))
    except ResponseParsingError:
        return None


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, 3), odd_bytes | st.binary(max_size=3))
@example(WHOLE.index(b"5}"), 1, b"1e999")
@example(WHOLE.index(b"5}"), 1, b'"\xff"')
def test_what_the_fast_path_takes_of_a_garbled_page_strict_cattrs_takes_too(start: int, cut: int, put: bytes) -> None:
    body = WHOLE[:start] + put + WHOLE[start + cut :]
    fast = _fast.read(body)
    if fast is not None:
        assert fast == strictly(body)


def test_the_fast_path_takes_the_page_before_it_is_garbled() -> None:
    body = json.dumps({name: PAGE[name] for name in ("data", "pagination")}).encode()
    assert _fast.read(body) == strictly(body) is not None
