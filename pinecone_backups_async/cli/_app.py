"""The command line: options in, an exit code out. Knows cyclopts; what the commands do stands in their own rooms."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from pinecone_backups_async import BackupsError, ConfigurationError, __version__

from ._check import CheckOutput, check
from ._listing import ListOptions, Output, list_backups
from ._sanitize import for_terminal

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
        list[str] | None, Parameter(help="Expect this index, and judge only those named.", negative=())
    ] = None,
    output: Annotated[CheckOutput, Parameter(help="How the report is written.")] = "table",
    demo: Annotated[bool, Parameter(help="Check a demonstration project; no key is needed.", negative=())] = False,
) -> int:
    """Say whether each index has a fresh, Ready backup: exit 0 if so, 1 if stale, 2 if worse, 3 for wrong use."""
    return await check(max_age=max_age, indexes=index or (), output=output, demo=demo)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    `list`: 0, 1 where it failed, 2 for wrong use. `check`: that of a monitoring plugin. Both: 130 after Ctrl-C.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    failed, wrong_use = (2, 3) if words[:1] == ["check"] else (1, 2)
    try:
        code = app(words)
        sys.stdout.flush()
    except (CycloptsError, ConfigurationError) as error:
        return _complain(_use(error), wrong_use)
    except BackupsError as error:
        return _complain(_failure(error), failed)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us has gone. Python would complain once more when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _use(error: CycloptsError | ConfigurationError) -> str:
    hint = "; --demo shows a demonstration project without one" if "PINECONE_API_KEY" in str(error) else ""
    return f"{error}{hint}"


def _failure(error: BackupsError) -> str:
    token = error.pagination_token
    resume = "" if token is None else f" (resume with --pagination-token={shlex.quote(token)})"
    return f"{type(error).__name__}: {error}{resume}"


def _complain(text: str, code: int) -> int:
    print(f"pinecone-backups: {for_terminal(text)}", file=sys.stderr)
    return code
