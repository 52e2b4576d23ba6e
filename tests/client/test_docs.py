"""The documentation: every python block of README.md and docs/ runs, and what the pages draw and list is all there is.

A document's blocks run in order and share their names, in an empty directory, with the environment of a fresh
FakePinecone: `BackupsClient()` just works. They may await at top level, as in `python -m asyncio`. The documents with
tests are run by pytest, so that their tests run too. Shell blocks are not run.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.metadata
import inspect
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pinecone_backups_async
from pinecone_backups_async.testing import FakePinecone
from tests.support.layers import ROOT

DOCS = ROOT / "docs"
DOCUMENTS = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]
WRONG = """```python
from pinecone_backups_async import BackupsClient
```
```python
async with BackupsClient() as client:
    assert await client.list_backups().to_list() == []
```
"""
WRONG_TEST = "```python\nasync def test_wrong(fake_pinecone):\n    assert len(fake_pinecone.backups) == 0\n```\n"
OPTIONS = [
    *("-q", "-W", "error", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
    *("-W", "ignore:Using `httpx`"),  # newer Starlettes want another client, which older ones cannot use
    *("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),  # the latter takes a second to start
]


def blocks_of(path: Path) -> list[str]:
    """Return the python blocks of a document, each below as many empty lines as there are lines before it."""
    text = path.read_text()
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return ["\n" * text.count("\n", 0, block.start(1)) + block[1] for block in found]


def has_tests(path: Path) -> bool:
    return re.search(r"^(async )?def test_", "".join(blocks_of(path)), re.MULTILINE) is not None


def run(path: Path) -> None:
    """Run the blocks of a document one after the other, those that await in one and the same loop."""
    namespace: dict[str, object] = {}
    with asyncio.Runner() as runner:
        for block in blocks_of(path):
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compile(block, str(path), "exec", flags=flags, dont_inherit=True, optimize=0)
            result = eval(code, namespace)
            if code.co_flags & inspect.CO_COROUTINE:
                runner.run(result)


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakePinecone]:
    monkeypatch.chdir(tmp_path)
    with FakePinecone(250) as fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield fake
    logging.getLogger("pinecone_backups_async").setLevel(logging.NOTSET)  # examples may set it


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if not has_tests(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_python_block_runs(path: Path) -> None:
    run(path)


def test_a_block_that_fails_is_shown_with_its_line(tmp_path: Path, project: FakePinecone) -> None:
    path = tmp_path / "page.md"
    path.write_text(WRONG)
    with pytest.raises(AssertionError) as caught:
        run(path)
    frame = caught.traceback[-1]
    assert (str(frame.path), frame.lineno + 1, len(project.requests)) == (str(path), 6, 3)


def test_the_tests_in_documents_run_as_tests(tmp_path: Path) -> None:
    """All in one process, where all but a wrong one pass."""
    (tmp_path / "wrong.md").write_text(WRONG_TEST)
    tests = 0
    for path in (tmp_path / "wrong.md", *filter(has_tests, DOCUMENTS)):
        source = ""
        for block in blocks_of(path):
            source += block[source.count("\n") :]
        (tmp_path / f"test_{path.stem}.py").write_text(source)
        tests += len(re.findall(r"^(?:async )?def test_", source, re.MULTILINE))
    command = [sys.executable, "-m", "pytest", *OPTIONS, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert f"1 failed, {tests - 1} passed" in done.stdout, done.stdout + done.stderr
    assert "test_wrong.py:3: AssertionError" in done.stdout


PUBLIC_ERRORS: dict[str, type[Exception]] = {
    name: getattr(pinecone_backups_async, name) for name in pinecone_backups_async.__all__ if name.endswith("Error")
}


def bases_of(error: type[Exception]) -> tuple[str, str]:
    """Return the names of an error's nearest public ancestor and of the builtin that it is as well, or ''."""
    public = next((base.__name__ for base in error.__mro__[1:] if base.__name__ in PUBLIC_ERRORS), "")
    builtin = next((base.__name__ for base in error.__bases__[1:]), "")
    return public, builtin


def test_the_page_of_errors_draws_and_explains_all() -> None:
    page = (DOCS / "errors.md").read_text()
    path: list[str] = []
    drawn: dict[str, tuple[str, str]] = {}
    for indent, name, builtin in re.findall(
        r"^((?:[|+][- ] )*)(\w+)(?: \((\w+)\))?", page.split("```text")[1].split("```")[0], re.MULTILINE
    ):
        path[len(indent) // 3 :] = [name]
        drawn[name] = (path[-2] if path[:-1] else "", builtin)
    assert drawn == {name: bases_of(error) for name, error in PUBLIC_ERRORS.items()}
    explained = re.findall(r"`(\w+Error)`", " ".join(re.findall(r"^\|(.*?)\|", page, re.MULTILINE)))
    assert {*explained, "BackupsError"} >= PUBLIC_ERRORS.keys()


def test_the_reference_has_every_public_name() -> None:
    listed = re.findall(r"^\.\. (?:auto\w+|py:data):: (\w+)", (DOCS / "reference.md").read_text(), re.MULTILINE)
    for name in ("", ".coverage", ".fastapi", ".retention", ".testing"):
        assert set(importlib.import_module("pinecone_backups_async" + name).__all__) <= set(listed)


def test_the_readme_has_no_relative_links() -> None:
    description = importlib.metadata.metadata("pinecone-backups-async").json["description"]
    assert re.findall(r"<img|\]\((?!https://)", str(description)) == []
