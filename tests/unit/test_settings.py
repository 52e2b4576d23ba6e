"""Bad input: a clear error before any request that names the argument and what is allowed, and shows no secret."""

from __future__ import annotations

import asyncio
import enum
import inspect
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pinecone_backups_async import BackupsClient, BackupsError, ConfigurationError, RetryPolicy
from pinecone_backups_async._arguments import count

KEY = "pcsk_key-of-the-settings-tests"
PLAIN = "<BackupsClient https://api.pinecone.io, additional headers: []>"
VARIABLES = ("PINECONE_API_KEY", "PINECONE_CONTROLLER_HOST", "PINECONE_ADDITIONAL_HEADERS")


def complaint(make: Callable[[], object]) -> str:
    """Return what a refusal says; it begins with the name of the argument, and has nothing secret."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    told = str(caught.value)
    assert isinstance(caught.value, BackupsError)
    assert isinstance(caught.value, ValueError)
    assert caught.value.argument == told.partition(" ")[0]
    assert "hush" not in told
    return told


def client(api_key: Any = KEY, **settings: Any) -> BackupsClient:
    return BackupsClient(api_key, **settings)


def called(method: str, **arguments: Any) -> Callable[..., object]:
    """Return a call of a method, which fails with another error as soon as a request is sent."""

    def call(**more: Any) -> object:
        result = getattr(client(base_url="http://127.0.0.1:9"), method)(**arguments | more)
        return asyncio.run(result) if inspect.iscoroutine(result) else result

    return call


@pytest.mark.parametrize("key", [
    "", "a b", "a\tb", "a\r\nb", "a\nb", "a\0b", "a\x1bb", "a\x7fb", "clé-secrète", "key😀", "key\u200b", "pcsk_hush\n",
    "key\ud800", b"bytes-key", 12345, "k" * 513, "k" * 100_000, ["list-key"], True,
    "'pcsk_hush'", '"pcsk_hush"', "`pcsk_hush`",
])  # fmt: skip
def test_K1_a_wrong_key_is_refused_and_never_shown(key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = "^api_key must be printable ASCII without spaces or quotation marks around it, of at most 512 characters$"
    with pytest.raises(ConfigurationError, match=allowed) as caught:
        BackupsClient(key)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not key or repr(key)[:200] not in shown.split("_client.py", 1)[1]
    if isinstance(key, str) and "hush" in key:
        monkeypatch.setenv("PINECONE_API_KEY", key)
        complaint(BackupsClient)


@pytest.mark.parametrize("key", ["k", "'", "k" * 512, "!\"#$%&'()*+,-./~{}\\"])
def test_any_visible_ascii_may_be_a_key(key: str) -> None:
    assert repr(client(key)) == PLAIN


@pytest.mark.parametrize(("base_url", "resolved"), {
    "api.example": "https://api.example", "https://api.example/": "https://api.example",
    "https://api.example:8443/v1/": "https://api.example:8443/v1", "http://127.0.0.1:5081": "http://127.0.0.1:5081",
    "http://127.8.8.8": "http://127.8.8.8", "http://[::1]:5081": "http://[::1]:5081",
    "http://LOCALHOST:5081": "http://localhost:5081", "HTTPS://API.Example:0443/V1": "https://api.example/V1",
    "https://api.example:": "https://api.example", "http://localhost.:80": "http://localhost.",
    "http://[0:0:0:0:0:0:0:1]:5081": "http://[::1]:5081",
    "https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
    f"https://{'a' * 63}.example": f"https://{'a' * 63}.example",
}.items())  # fmt: skip
def test_base_urls(base_url: str, resolved: str) -> None:
    assert f" {resolved}," in repr(client(base_url=base_url))


WRONG_ADDRESSES = [("base_url", url) for url in (
    "", "https://", "ftp://api.example", "file:///etc", "http://api.example", "http://10.0.0.1", "http://0.0.0.0",
    "https://u:hush@api.example", "https://user@api.example", "https://api.example?x=1", "https://api.example?",
    "https://api.example#f", "https://api.example#", "https://api.example:0", "https://api.example:x",
    "https://api.example:99999", "https://[::1", "https://api example", "https://api\r\n.example",
    "https://api.example\\evil", "https://bücher.example", "http://localhost.example", "http://127.0.0.1.example", 5,
    "http://127.0.0.256", "http://[::2]",
    b"https://api.example", "https://a..b", "https://.", "https://.example", f"https://{'a' * 64}.example",
    "https://[::1]x:1", "https://[a]", "https://[1.2.3.4]", "https://1.2.3", "https://999.1.1.1",
)] + [("proxy", url) for url in (
    "http://a..b:1", "http://[::1]x:1", "", "proxy.example", "socks5://hush@proxy.example", "http://", 5,
    "http://u:hush@:80", "http://pro xy", f"http://{'a' * 64}.example", "http://hush:p%C4%85ss@host:9",
    "http://corp%3Ahush:pass@host:9", "https://@1.2.3[::1]%@", "https://[fe80::1%25lo]%@[:-1",
)]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG_ADDRESSES)
def test_addresses_that_are_refused(name: str, value: Any) -> None:
    assert complaint(lambda: client(**{name: value})).startswith(f"{name} must ")


SECONDS = "be a positive, finite number of seconds"
SEGMENT = "be a str of 1 to 512 characters, and neither . nor .."
TEXT = "be a str without lone surrogates, or None"
listing, page, inventory = called("list_backups"), called("fetch_page"), called("inventory")
jobs, job, indexes = called("list_restore_jobs"), called("describe_restore_job"), called("list_indexes")
create, ensure = called("create_backup", index_name="i"), called("ensure_backup", index_name="i", name="n")
describe, delete = called("describe_backup"), called("delete_backup", backup_id="b")
restore = called("create_index_from_backup", backup_id="b", name="new")
ready, deleted = called("wait_until_ready", backup="b"), called("wait_until_deleted", backup="b")
restored = called("wait_until_restored", restore="r")
ARGUMENTS: list[tuple[str, str, list[Callable[..., object]], list[Any]]] = [
    ("limit", "be an int from 1 to 100", [listing, page, inventory, jobs], [0, 101, -1, True, 1.5, "10", [1]]),
    ("max_items", "be an int of at least 0", [listing, jobs], [-1, True, 1.5, "10"]),
    ("max_passes", "be an int of at least 2", [inventory], [1, 0, -1, True, 2.5, None]),
    *[(name, SECONDS, [client, listing, page, inventory, jobs, indexes, create],
       [0, -1, float("nan"), float("inf"), True, "5", 0.0, [5]]) for name in ("timeout", "attempt_timeout")],
    ("timeout", SECONDS, [ready, restored, deleted], [0, float("nan"), "5", None]),
    ("timeout", SECONDS, [client], [None]), ("attempt_timeout", SECONDS, [client], [None]),  # of a call: the client's
    ("pagination_token", "have 1 to 8192 bytes of text in UTF-8", [listing, page, jobs],
     ["", 5, b"t", "t\ud800", "t" * 8193, "é" * 4097]),
    ("backup_id", SEGMENT, [describe, delete, restore], [".", "..", "", "x" * 513, "\ud800", None, b"x"]),
    ("index_name", SEGMENT, [listing, page, inventory, create, ensure], ["", ".."]),
    ("restore_job_id", SEGMENT, [job], ["."]), ("backup", SEGMENT, [ready, deleted], [""]),
    ("restore", SEGMENT, [restored], [5]),
    ("name", TEXT, [create, ensure], [5, "\udfff"]), ("name", "not be empty", [ensure], ["", None]),
    ("description", TEXT, [create, ensure], [b"", 5]),
    ("name", "have 1 to 45 of a-z, 0-9 and -, and begin and end with a letter or digit", [restore],
     ["New", "-new", "new-", "", "x" * 46, "new\n"]),
    ("tags", "be a mapping of str to str", [restore], [{"a": 1}, [("a", "b")]]),
    ("deletion_protection", "be one of enabled, disabled, None", [restore], [True]),
    ("missing_ok", "be one of True, False", [delete], ["yes"]),
    ("include_deleted", "be one of True, False", [listing, page, inventory], ["no"]),
    ("attempts", "be an int of at least 1", [RetryPolicy], [0, True, 1.5]),
    ("quota", "be an int of at least 0", [RetryPolicy], [-1]), ("base_delay", SECONDS, [RetryPolicy], [0, "1"]),
    ("max_delay", SECONDS, [RetryPolicy], [float("inf")]), ("sleep", "be callable", [RetryPolicy], [5]),
    ("random", "be callable", [RetryPolicy], [0.5]), ("clock", "be callable", [RetryPolicy], [None]),
    ("ssl_context", "be an ssl.SSLContext", [client], [True]),
    ("connector", "be an aiohttp connector", [client], [5]),
    ("retry", "be a RetryPolicy such as RetryPolicy(attempts=3)", [client], [5]),
    ("api_version", "be one of 2026-04, 2025-10, 2026-07", [client], ["2024-01"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule", "calls", "value"), [(*each[:3], v) for each in ARGUMENTS for v in each[3]])
def test_T2_W11_what_an_argument_may_be(name: str, rule: str, calls: list[Callable[..., object]], value: Any) -> None:
    for call in calls:
        assert complaint(partial(call, **{name: value})).partition(", not ")[0] == f"{name} must {rule}"


@pytest.mark.parametrize(("make", "told"), [
    (BackupsClient, "api_key is missing: pass api_key=... or set PINECONE_API_KEY"),
    (lambda: client(base_url="http://127.0.0.1:1", proxy="http://127.0.0.1:2"),
     "proxy needs an https base_url: over plain http the proxy would see the key"),
    (lambda: client(connector=object(), ssl_context=object()),
     "connector and ssl_context cannot be used together: give the connector its own context"),
    (lambda: page(include_deleted=True),
     "include_deleted needs an index_name, as the project's listing has them anyway"),
])  # fmt: skip
def test_what_else_is_refused(make: Callable[[], object], told: str) -> None:
    assert complaint(make) == told


def test_a_limit_is_sent_as_the_number_that_it_is() -> None:
    class Size(int, enum.Enum):
        SMALL = 7

    assert type(count("limit", Size.SMALL, least=1)) is int


NO_MAPPING, NO_TOKEN = "be a mapping of str to str", "have HTTP tokens as names, and values of printable ASCII"
OURS = ("Api-Key", "api-key", "X-Pinecone-Api-Version", "HOST", "Content-Length", "Content-Encoding", "Cookie",
        "Expect", "Transfer-Encoding", "connection", "Accept-Encoding")  # fmt: skip
HEADERS: dict[str, list[Any]] = {
    NO_MAPPING: [[("X-A", "b")], "not json", "[]", "[" * 100_000, {"X-A": 5}, {5: "a"}, '{"X-A": null}'],
    NO_TOKEN: [{"X A": "b"}, {"": "b"}, {"X-A\r\nX-B": "b"},
               {"X-A": "hush\r\nX-B: c"}, {"X-A": "hush\0"}, {"X-A": "hush\u00e9"}],
    **{f"not set {name}: that header is the client's own": [{name: "x"}] for name in OURS},
}  # fmt: skip


@pytest.mark.parametrize(("rule", "headers"), [(rule, each) for rule, all_ in HEADERS.items() for each in all_])
def test_headers_that_are_refused(headers: Any, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [complaint(lambda: client(additional_headers=headers))]
    if isinstance(headers, str):
        monkeypatch.setenv("PINECONE_ADDITIONAL_HEADERS", headers)
        told += [complaint(client)]
    assert {text.partition(", in the environment ")[0] for text in told} == {f"additional_headers must {rule}"}


def test_repr_shows_names_of_headers_and_nothing_secret() -> None:
    made = client(additional_headers={"X-Team": "hush", "X-App": "hush"}, proxy="http://user:hush@proxy.example:3128")
    assert repr(made) == PLAIN.replace("[]", "['X-App', 'X-Team']")


def test_the_environment_is_read_if_no_argument_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is an absent one."""
    for name, value in zip(VARIABLES, (KEY, "controller.example", '{"X-Team": "search"}'), strict=True):
        monkeypatch.setenv(name, value)
    assert repr(BackupsClient()) == "<BackupsClient https://controller.example, additional headers: ['X-Team']>"
    given = BackupsClient("another-key", base_url="https://api.example", additional_headers={})
    assert repr(given) == "<BackupsClient https://api.example, additional headers: []>"
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert "missing" in complaint(BackupsClient)
    assert repr(client()) == repr(client(additional_headers={})) == PLAIN
