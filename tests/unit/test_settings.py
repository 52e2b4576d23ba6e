"""Bad input: a clear error before any request, which names the argument and what is allowed, and never shows a secret."""

from __future__ import annotations

import asyncio
import copy
import enum
import pickle
import ssl
import traceback
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from pinecone_backups_async import BackupsClient, BackupsError, ConfigurationError, RetryPolicy
from pinecone_backups_async._arguments import count

KEY = "pcsk_key-of-the-settings-tests"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PINECONE_API_KEY", "PINECONE_CONTROLLER_HOST", "PINECONE_ADDITIONAL_HEADERS"):
        monkeypatch.delenv(name, raising=False)


def complaint(make: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert isinstance(caught.value, BackupsError)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def client(api_key: Any = KEY, **settings: Any) -> BackupsClient:
    return BackupsClient(api_key, **settings)


def test_no_key_says_how_to_give_one() -> None:
    assert complaint(BackupsClient) == "api_key is missing: pass api_key=... or set PINECONE_API_KEY"


@pytest.mark.parametrize(
    "key",
    [
        "", "a b", "a\tb", "a\r\nb", "a\nb", "a\0b", "a\x1bb", "a\x7fb", "clé-secrète", "key😀", "key\u200b", "key\ud800",
        b"bytes-key", 12345, "k" * 513, "k" * 100_000, ["list-key"], True,
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_one_is_refused_and_never_shown(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="^api_key must ") as caught:
        BackupsClient(key)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    of_the_package = shown.split("_client.py", 1)[1]
    assert not key or repr(key)[:200] not in of_the_package


@pytest.mark.parametrize("key", ["k", "k" * 512, "!\"#$%&'()*+,-./~{}\\"])
def test_any_visible_ascii_may_be_a_key(key: str) -> None:
    assert repr(client(key)) == "<BackupsClient https://api.pinecone.io, additional headers: []>"


@pytest.mark.parametrize(
    ("base_url", "resolved"),
    [
        ("api.example", "https://api.example"),
        ("https://api.example/", "https://api.example"),
        ("https://api.example:8443/v1/", "https://api.example:8443/v1"),
        ("http://127.0.0.1:5081", "http://127.0.0.1:5081"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://[::1]:5081", "http://[::1]:5081"),
        ("http://LOCALHOST:5081", "http://localhost:5081"),
        ("HTTPS://API.Example:0443/V1", "https://api.example/V1"),
        ("https://api.example:", "https://api.example"),
        ("http://localhost.:80", "http://localhost."),
        ("http://[0:0:0:0:0:0:0:1]:5081", "http://[::1]:5081"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        (f"https://{'a' * 63}.example", f"https://{'a' * 63}.example"),
    ],
)
def test_base_urls(base_url: str, resolved: str) -> None:
    assert f" {resolved}," in repr(client(base_url=base_url))


@pytest.mark.parametrize(
    "base_url",
    [
        "", "https://", "ftp://api.example", "file:///etc", "http://api.example", "http://10.0.0.1", "http://0.0.0.0", "https://u:p@api.example",
        "https://user@api.example", "https://api.example?x=1", "https://api.example?", "https://api.example#f", "https://api.example#",
        "https://api.example:0", "https://api.example:x", "https://api.example:99999", "https://[::1", "https://api example", "https://api\r\n.example",
        "https://api.example\\evil", "https://bücher.example", "http://localhost.example", "http://127.0.0.1.example", 5, b"https://api.example",
        "https://a..b", "https://.", "https://.example", f"https://{'a' * 64}.example", "https://[::1]x:1", "https://[a]",
        "https://[1.2.3.4]", "https://1.2.3", "https://999.1.1.1",
    ],
)  # fmt: skip
def test_base_urls_that_are_refused(base_url: Any) -> None:
    message = complaint(lambda: client(base_url=base_url))
    assert message.startswith("base_url must ")
    assert "u:p" not in message


@pytest.mark.parametrize("name", ["timeout", "attempt_timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "5", 0.0, None, [5]])
def test_T2_timeouts_are_positive_and_finite(name: str, value: Any) -> None:
    allowed = f"{name} must be a positive, finite number of seconds"
    calls: list[Callable[[BackupsClient], object]] = [
        lambda c: c.list_backups(**{name: value}),
        lambda c: asyncio.run(c.fetch_page(**{name: value})),
        lambda c: asyncio.run(c.inventory(**{name: value})),
    ]
    assert complaint(lambda: client(**{name: value})).startswith(allowed)
    if value is not None:  # per call, None is the client's own value
        for call in calls:
            assert complaint(lambda call=call: call(client())).startswith(allowed)  # type: ignore[misc]


@pytest.mark.parametrize("limit", [0, 101, -1, True, 1.5, "10", [1]])
def test_limits_are_ints_from_1_to_100(limit: Any) -> None:
    expected = f"limit must be an int from 1 to 100, not {limit!r}"
    assert complaint(lambda: client().list_backups(limit=limit)) == expected
    assert complaint(lambda: asyncio.run(client().fetch_page(limit=limit))) == expected
    assert complaint(lambda: asyncio.run(client().inventory(limit=limit))) == expected


def test_numbers_too_large_to_be_written_are_refused_like_any_other() -> None:
    huge = 10**5000
    assert complaint(lambda: client(timeout=huge)).endswith("a positive, finite number of seconds, not this int")
    assert complaint(lambda: client().list_backups(limit=huge)) == "limit must be an int from 1 to 100, not this int"
    assert complaint(lambda: client().list_backups(max_items=-huge)).startswith(
        "max_items must be an int of at least 0"
    )
    assert complaint(lambda: RetryPolicy(base_delay=huge)).startswith("base_delay must be a positive")


def test_a_limit_is_sent_as_the_number_that_it_is() -> None:
    class Size(int, enum.Enum):
        SMALL = 7

    assert type(count("limit", Size.SMALL, least=1)) is int


@pytest.mark.parametrize("max_items", [-1, True, 1.5, "10"])
def test_max_items_is_an_int_of_at_least_0(max_items: Any) -> None:
    message = complaint(lambda: client().list_backups(max_items=max_items))
    assert message == f"max_items must be an int of at least 0, not {max_items!r}"


@pytest.mark.parametrize("max_passes", [1, 0, -1, True, 2.5, None])
def test_an_inventory_takes_at_least_two_passes(max_passes: Any) -> None:
    message = complaint(lambda: asyncio.run(client().inventory(max_passes=max_passes)))
    assert message == f"max_passes must be an int of at least 2, not {max_passes!r}"


@pytest.mark.parametrize("token", ["", 5, b"t", "t\ud800", "t" * 8193, "é" * 4097])
def test_tokens_are_text_that_the_wire_can_carry(token: Any) -> None:
    for make in (
        lambda: client().list_backups(pagination_token=token),
        lambda: asyncio.run(client().fetch_page(pagination_token=token)),
    ):
        assert complaint(make).startswith("pagination_token must ")


HEADER_CASES: list[tuple[Any, str]] = [
    ([("X-A", "b")], "must be a mapping of str to str"),
    ("not json", "must be a mapping of str to str"),
    ("[]", "must be a mapping of str to str"),
    ("[" * 100_000, "must be a mapping of str to str"),
    ({"X-A": 5}, "must be a mapping of str to str"),
    ({5: "a"}, "must be a mapping of str to str"),
    ('{"X-A": null}', "must be a mapping of str to str"),
    ({"X A": "b"}, "has a name that is not an HTTP token"),
    ({"": "b"}, "has a name that is not an HTTP token"),
    ({"X-A\r\nX-B": "b"}, "has a name that is not an HTTP token"),
    ({"X-A": "secret\r\nX-B: c"}, "has a value for X-A that is not printable ASCII"),
    ({"X-A": "secret\0"}, "has a value for X-A that is not printable ASCII"),
    ({"X-A": "secr\u00e9t"}, "has a value for X-A that is not printable ASCII"),
]


@pytest.mark.parametrize(("headers", "reason"), HEADER_CASES)
def test_additional_headers_that_are_refused(headers: Any, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = complaint(lambda: client(additional_headers=headers))
    assert message.startswith(f"additional_headers {reason}")
    assert "secr" not in message
    if isinstance(headers, str):
        monkeypatch.setenv("PINECONE_ADDITIONAL_HEADERS", headers)
        assert complaint(client).startswith(f"additional_headers {reason}")


def test_only_the_environment_spells_headers_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    as_json: Any = '{"X-A": "b"}'
    assert complaint(lambda: client(additional_headers=as_json)).startswith("additional_headers must be a mapping")
    monkeypatch.setenv("PINECONE_ADDITIONAL_HEADERS", as_json)
    assert "['X-A']" in repr(client())
    assert "additional headers: []" in repr(client(additional_headers={}))


@pytest.mark.parametrize(
    "name",
    ["Api-Key", "api-key", "X-Pinecone-Api-Version", "HOST", "Content-Length", "Transfer-Encoding", "connection", "Cookie", "Accept-Encoding"],
)  # fmt: skip
def test_headers_that_are_the_clients_own_cannot_be_added(name: str) -> None:
    message = complaint(lambda: client(additional_headers={name: "x"}))
    assert message == f"additional_headers must not set {name}: that header is the client's own"


@pytest.mark.parametrize("key", ["'pcsk_hush'", '"pcsk_hush"', "`pcsk_hush`"])
def test_a_key_in_quotes_is_found_before_it_is_sent(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINECONE_API_KEY", key)
    for make in (client, lambda: client(key), BackupsClient):
        assert "hush" not in (complaint(make) if make is not client else "")
    assert complaint(lambda: client(key)) == "api_key must not be in quotes: remove the quotation marks around it"


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": ""}, {"base_url": "ftp://x"}, {"proxy": "x"}, {"additional_headers": {"Expect": "100-continue"}},
        {"ssl_context": 5}, {"connector": 5}, {"timeout": 0}, {"attempt_timeout": 0}, {"proxy": "http://a%3Ab:c@host:1"},
    ],
)  # fmt: skip
def test_each_refusal_names_its_argument(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(**settings)
    assert caught.value.argument == next(iter(settings))


def test_repr_shows_the_names_of_additional_headers_and_nothing_secret() -> None:
    made = client(additional_headers={"X-Team": "hush", "X-App": "hush"}, proxy="http://user:hush@proxy.example:3128")
    assert repr(made) == "<BackupsClient https://api.pinecone.io, additional headers: ['X-App', 'X-Team']>"


@pytest.mark.parametrize(
    "proxy",
    [
        "http://a..b:1",
        "http://[::1]x:1",
        "",
        "proxy.example",
        "socks5://hush@proxy.example",
        "http://",
        "http://u:hush@:80",
        5,
        "http://pro xy",
        f"http://{'a' * 64}.example",
        "http://hush:p%C4%85ss@host:9",
        "http://corp%3Ahush:pass@host:9",
    ],
)
def test_proxies_that_are_refused(proxy: Any) -> None:
    message = complaint(lambda: client(proxy=proxy))
    assert message.startswith("proxy must ")
    assert "hush" not in message


def test_a_proxy_never_sees_the_key() -> None:
    message = complaint(lambda: client(base_url="http://127.0.0.1:1", proxy="http://127.0.0.1:2"))
    assert message == "proxy needs an https base_url: over plain http the proxy would see the key"


def test_what_else_is_refused() -> None:
    assert complaint(lambda: client(retry=5)) == "retry must be a RetryPolicy such as RetryPolicy(attempts=5), not int"
    assert complaint(lambda: client(ssl_context=True)) == "ssl_context must be an ssl.SSLContext, not bool"
    assert complaint(lambda: client(connector=5)) == "connector must be an aiohttp connector, not int"


async def test_connector_and_ssl_context_exclude_each_other() -> None:
    async with aiohttp.TCPConnector() as connector:
        message = complaint(lambda: client(connector=connector, ssl_context=ssl.create_default_context()))
    assert message.startswith("connector and ssl_context cannot be used together")


@pytest.mark.parametrize(
    "settings",
    [
        {"attempts": 0}, {"attempts": True}, {"attempts": 1.5}, {"base_delay": 0}, {"base_delay": "1"}, {"max_delay": float("inf")},
        {"quota": -1}, {"sleep": 5}, {"random": 0.5}, {"clock": None},
    ],
)  # fmt: skip
def test_a_retry_policy_that_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    assert complaint(lambda: RetryPolicy(**settings)).startswith(f"{next(iter(settings))} must be ")


def test_the_environment_is_read_where_an_argument_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", "controller.example")
    monkeypatch.setenv("PINECONE_ADDITIONAL_HEADERS", '{"X-Team": "search"}')
    assert repr(BackupsClient()) == "<BackupsClient https://controller.example, additional headers: ['X-Team']>"
    given = BackupsClient("another-key", base_url="https://api.example", additional_headers={})
    assert repr(given) == "<BackupsClient https://api.example, additional headers: []>"


def test_an_empty_environment_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PINECONE_API_KEY", "PINECONE_CONTROLLER_HOST", "PINECONE_ADDITIONAL_HEADERS"):
        monkeypatch.setenv(name, "")
    assert "missing" in complaint(BackupsClient)
    assert repr(client()) == "<BackupsClient https://api.pinecone.io, additional headers: []>"


def test_a_client_can_be_neither_pickled_nor_copied() -> None:
    for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            refuse(client())
