"""The options that several commands have, as classes that cyclopts reads; and the values they hold.

An option is named once, as a field. A command's own options are a class on top of one of these. Nothing here imports
the client: `--help` needs none of it. The annotations are evaluated at once, for cyclopts reads those that a class
inherits in the module of the class.
"""

import datetime as dt
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import attrs
from cyclopts import Group, Parameter, Token

from ._streams import is_terminal

__all__ = [
    "FLAG",
    "OUTPUT",
    "Age",
    "AgeOrNone",
    "Connection",
    "Count",
    "DemoConnection",
    "Names",
    "Number",
    "Pairs",
    "Wide",
    "options_of",
    "output_or_default",
    "parse_duration",
]

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> dt.timedelta:
    """Return the duration that a text names: 90s, 15m, 26h, 7d or 2w; raise ValueError for anything else."""
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"a duration is a number and one of s, m, h, d, w, such as 26h; not {text!r}")
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


def parse_count(text: str) -> int:
    """Return a number of things; raise ValueError for anything else."""
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise ValueError(f"must be an integer of at least 0, not {text!r}")
    return int(text)


def parse_pair(text: str) -> str:
    """Return `key=value` as it is; raise ValueError for anything else."""
    if text.find("=") < 1:
        raise ValueError(f"a tag is written key=value, not {text!r}")
    return text


def _converter(parse: Callable[[str], Any]) -> Callable[[Any, Sequence[Token]], Any]:
    def convert(_: Any, tokens: Sequence[Token]) -> Any:
        return parse(tokens[0].value)

    return convert


def _each(parse: Callable[[str], Any]) -> Callable[[Any, Sequence[Token]], Any]:
    def convert(_: Any, tokens: Sequence[Token]) -> Any:
        return tuple(parse(token.value) for token in tokens)

    return convert


FLAG: Final[dict[str, Any]] = {"negative": (), "show_default": False}
OUTPUT: Final[dict[str, Any]] = {"name": ("--output", "-o"), "metavar": "FORMAT"}
Age = Annotated[dt.timedelta, Parameter(metavar="AGE", converter=_converter(parse_duration))]
AgeOrNone = Annotated[dt.timedelta | None, Parameter(metavar="AGE", converter=_converter(parse_duration))]
Number = Annotated[int, Parameter(metavar="N", converter=_converter(parse_count))]
Count = Annotated[int | None, Parameter(metavar="N", converter=_converter(parse_count))]
Names = Annotated[tuple[str, ...], Parameter(metavar="NAME", **FLAG)]
Pairs = Annotated[tuple[str, ...], Parameter(metavar="KEY=VALUE", converter=_each(parse_pair), **FLAG)]
Wide = Annotated[bool, Parameter(help="Show every column and whole ids, however wide the table.", **FLAG)]


_GROUP: Final = Group("Connection", sort_key=1)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Connection:
    """How the service is reached."""

    timeout: Annotated[
        AgeOrNone,
        Parameter(metavar="TIME", group=_GROUP, help="How long the command may take, such as 90s or 15m."),
    ] = None
    proxy: Annotated[
        str | None,
        Parameter(
            metavar="URL", group=_GROUP, help="An HTTP proxy. Default: HTTPS_PROXY, unless NO_PROXY names the host."
        ),
    ] = attrs.field(default=None, repr=False)
    # Declared so that it can be answered with why there is no such option.
    api_key: Annotated[str | None, Parameter(show=False)] = attrs.field(default=None, repr=False)
    demo: Annotated[bool, Parameter(parse=False)] = False

    @property
    def seconds(self) -> float | None:
        """Return the limit in seconds, None if there is none."""
        return None if self.timeout is None else self.timeout.total_seconds()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class DemoConnection(Connection):
    """The same, for a command that also works on the demonstration project."""

    demo: Annotated[
        bool, Parameter(help="Use a made-up project on a local server; no key is needed.", group=_GROUP, **FLAG)
    ] = False


options_of: Final = Parameter(name="*")


def output_or_default(output: str | None, *, piped: str) -> str:
    """Return the format that was asked for; otherwise a table on a terminal, and in a pipe what programs read."""
    return output or ("table" if is_terminal(sys.stdout) else piped)
