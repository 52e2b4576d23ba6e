"""The command line: options in, an exit code out. Knows cyclopts; each command has its own module."""

from __future__ import annotations

import asyncio
import difflib
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, cast

import attrs
from cyclopts import (
    App,
    CycloptsError,
    MissingArgumentError,
    Parameter,
    UnknownCommandError,
    UnusedCliTokensError,
)

from pinecone_backups_async import BackupsError, ConfigurationError, WaitTimeoutError, __version__

from ._backups import create, delete, describe
from ._check import check_, print_verdict
from ._complaints import failure_text, use_text
from ._connection import NO_API_KEY
from ._listing import list_
from ._prune import prune_
from ._restores import restore, restores, wait
from ._streams import discard_stream, prepare_streams, print_stderr

__all__ = ["run"]

_SETTINGS: Final[dict[str, Any]] = {
    "print_error": False,
    "exit_on_error": False,
    "suppress_keyboard_interrupt": False,
    "result_action": "return_value",
    "help_format": "plaintext",
}
app = App(
    name="pinecone-backups",
    help="The backups of a Pinecone project: list, check, create, restore, delete.\n\n"
    "The API key is read from PINECONE_API_KEY.",
    version=__version__,
    version_flags=("--version", "-V"),
    help_flags=("--help", "-h"),
    **_SETTINGS,
)
cast("Any", app).register_install_completion_command(help="Install completion for this shell.")


def _command(function: Callable[..., int], name: str, epilogue: str) -> None:
    app.command(function, name=name, help_epilogue=epilogue)


_command(
    list_,
    "list",
    "Examples:\n"
    "  pinecone-backups list --demo\n"
    "  pinecone-backups list --index products --older-than 30d --sort size\n"
    "  pinecone-backups list -o csv > backups.csv\n\n"
    "Exit codes: 0 complete, 1 failed, 2 wrong use, 130 Ctrl-C.",
)
_command(
    check_,
    "check",
    "Examples:\n"
    "  pinecone-backups check --demo --max-age 26h\n"
    "  pinecone-backups check --max-age 26h --all-indexes --timeout 5m\n"
    "  pinecone-backups check --max-age 26h -o prometheus > backups.prom\n\n"
    "Exit codes: 0 ok, 1 stale, 2 failing, missing or not known, 3 wrong use, 130 Ctrl-C.",
)
_command(
    prune_,
    "prune",
    "Examples:\n"
    "  pinecone-backups prune --demo --keep-last 3\n"
    "  pinecone-backups prune --keep-daily 7 --keep-weekly 4 --keep-monthly 6 --name 'nightly-*' --yes\n\n"
    "Exit codes: 0 done or shown, 1 something could not be deleted, 2 wrong use or refused, 130 Ctrl-C.",
)
_command(
    describe,
    "describe",
    "Examples:\n"
    "  pinecone-backups describe 670e8400\n"
    "  pinecone-backups describe 670e8400-e29b-41d4-a716-446655440000 -o json\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C.",
)
_command(
    create,
    "create",
    "Examples:\n"
    "  pinecone-backups create products --name before-import --wait\n"
    '  pinecone-backups create products --name "daily-$(date +%F)" --once\n\n'
    "Exit codes: 0 done, 1 failed, 2 wrong use, 4 the wait timed out, 5 it may have happened, 130 Ctrl-C.",
)
_command(
    restore,
    "restore",
    "Example:\n"
    "  pinecone-backups restore 670e8400-e29b-41d4-a716-446655440000 --name products-restored --wait\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 4 the wait timed out, 5 it may have happened, 130 Ctrl-C.",
)
_command(
    restores,
    "restores",
    "Example:\n  pinecone-backups restores --max-items 10\n\nExit codes: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C.",
)
_command(
    wait,
    "wait",
    "Example:\n"
    "  pinecone-backups wait 670e8400 --timeout 2h\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 4 timed out, 130 Ctrl-C.",
)
_command(
    delete,
    "delete",
    "Examples:\n"
    "  pinecone-backups delete 670e8400-e29b-41d4-a716-446655440000\n"
    "  pinecone-backups list --index old --wide\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use or refused, 5 it may have happened, 130 Ctrl-C.",
)
# A further command: a function in a module of its own that takes a class of options (see _options) and returns its exit
# code, and one call of _command here.


@attrs.frozen(kw_only=True)
class _ExitCodes:
    """The exit codes of a command that an error ends."""

    failed: int = 1
    wrong_use: int = 2
    timed_out: int = 4
    outcome_unknown: int = 5
    interrupted: int = 130
    terminated: int = 143
    unwritten: int = 1
    unread: int = 0


_CODES: Final = _ExitCodes()
_CODES_OF_CHECK: Final = _ExitCodes(failed=2, wrong_use=3, unwritten=3, unread=3)  # never one of a verdict


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; the table of these is in docs/command.md."""
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except BaseException as error:
        # Whatever nobody foresaw: its frames may hold the key, a proxy's password or a body.
        traceback.clear_frames(error.__traceback__)
        raise


def _run(words: Sequence[str]) -> int:
    prepare_streams()
    # Without a handler Python would print the log's warnings between the lines that the command prints itself.
    logging.getLogger("pinecone_backups_async").addHandler(logging.NullHandler())
    codes = _CODES
    try:
        command, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
        codes = _CODES_OF_CHECK if command is check_ else _CODES
        code = command(*bound.args, **bound.kwargs)
        sys.stdout.flush()
    except CycloptsError as error:
        return _refuse(error, words)
    except BackupsError as error:
        return _failed(error, codes)
    except KeyboardInterrupt:
        return codes.interrupted
    except asyncio.CancelledError:
        return codes.terminated
    except BrokenPipeError:
        discard_stream(sys.stdout)
        return codes.unread
    except OSError as error:
        discard_stream(sys.stdout)
        _complain(f"the output could not be written: {error.strerror}")
        return codes.unwritten
    return code if isinstance(code, int) else 0


def _failed(error: BackupsError, codes: _ExitCodes) -> int:
    if isinstance(error, ConfigurationError):
        _complain(use_text(error))
        return codes.wrong_use
    _complain(failure_text(error))
    if error.outcome_unknown:
        return codes.outcome_unknown
    return codes.timed_out if isinstance(error, WaitTimeoutError) else codes.failed


def _complain(text: str) -> None:
    print_stderr(f"pinecone-backups: {text}")


def _refuse(error: CycloptsError, words: Sequence[str]) -> int:
    """Complain of words that are no command and its options. `check` and what may have been meant for it is 3."""
    chain, _, rest = app.parse_commands(words)
    unknown = isinstance(error, UnknownCommandError)
    meant = difflib.get_close_matches(words[0], list(app), n=1) if unknown else list(chain)
    complaint = _use(error, words, chain, meant)
    if meant == ["check"]:
        print_verdict(_CODES_OF_CHECK.wrong_use, complaint, _output_of(rest))
        return _CODES_OF_CHECK.wrong_use
    _complain(complaint)
    return _CODES_OF_CHECK.wrong_use if unknown else _CODES.wrong_use


def _use(error: CycloptsError, words: Sequence[str], chain: Sequence[str], meant: Sequence[str]) -> str:
    text = str(error)
    if "--api-key" in text:  # the text may hold the key
        return NO_API_KEY
    if isinstance(error, UnknownCommandError):
        text = f"Unknown command: {words[0]}." + "".join(f" Did you mean {name}?" for name in meant)
    elif isinstance(error, MissingArgumentError) and error.argument is not None:
        text = f"{error.argument.name} is missing or has no value."
    elif isinstance(error, UnusedCliTokensError):
        text = f"Unexpected argument: {' '.join(error.unused_tokens or ())}."
    end = "" if text.endswith((".", "?")) else "."
    return f"{text}{end} See: {' '.join(['pinecone-backups', *chain, '--help'])}"


_output_app: Final = App(help_flags=(), version_flags=(), **_SETTINGS)


@_output_app.default
def _output(*, output: Annotated[str, Parameter(name=("--output", "-o"))] = "table") -> str:
    return output


def _output_of(words: Sequence[str]) -> str:
    """Return the output that was asked for with words that are wrong in another place, by the parser itself."""
    try:
        command, bound, _, _ = _output_app.parse_known_args(words)
    except CycloptsError:
        return "table"
    output = str(command(*bound.args, **bound.kwargs))
    return output if output in {"json", "prometheus"} else "table"
