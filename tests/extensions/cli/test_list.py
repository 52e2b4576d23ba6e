"""`pinecone-backups list`, run in this process against a real local server."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import socket
import sys
import traceback
from collections.abc import Callable
from threading import Thread
from typing import Any

import attrs
import pytest

from pinecone_backups_async import Backup, __version__
from pinecone_backups_async.cli._app import run as run_command
from pinecone_backups_async.cli._table import age, backups_lines, short_ids
from pinecone_backups_async.testing import Answer, FakePinecone, sample_backups
from tests.support.samples import row

from .conftest import Run

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
DOWN = Answer.error(404, "NOT_FOUND", "Gone \x1b[31mred.")


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_backup_is_whole_in_json(project: FakePinecone, run: Run) -> None:
    """In a pipe each is a line, and with `json` all are one array."""
    listed = run("list")
    assert (listed.code, listed.err) == (0, "")
    assert lines(listed.out) == [backup.to_dict() for backup in project.backups]
    assert json.loads(run("list", "--output", "json").out) == lines(listed.out)
    project.play(Answer(body={"data": [row("b1", novel={"a": 1})]}))
    assert json.loads(run("list", "--output", "json").out)[0]["novel"] == {"a": 1}


def test_csv_has_no_cell_that_a_spreadsheet_would_run(project: FakePinecone, run: Run) -> None:
    evil = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\uff1d1", 'a,"b"\nc', "plain"]
    project.play(Answer(body={"data": [row(str(n), name=name) for n, name in enumerate(evil)]}))
    rows = list(csv.DictReader(io.StringIO(run("list", "--output", "csv").out, newline="")))
    assert [found["name"] for found in rows] == [
        "'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'\nx", "'\uff1d1", 'a,"b"\nc', "plain",
    ]  # fmt: skip
    assert (rows[0]["description"], rows[0]["status"]) == ("", "Ready")


@pytest.mark.parametrize(("seconds", "told"), [
    (-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7200, "2h"), (172_799, "47h"), (172_800, "2d"),
])  # fmt: skip
def test_an_age_is_told_in_its_largest_unit(seconds: int, told: str) -> None:
    assert (age(NOW - dt.timedelta(seconds=seconds), NOW), age(None, NOW)) == (told, "-")


TITLES = ["Id", "Index", "Name", "Status", "Age", "Size", "Records", "Region"]


def table(backups: list[Backup], width: int | None) -> list[str]:
    return ["".join(cell.text for cell in line).rstrip() for line in backups_lines(backups, NOW, width)]


@pytest.mark.parametrize(("width", "gone", "height"), [
    (40, ["Name", "Records", "Region"], 2), (60, ["Name", "Records", "Region"], 1), (80, ["Records", "Region"], 1),
    (100, ["Region"], 1), (120, [], 1), (None, [], 1),
])  # fmt: skip
def test_a_table_of_any_width_cuts_nothing(width: int | None, gone: list[str], height: int) -> None:
    """Region leaves first, then records, then name; what still does not fit goes to a second line of each row."""
    backups = [backup for backup in sample_backups(40, now=NOW) if backup.status != "InitializationFailed"]
    lines = table(backups, width)
    assert max(map(len, lines)) <= (width or 999)
    last = " ".join(lines[height * (1 + len(backups)) :])
    assert last.startswith("39 backups of 6 indexes, ")
    assert " ".join(lines[:height]).split() == [title for title in TITLES if title not in gone]
    assert last.endswith(f"(--wide shows {', '.join(gone).lower()})" if gone else "GB")
    for number, backup in enumerate(backups, 1):
        text = " ".join(lines[number * height : (number + 1) * height])
        name = [] if "Name" in gone else [backup.name]
        assert text.split()[: 3 + len(name)] == [
            backup.backup_id[: 8 if width else None], backup.source_index_name, *name, backup.status,
        ]  # fmt: skip


def test_names_stay_whole_and_short_ids_differ() -> None:
    long = attrs.evolve(sample_backups(1, now=NOW)[0], source_index_name="x" * 45)
    assert any(line.endswith("x" * 45) for line in table([long], 40))
    short = {"abcdefghij": "abcdefghi", "abcdefghzz": "abcdefghz", "0": "0", "abcdefgh": "abcdefgh"}
    assert short_ids(list(short)) == short


def test_text_of_the_server_cannot_steer_the_terminal(project: FakePinecone, run: Run) -> None:
    project.play(Answer(body={"data": [row("b\x1b[2J", name="[red]x\u202e", status="\x07Ready", size_bytes=None)]}))
    out = run("list", "--output", "table").out
    assert not {"\x1b", "\u202e", "\x07"} & set(out)
    for shown in ("b\\x1b[2J", "[red]x\\u202e", "\\x07Ready"):
        assert shown in out


def ids(text: str) -> list[object]:
    return [found["backup_id"] for found in lines(text)]


def of_age(backup: Backup, least: int, most: int = 999) -> bool:
    assert backup.created_at is not None
    return dt.timedelta(least) < dt.datetime.now(dt.UTC) - backup.created_at < dt.timedelta(most)


FILTERS: dict[str, Callable[[Backup], bool]] = {
    "--index products --index images": lambda backup: backup.source_index_name in {"products", "images"},
    "--status ready": lambda backup: backup.status == "Ready", "--newer-than 2d": lambda backup: of_age(backup, 0, 2),
    "--newer-than 9d": lambda backup: of_age(backup, 0, 9), "--older-than 9d": lambda backup: of_age(backup, 9),
    "--tag team=search --tag environment=production": lambda backup: (backup.tags or {}).get("team") == "search",
}  # fmt: skip


@pytest.mark.parametrize("line", FILTERS)
def test_filters(project: FakePinecone, run: Run, line: str) -> None:
    wanted = [backup.backup_id for backup in project.backups if FILTERS[line](backup)]
    assert ids(run("list", *line.split()).out) == wanted
    assert 9 < len(wanted) < 250


@pytest.mark.parametrize("line", ["--newer-than 2w", "--older-than 2w", "--tag team=search --tag environment="])
def test_what_matches_nothing_is_told(project: FakePinecone, run: Run, line: str) -> None:
    """A backup without a time is of no age."""
    project.play(Answer(body={"data": [row("no-time", tags={"team": "search", "environment": "production"})]}))
    none = run("list", *line.split())
    assert (none.code, none.out, none.err) == (0, "", "pinecone-backups: none of 1 backups matches\n")


ORDERS: dict[str, Callable[[Backup], Any]] = {
    "age": lambda backup: -(backup.created_at or dt.datetime.now(dt.UTC)).timestamp(),
    "size": lambda backup: -(backup.size_bytes or 0),
    "index": lambda backup: backup.source_index_name,
    "name": lambda backup: backup.name,
    "status": lambda backup: backup.status,
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("words", [[], ["--max-items", "3"]])
def test_a_sorted_listing_is_cut_last(project: FakePinecone, run: Run, order: str, words: list[str]) -> None:
    wanted = [backup.backup_id for backup in sorted(project.backups, key=ORDERS[order])][: 3 if words else None]
    assert ids(run("list", "--sort", order, *words).out) == wanted
    assert run("list", "--sort", order, *words, "-o", "csv").out.count("\n") == 1 + len(wanted)


@pytest.mark.parametrize("number", ["0", "1", "7", "150", "999"])
def test_max_items_bounds_what_is_printed(project: FakePinecone, run: Run, number: str) -> None:
    assert len(lines(run("list", "--max-items", number).out)) == min(250, int(number))
    ready = sum(backup.status == "Ready" for backup in project.backups)
    assert len(lines(run("list", "--max-items", number, "--status", "Ready").out)) == min(ready, int(number))


@pytest.mark.parametrize(("output", "kept"), [("jsonl", 100), ("csv", 101), ("json", 0), ("table", 0)])
def test_a_failed_listing_says_where_to_resume(project: FakePinecone, run: Run, output: str, kept: int) -> None:
    """What was written stays, and the rest can be appended to it."""
    project.play(None, DOWN)
    failed = run("list", "--output", output)
    assert (failed.code, len(failed.out.splitlines())) == (1, kept)
    assert re.fullmatch(r"pinecone-backups: NotFoundError: \[fake-.*Gone \\x1b\[31mred\..*\n", failed.err)
    assert project.api_key not in failed.err
    token = failed.err.partition("--pagination-token=")[2].rstrip(")\n").strip("'")
    rest = run("list", "--pagination-token", token, "-o", "csv" if output == "csv" else "jsonl").out
    found = list(csv.DictReader(io.StringIO(failed.out + rest))) if output == "csv" else lines(rest)
    rows = project.backups if output == "csv" else project.backups[100:]
    assert [row["backup_id"] for row in found] == [backup.backup_id for backup in rows]
    project.play(DOWN)
    assert "resume" not in run("list").err  # the first page has no token


def test_a_retry_is_not_told_in_a_pipe(project: FakePinecone, run: Run) -> None:
    project.play(Answer.error(503, "UNAVAILABLE", "Later."))
    assert (run("list").err, len(project.requests)) == ("", 4)


HOST = "PINECONE_CONTROLLER_HOST"


@pytest.mark.parametrize(("variables", "line", "complaint"), [
    ({}, "--newer-than soon", ".*--newer-than: a duration is a number and one of s, m, h, d, w"),
    ({}, "--newer-than 0d", ".*--newer-than: a duration"), ({}, "--newer-than 999999w", ".*--newer-than: "),
    ({}, "--max-items -1", ".*--max-items: must be an integer of at least 0"), ({}, "--max-items few", ".*few"),
    ({}, "--output xml", ".*xml"), ({}, "--pagination-token=", "--pagination-token must have 1 to 8192 bytes"),
    ({}, "--nonsense", ".*--nonsense"), ({}, "--tag x", ".*--tag: a tag is written key=value, not 'x'"),
    ({}, "extra", "Unexpected argument: extra. See: pinecone-backups list --help"),
    ({"PINECONE_API_KEY": ""}, "",
     "PINECONE_API_KEY is not set; --demo shows a demonstration project without a key"),
    ({"PINECONE_API_KEY": '"pcsk_x"'}, "", "PINECONE_API_KEY begins and ends with a quote"),
    ({"PINECONE_API_KEY": "two words"}, "", "PINECONE_API_KEY must be printable ASCII"),
    ({HOST: "http://remote.example"}, "", "PINECONE_CONTROLLER_HOST must be https"),
    ({"PINECONE_ADDITIONAL_HEADERS": "no json"}, "", "PINECONE_ADDITIONAL_HEADERS must be a mapping"),
    ({HOST: "", "HTTPS_PROXY": "socks5://u:pw@h"}, "", "HTTPS_PROXY must be an http"),
    ({HOST: "h.example", "https_proxy": "ftp://pw@h"}, "", "https_proxy must be an http"),
    ({HOST: ""}, "--proxy pw@h", "--proxy must be an http"),
    ({}, "--proxy http://h:1", "--proxy needs an https base_url"),
])  # fmt: skip
def test_wrong_use_is_2_and_sends_nothing(
    project: FakePinecone, run: Run, variables: dict[str, str], line: str, complaint: str
) -> None:
    outcome = run("list", *line.split(), **variables)
    assert (outcome.code, outcome.out, "pw" in outcome.err, project.requests) == (2, "", False, [])
    assert re.match(f"pinecone-backups: {complaint}", outcome.err)


@pytest.mark.parametrize("line", [
    "list --api-key pcsk_1", "list --api-key=pcsk_1", "list --apikey=pcsk_1", "list --api-key", "--api-key=pcsk_1",
])  # fmt: skip
def test_an_option_for_the_key_is_answered_with_why_not(project: FakePinecone, run: Run, line: str) -> None:
    outcome = run(*line.split())
    assert outcome.code in {2, 3}
    assert "there is no --api-key: an argument is visible in the shell's history" in outcome.err
    assert ("pcsk_1" in outcome.err, project.requests) == (False, [])


@pytest.mark.parametrize(("variables", "words", "used"), [
    ({"HTTPS_PROXY": "{}"}, [], True), ({"https_proxy": "http://{}"}, [], True),
    ({"HTTPS_PROXY": "http://127.0.0.1:9"}, ["--proxy", "http://{}"], True),
    ({"HTTPS_PROXY": "{}", "NO_PROXY": "127.0.0.1"}, [], False),
    ({"HTTPS_PROXY": "{}", "PINECONE_CONTROLLER_HOST": "http://127.0.0.1:9"}, [], False),
    ({"HTTPS_PROXY": "{}"}, ["--demo"], False),
])  # fmt: skip
def test_a_proxy_for_https(run: Run, variables: dict[str, str], words: list[str], used: bool) -> None:
    """A proxy is used for an https address, unless NO_PROXY names the host; never for the demonstration."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"127.0.0.1:{proxy.getsockname()[1]}"
        thread = Thread(target=refuse_tunnels, args=(proxy, asked))
        thread.start()
        environ = {"PINECONE_API_KEY": "key", "PINECONE_CONTROLLER_HOST": "https://127.0.0.1:9"} | variables
        settings = {name: value.format(address) for name, value in environ.items()}
        run("list", "--timeout", "1s", *(word.format(address) for word in words), **settings)
        socket.create_connection(proxy.getsockname()).close()  # the end for the thread
        thread.join()
    assert [request[:20] for request in asked] == ([b"CONNECT 127.0.0.1:9 "] if used else [])


def refuse_tunnels(proxy: socket.socket, asked: list[bytes]) -> None:
    request = b"any"
    while request:
        with proxy.accept()[0] as connection:
            request = connection.recv(4096)
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            asked += [request] if request else []


def test_the_demo_ignores_the_environment(run: Run) -> None:
    wrong = {"PINECONE_CONTROLLER_HOST": "http://remote.example", "PINECONE_ADDITIONAL_HEADERS": "not json"}
    outcome = run("list", "--demo", **wrong)
    assert (outcome.code, len(lines(outcome.out))) == (0, 24)
    assert outcome.err == "pinecone-backups: --demo: a made-up project on a local server, not yours\n"


@pytest.mark.parametrize(("words", "told"), [
    (["--help"], "restores"), (["-h"], "--install-completion"), ([], "Usage: pinecone-backups COMMAND"),
    (["list", "-h"], "--newer-than AGE"), (["check", "--help"], "Exit codes: 0 ok, 1 stale"), (["-V"], __version__),
    (["--version"], __version__),
])  # fmt: skip
def test_help_and_version(run: Run, words: list[str], told: str) -> None:
    outcome = run(*words)
    assert (outcome.code, outcome.err, told in outcome.out) == (0, "", True)
    assert not re.search(r"\bSTR\b|TIMEDELTA|--api-key", outcome.out)


def test_a_misspelt_command_is_3(run: Run) -> None:
    """No monitoring host may take it for a verdict; it is told where a monitoring host looks if `check` was meant."""
    other, check = run("lst"), run("chekc", "--max-age", "26h")
    assert (other.code, other.out, check.code, check.err) == (3, "", 3, "")
    assert other.err.startswith("pinecone-backups: Unknown command: lst. Did you mean list? See: ")
    assert check.out.startswith("BACKUPS UNKNOWN - Unknown command: chekc. Did you mean check? See: ")


def test_a_token_that_was_refused_is_no_place_to_resume(project: FakePinecone, run: Run) -> None:
    outcome = run("list", "--pagination-token", "nonsense")
    assert (outcome.code, "--pagination-token=" in outcome.err) == (1, False)
    assert "the token was refused: list from the beginning" in outcome.err


@pytest.mark.parametrize("line", [
    "list -o json", "list -o jsonl", "list -o csv", "check --max-age 26h -o json", "check --max-age 26h -o prometheus",
])  # fmt: skip
def test_data_is_utf_8(project: FakePinecone, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """With its own line ends, whatever the platform and the locale say of text."""
    project.add(attrs.evolve(project.backups[0], backup_id="new", source_index_name="日本", source_index_id="j"))
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\r\n")
    monkeypatch.setattr(sys, "stdout", stream)
    run_command(line.split())
    data = stream.buffer.getvalue()
    assert data.count(b"\n") > 1
    assert data.count(b"\r") == data.count(b"\r\n") == (data.count(b"\n") if line.endswith("csv") else 0)
    assert "日本" in (text := data.decode("utf-8")) or r"\u65e5\u672c" in text


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
