"""The fixture: there in any project that has pytest, whichever loop its tests run in, if any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

THEIR_TEST = """
import pytest
from pinecone_backups_async import BackupsClient

{mark}
async def test_theirs(fake_pinecone):
    async with BackupsClient(fake_pinecone.api_key, base_url=fake_pinecone.url) as client:
        assert len(await client.list_backups().to_list()) == 250

{mark}
async def test_each_test_has_its_own(fake_pinecone):
    assert fake_pinecone.requests == []
"""

ANYIO_CONFTEST = """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@pytest.mark.parametrize(
    ("mode", "mark"),
    [("strict", "@pytest.mark.asyncio(loop_scope='session')"), ("auto", "@pytest.mark.anyio")],
)
def test_it_is_there_in_a_project_of_its_own(mode: str, mark: str, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIR_TEST.format(mark=mark))
    (tmp_path / "conftest.py").write_text(ANYIO_CONFTEST)
    options = [f"--asyncio-mode={mode}", "-o", "asyncio_default_fixture_loop_scope=function"]
    run_pytest(tmp_path, "import pytest", options)


def test_without_pytest_asyncio_it_works_under_anyio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIR_TEST.format(mark="@pytest.mark.anyio"))
    (tmp_path / "conftest.py").write_text(ANYIO_CONFTEST)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    not_installed = "sys.modules['pytest_asyncio'] = None; import pytest"
    run_pytest(tmp_path, not_installed, ["-p", "anyio.pytest_plugin", "-p", "pinecone_backups_async.testing.plugin"])


def run_pytest(directory: Path, prelude: str, options: list[str]) -> None:
    arguments = ["-q", "-p", "no:cacheprovider", "-W", "error", *options, "."]
    script = f"import sys; {prelude}; sys.exit(pytest.main({arguments}))"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=directory, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 passed" in result.stdout
