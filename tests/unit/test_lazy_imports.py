"""What an import costs: nothing heavy until a name is asked for that needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pinecone_backups_async
import pinecone_backups_async.testing

HEAVY = "{'aiohttp', 'attr', 'cattrs', 'msgspec', 'tenacity', 'yarl'} & set(sys.modules)"


@pytest.mark.parametrize(("statement", "imported"), {
    "import pinecone_backups_async; pinecone_backups_async.__version__; dir(pinecone_backups_async)": "set()",
    "import pinecone_backups_async.testing.plugin": "set()",
    "from pinecone_backups_async import BackupsError, BackupStatus": "set()",
    "from pinecone_backups_async import Backup, RetryPolicy": "{'attr'}",
}.items())  # fmt: skip
def test_only_what_is_needed_is_imported(statement: str, imported: str) -> None:
    script = f"import sys; {statement}; found = {HEAVY}; assert found == {imported}, found"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("package", [pinecone_backups_async, pinecone_backups_async.testing])
def test_a_name_that_is_not_there_is_an_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'missing'"):
        _ = package.missing  # type: ignore[attr-defined]
    assert {"__all__", "__name__"} <= set(dir(package))
