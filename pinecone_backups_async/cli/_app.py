"""The command line: options in, an exit code out. Knows cyclopts; what the commands do stands in their own rooms."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import attrs
from cyclopts import App, CycloptsError, Parameter

from pinecone_backups_async import BackupsError, ConfigurationError, __version__

from ._check import CheckOptions, CheckOutput, check
from ._listing import ListOptions, Output, list_backups
from ._report import unknown
from ._streams import let_go, prepare, talk

__all__ = ["run"]

app = App(
    name="pinecone-backups",
    help="Which backups does this Pinecone project have? The key is read from PINECONE_API_KEY.",
    version=__version__,
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)


@app.command(name="list")
async def list_(
    *,
    output: Annotated[Output | None, Parameter(help="Default: table on a terminal, jsonl in a pipe.")] = None,
    index: Annotated[
        list[str] | None, Parameter(help="Only backups of this index; may be repeated.", negative=())
    ] = None,
    status: Annotated[
        list[str] | None, Parameter(help="Only backups in this state; may be repeated.", negative=())
    ] = None,
    newer_than: Annotated[str | None, Parameter(help="Only backups younger than this: 90s, 15m, 26h, 7d, 2w.")] = None,
    max_items: Annotated[int | None, Parameter(help="Stop after so many backups that match.")] = None,
    pagination_token: Annotated[
        str | None, Parameter(help="Go on from here; a failed listing tells its token.")
    ] = None,
    demo: Annotated[
        bool, Parameter(help="List a demonstration project from a local server; no key is needed.", negative=())
    ] = False,
) -> int:
    """List the backups of all indexes in the project, every page of them."""
    options = ListOptions.checked(
        output=output,
        indexes=index or (),
        statuses=status or (),
        newer_than=newer_than,
        max_items=max_items,
        pagination_token=pagination_token,
        demo=demo,
    )
    return await list_backups(options)


@app.command(name="check")
async def check_(
    *,
    max_age: Annotated[str, Parameter(help="How old the newest Ready backup may be: 90s, 15m, 26h, 7d, 2w.")],
    index: Annotated[
        list[str] | None, Parameter(help="Judge only this index, and expect it; may be repeated.", negative=())
    ] = None,
    expect: Annotated[
        list[str] | None,
        Parameter(help="Expect this index, beside all that have backups; may be repeated.", negative=()),
    ] = None,
    timeout: Annotated[str | None, Parameter(help="How long the whole check may take. Default: no limit.")] = None,
    output: Annotated[CheckOutput, Parameter(help="How the report is written.")] = "table",
    demo: Annotated[bool, Parameter(help="Check a demonstration project; no key is needed.", negative=())] = False,
) -> int:
    """Say whether each index has a fresh, Ready backup: exit 0 if so, 1 if stale, 2 if worse, 3 for wrong use.

    An index that never had a backup is unknown to the listing: name it with --expect.
    """
    options = CheckOptions.checked(
        max_age=max_age, indexes=index or (), expected=expect or (), timeout=timeout, output=output, demo=demo
    )
    return await check(options)


@attrs.frozen
class _ExitCodes:
    """Which code tells what, where a command does not end by itself."""

    failed: int
    wrong_use: int
    unwritten: int
    unread: int


_OF_LIST: Final = _ExitCodes(failed=1, wrong_use=2, unwritten=1, unread=0)
_OF_CHECK: Final = _ExitCodes(failed=2, wrong_use=3, unwritten=3, unread=3)  # never one of a verdict
# The command takes its settings from the environment, so a complaint names what stands there.
_ENVIRONMENT: Final = {
    "api_key": "PINECONE_API_KEY",
    "base_url": "PINECONE_CONTROLLER_HOST",
    "additional_headers": "PINECONE_ADDITIONAL_HEADERS",
}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    `list`: 0, 1 where it failed, 2 for wrong use. `check`: that of a monitoring plugin. Both: 130 after Ctrl-C.
    """
    prepare()
    words = sys.argv[1:] if arguments is None else list(arguments)
    codes = _OF_CHECK if words[:1] == ["check"] else _OF_LIST
    try:
        code = app(words)
        sys.stdout.flush()
    except (CycloptsError, ConfigurationError) as error:
        return _complain_of_use(_use(error), words, codes)
    except BackupsError as error:
        _complain(_failure(error))
        return codes.failed
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        let_go(sys.stdout)
        return codes.unread
    except OSError as error:
        let_go(sys.stdout)
        _complain(f"the output could not be written: {error.strerror}")
        return codes.unwritten
    return code if isinstance(code, int) else 0


def _complain_of_use(complaint: str, words: Sequence[str], codes: _ExitCodes) -> int:
    if codes is _OF_CHECK and not {"json", "prometheus"} & set(words):
        print(unknown(complaint))
    _complain(complaint)
    return codes.wrong_use


def _complain(text: str) -> None:
    talk(f"pinecone-backups: {text}")


def _use(error: CycloptsError | ConfigurationError) -> str:
    argument, _, rest = str(error).partition(" ")
    return f"{_ENVIRONMENT.get(argument, argument)} {rest}"


def _failure(error: BackupsError) -> str:
    token = error.pagination_token
    resume = "" if token is None else f" (resume with --pagination-token={shlex.quote(token)})"
    return f"{type(error).__name__}: {error}{resume}"
