"""How the command is used: options, the key, proxies, help, and what becomes of wrong use."""

from __future__ import annotations

import io
import re
import sys
import traceback

import pytest

from pinecone_backups_async import __version__
from pinecone_backups_async.cli._app import run as run_command
from pinecone_backups_async.testing import FakePinecone

from .conftest import Run

HOST = "PINECONE_CONTROLLER_HOST"
NO_KEY = ".*there is no --api-key: an argument is visible in the shell's history"
# What is wrong use of each command, and the complaint.
WRONG = [
    ("list --newer-than soon", ".*--newer-than: a duration is a number and one of s, m, h, d, w"),
    ("list --newer-than 0d", ".*--newer-than: a duration"), ("list --newer-than 999999w", ".*--newer-than: "),
    ("list --max-items -1", ".*--max-items: must be an integer of at least 0"), ("list --nonsense", ".*--nonsense"),
    ("list --pagination-token=", "--pagination-token must have 1 to 8192 bytes"), ("list --output xml", ".*xml"),
    ("list --tag x", ".*a tag is written key=value"), ("list --proxy http://h:1", "--proxy needs an https base_url"),
    ("list extra", "Unexpected argument: extra. See: pinecone-backups list --help"),
    *((f"list {key}", NO_KEY) for key in ("--api-key pcsk_1", "--api-key=pcsk_1", "--apikey=pcsk_1", "--api-key")),
    ("describe ..", "ID must"), ("describe", "ID is missing or has no value"),
    ("create idx --once", "--once needs --name"), ("restore an-id --name No_Name", "--name must"),
    ("restore an-id", "--name is missing or has no value"), ("delete an-id", "delete needs --yes"),
    # Even where a backup may be missing, the beginning of an id is never taken for one to delete.
    ("delete aaaaaaaa --yes --missing-ok", "aaaaaaaa is the beginning of an id"),
    ("delete aaaaaaaa-0000-4000-8000-00000000000 --yes", ".* is the beginning of an id"),
    ("prune --yes", "nothing says what to keep: use --keep-last, --keep-hourly"),
    ("prune --keep-last 0", "nothing says what to keep"), ("prune --yes --max-deletes x", ".*must be an integer"),
]  # fmt: skip
SETTINGS = [
    ({"PINECONE_API_KEY": ""}, "PINECONE_API_KEY is not set; --demo shows a demonstration project without a key"),
    ({"PINECONE_API_KEY": '"pcsk_1"'}, "PINECONE_API_KEY begins and ends with a quote"),
    ({"PINECONE_API_KEY": "two words"}, "PINECONE_API_KEY must be printable ASCII"),
    ({HOST: "http://remote.example"}, "PINECONE_CONTROLLER_HOST must be https"),
    ({"PINECONE_ADDITIONAL_HEADERS": "no json"}, "PINECONE_ADDITIONAL_HEADERS must be a mapping"),
    ({HOST: "", "HTTPS_PROXY": "socks5://u:pcsk_1@h"}, "HTTPS_PROXY must be an http"),
    ({HOST: "h.example", "https_proxy": "ftp://pcsk_1@h"}, "https_proxy must be an http"),
]


@pytest.mark.parametrize(("line", "environ", "complaint"), [
    *((line, {}, complaint) for line, complaint in WRONG),
    *(("list", environ, complaint) for environ, complaint in SETTINGS),
    ("list --proxy pcsk_1@h", {HOST: ""}, "--proxy must be an http"),
])  # fmt: skip
def test_wrong_use_is_2(project: FakePinecone, run: Run, line: str, environ: dict[str, str], complaint: str) -> None:
    """And sends nothing, nor shows a key."""
    outcome = run(line, **environ)
    assert (outcome.code, outcome.out, "pcsk_1" in outcome.err, project.requests) == (2, "", False, [])
    assert re.match(f"pinecone-backups: {complaint}", outcome.err)


UNKNOWN = r"BACKUPS UNKNOWN - [^|\n]+ See: pinecone-backups check --help"


@pytest.mark.parametrize(("line", "on_stdout", "told"), [
    ("--api-key=pcsk_1", False, f"pinecone-backups: {NO_KEY}.*"),
    ("lst", False, r"pinecone-backups: Unknown command: lst\. Did you mean list\? See: pinecone-backups --help"),
    # `check`, and what may have been meant for it.
    ("chekc --max-age 26h", True, r"BACKUPS UNKNOWN - Unknown command: chekc\. Did you mean check\? See: .*"),
    ("check", True, UNKNOWN), ("check --index json --max-age soon", True, UNKNOWN),
    ("check --max-age 26h --output csv", True, UNKNOWN), ("check --max-age 26h --output", True, UNKNOWN),
    ("check --output=json", False, UNKNOWN), ("check -o prometheus --max-age soon", False, UNKNOWN),
    ("check --max-age 9d --all-indexes --index x", True,
     "BACKUPS UNKNOWN - --index and --all-indexes cannot be used together"),
])  # fmt: skip
def test_what_is_no_verdict_is_3(project: FakePinecone, run: Run, line: str, on_stdout: bool, told: str) -> None:
    """The line that monitoring reads is on stdout, unless the options that were read say that stdout is data."""
    outcome = run(line)
    shown, silent = (outcome.out, outcome.err) if on_stdout else (outcome.err, outcome.out)
    assert (outcome.code, silent, project.requests, "pcsk_1" in shown) == (3, "", [], False)
    assert re.fullmatch(f"{told}\n", shown)


@pytest.mark.parametrize(("variables", "words", "used", "code"), [
    ({"HTTPS_PROXY": "{}"}, "", True, 1), ({"https_proxy": "http://{}"}, "", True, 1),
    ({"HTTPS_PROXY": "http://127.0.0.1:9"}, "--proxy http://{}", True, 1),
    ({"HTTPS_PROXY": "{}", "NO_PROXY": "127.0.0.1"}, "", False, 1),
    ({"HTTPS_PROXY": "{}", HOST: "http://{}"}, "", False, 0), ({"HTTPS_PROXY": "{}"}, "--demo", False, 0),
])  # fmt: skip
def test_a_proxy(project: FakePinecone, run: Run, variables: dict[str, str], words: str, used: bool, code: int) -> None:
    """It is used for an https address, unless NO_PROXY names the host; never for the demonstration."""
    proxy = project.url.removeprefix("http://")  # which is the address, too, and speaks no TLS
    settings = {name: value.format(proxy) for name, value in ({HOST: f"https://{proxy}"} | variables).items()}
    assert run(f"list {words.format(proxy)}", **settings).code == code
    asked = [request.headers["Host"] for request in project.requests if request.method == "CONNECT"]
    assert asked == ([proxy] if used else [])


def test_the_demo_needs_no_key_and_ignores_settings(run: Run) -> None:
    wrong = {HOST: "http://remote.example", "PINECONE_ADDITIONAL_HEADERS": "not json"}
    outcome = run("list --demo", **wrong)
    assert (outcome.code, outcome.out.count("\n")) == (0, 24)
    assert outcome.err == "pinecone-backups: --demo: a made-up project on a local server, not yours\n"
    assert run("check --max-age 26h --demo").out.startswith("BACKUPS WARNING - ")
    assert run("check --max-age 26h").out.startswith("BACKUPS UNKNOWN - PINECONE_API_KEY is not set; --")


@pytest.mark.parametrize(("line", "told"), [
    ("--help", "restores"), ("-h", "--install-completion"), ("", "Usage: pinecone-backups COMMAND"),
    ("-V", __version__), ("list -h", "--newer-than AGE"), ("check --help", "Exit codes: 0 ok, 1 stale"),
])  # fmt: skip
def test_help_and_version(run: Run, line: str, told: str) -> None:
    outcome = run(line)
    assert (outcome.code, outcome.err, told in outcome.out) == (0, "", True)
    assert not re.search(r"\bSTR\b|TIMEDELTA|--api-key", outcome.out)


class Broken(io.StringIO):
    def write(self, _: str) -> int:
        raise RuntimeError("nobody foresaw this")


def test_an_error_nobody_foresaw_has_no_variables(project: FakePinecone, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key, a proxy's password or a body may be among them."""
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(RuntimeError, match="nobody foresaw this") as caught:
        run_command(["list"])
    frames = [frame for frame, _ in traceback.walk_tb(caught.tb)]
    assert len(frames) > 5
    assert [frame for frame in frames[2:] if frame.f_locals] == []
