"""A real local server with the backups API, for tests of any code that uses it, and the data that it serves.

Knows the endpoints from the service's documentation; of this package it uses only the public API. Each name is imported
when it is first asked for: pytest imports this package in every project that has it installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._data import sample_backups
    from ._messages import Answer, RecordedRequest
    from ._server import FakePinecone

__all__ = ["Answer", "FakePinecone", "RecordedRequest", "sample_backups"]
_MODULES = {"Answer": "_messages", "FakePinecone": "_server", "RecordedRequest": "_messages", "sample_backups": "_data"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value
