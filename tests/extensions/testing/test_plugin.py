"""The fixture: there in any project that has pytest, whichever loop its tests run in, if any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

THEIR_TEST = """
import pytest
from pinecone_backups_async import BackupsClient

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.{mark}
async def test_theirs(fake_pinecone):
    async with BackupsClient(fake_pinecone.api_key, base_url=fake_pinecone.url) as client:
        assert len(await client.list_backups().to_list()) == 250

@pytest.mark.{mark}
async def test_each_test_has_its_own(fake_pinecone):
    assert fake_pinecone.requests == []
"""
LOOP = ["-o", "asyncio_default_fixture_loop_scope=function"]
ALONE = ["-p", "anyio.pytest_plugin", "-p", "pinecone_backups_async.testing.plugin"]


@pytest.mark.parametrize(
    ("mark", "prelude", "options"),
    [
        ("asyncio(loop_scope='session')", "", ["--asyncio-mode=strict", *LOOP]),
        ("anyio", "", ["--asyncio-mode=auto", *LOOP]),
        ("anyio", "sys.modules['pytest_asyncio'] = None", ALONE),  # as if it were not installed
    ],
)
def test_it_is_there_in_a_project_of_its_own(
    mark: str, prelude: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIR_TEST.format(mark=mark))
    if options is ALONE:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    arguments = ["-q", "-p", "no:cacheprovider", "-W", "error", *options, "."]
    command = [sys.executable, "-c", f"import sys; {prelude}\nimport pytest; sys.exit(pytest.main({arguments}))"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, "2 passed" in result.stdout) == (0, True), result.stdout + result.stderr
