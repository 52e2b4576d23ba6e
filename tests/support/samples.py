"""The examples of the specification's page, word for word, and a helper that makes rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
CURL_EXAMPLE = (_HERE / "curl_example.json").read_bytes()
OPENAPI_EXAMPLE = (_HERE / "openapi_example.json").read_bytes()


def row(backup_id: str = "b1", **fields: Any) -> dict[str, Any]:
    """Return the JSON object of a backup with the required fields and those given."""
    required = {"backup_id": backup_id, "source_index_name": "products", "source_index_id": "idx-1", "status": "Ready"}
    return required | {"cloud": "aws", "region": "us-east-1"} | fields


def page_body(*rows: Any, next_token: str | None = None) -> bytes:
    """Return the JSON text of a page."""
    pagination = None if next_token is None else {"next": next_token}
    return json.dumps({"data": rows, "pagination": pagination}).encode()
