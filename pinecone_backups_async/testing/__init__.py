"""A real local server with the backups API, for tests of any code that uses it, and the data that it serves.

Knows the endpoints from the service's documentation; of this package it uses only the public API.
"""

from ._data import sample_backups
from ._messages import Answer, RecordedRequest
from ._server import FakePinecone

__all__ = ["Answer", "FakePinecone", "RecordedRequest", "sample_backups"]
