"""Text of the service's, made safe: no secret in any spelling, one line, short, whatever it costs the sender."""

from __future__ import annotations

import html
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinecone_backups_async._protocol import MAX_TEXT, SafeText

KEY = 'pcsk_"a/b\\c&d<e>_0123456789'
SAFE = SafeText([KEY, "another-secret"])


SPELLINGS = {
    "plain": KEY, "other case": KEY.upper(), "JSON": json.dumps(KEY)[1:-1], "another": "another-secret",
    "JSON with escaped slashes": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "JSON escapes": "".join(f"\\u{ord(c):04x}" for c in KEY), "one JSON escape": "\\u0070" + json.dumps(KEY)[2:-1],
    "JSON in JSON": json.dumps(json.dumps(KEY)[1:-1])[1:-1], "percent": quote(KEY, safe=""),
    "percent in full": "".join(f"%{ord(c):02X}" for c in KEY), "percent twice": quote(quote(KEY, safe=""), safe=""),
    "HTML": html.escape(KEY), "HTML decimal": "".join(f"&#{ord(c)};" for c in KEY),
    "HTML hexadecimal": "".join(f"&#x{ord(c):04X};" for c in KEY),
    "UTF-16": KEY.encode("utf-16").decode(errors="replace"),
    "UTF-16 big endian": KEY.encode("utf-16-be").decode(errors="replace"),
    "UTF-32": KEY.encode("utf-32-le").decode(errors="replace"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_is_masked(name: str) -> None:
    """Where a secret hides behind escapes, nothing else of the text is shown."""
    plain = name in {"plain", "other case", "another"}
    assert SAFE.text(f"<{SPELLINGS[name]}>") == ("<***>" if plain else "***")
    assert SAFE.text("x" * 490 + SPELLINGS[name] + "y" * 9000) == ("x" * 490 + "***" if plain else "***")
    assert not SAFE.is_clean("x" * 490 + SPELLINGS[name])


@pytest.mark.parametrize("ahead", ["100%", "&#x", "\\u00"])
def test_what_precedes_a_secret_does_not_hide_it(ahead: str) -> None:
    spelled = "".join(f"&#{ord(character)};" for character in "Bad0key")
    assert SafeText(["Bad0key"]).text(ahead + spelled) == "***"


def test_a_secret_without_its_own_escapes_is_masked_alone() -> None:
    assert SafeText(["a%62%63%64%65"]).text("abcde") == "***"


@pytest.mark.parametrize("size", [40, 75, 394, 500, 511, 512])
def test_no_piece_of_a_key_is_left_at_a_cut(size: int) -> None:
    key = ("pcsk_" + "".join(f"{number:03}" for number in range(200)))[:size]
    safe = SafeText([key])
    for ahead in range(0, size, 37):
        assert key[:8] not in safe.text(("." * ahead + key * 2000)[:65_536])


@given(st.text(max_size=2000))
def test_text_is_one_short_line(text: str) -> None:
    shown = SAFE.text(text)
    assert shown.isprintable()
    assert len(shown) <= MAX_TEXT


@pytest.mark.parametrize("piece", ["\\", "\\u00", "%25", "%", "&#0", "&#x", "p", "\x00", "pcsk_\\"])
def test_no_text_makes_masking_slow(piece: str) -> None:
    safe = SafeText(["p" * 512])
    begin = time.process_time()
    for _ in range(10):
        safe.text(piece * 65_536)
    assert time.process_time() - begin < 2.0


@pytest.mark.parametrize("key", ["A%41B", "\\u0041", "&#x41;&lt;", "%4"])
def test_a_key_may_look_like_an_escape(key: str) -> None:
    safe = SafeText([key])
    assert safe.text(f"({key})") == "(***)"
    assert safe.text(f"({quote(key)})") == "***"


def test_nothing_shows_the_secrets() -> None:
    SAFE.text("compile the pattern")
    assert "pcsk" not in repr(SAFE) + repr(vars(SAFE)) + str(SAFE)
