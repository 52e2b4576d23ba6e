"""The layers of docs/design.md: what a module may import, how large it may be, and who uses which library."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import pinecone_backups_async
from tests.support.layers import IMPORTERS, LAYERS, LIBRARIES

PACKAGE = Path(pinecone_backups_async.__file__).parent
ORDER = list(LAYERS)  # modules of one layer stand in this order: each imports only from those before it
MOST_LINES = {"_client": 450}
MOST_LINES_OF_CORE = 1_850
MOST_LINES_OF_A_FUNCTION = 30
EXTENSIONS_OUTSIDE = {
    "testing": {"aiohttp"},
    "cli": {"cyclopts", "rich"},
    "fastapi": {"anyio", "fastapi", "msgspec", "pydantic", "starlette"},
}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (level, module) of every import in a tree, but for those that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from imports(ast.Module(node.orelse, []))
        elif isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module is None:
                yield from ((node.level, alias.name) for alias in node.names)
            else:
                yield node.level, node.module
        else:
            yield from imports(node)


def wrong_imports(name: str, source: str) -> list[str]:
    """Return what a private module imports although it may not."""
    wrong: list[str] = []
    for level, module in imports(ast.parse(source)):
        top = module.split(".")[0]
        if level == 0 and (top == "pinecone_backups_async" or name not in IMPORTERS.get(top, {name})):
            wrong.append(module)
        if level > 0 and (top not in LAYERS or ORDER.index(top) >= ORDER.index(name)):
            wrong.append("." * level + module)
    return wrong


def test_the_drawing_has_every_private_module() -> None:
    assert {path.stem for path in PACKAGE.glob("_*.py")} - {"__main__"} == set(LAYERS)
    assert sorted(LAYERS.values()) == list(LAYERS.values())
    assert [library for library in LIBRARIES if library != "yarl" and len(IMPORTERS[library]) != 1] == []


def test_modules_import_from_lower_layers_only() -> None:
    wrong = {name: wrong_imports(name, (PACKAGE / f"{name}.py").read_text()) for name in ORDER}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize(("name", "line"), [
    ("_models", "from ._decode import decode_page"), ("_protocol", "import aiohttp"),
    ("_pager", "def late():\n    from ._client import BackupsClient"), ("_errors", "from . import _models"),
    ("_client", "class Late:\n    def method(self):\n        if True:\n            from cattrs import Converter"),
    ("_transport", "from pinecone_backups_async import Backup"),
    ("_decode", "try:\n    import yarl.sub\nexcept ImportError:\n    pass"),
    ("_client", "if TYPE_CHECKING:\n    import aiohttp\nelse:\n    import tenacity"),
])  # fmt: skip
def test_a_wrong_import_is_found_wherever_it_is(name: str, line: str) -> None:
    """What only type checkers see does not count."""
    assert len(wrong_imports(name, line)) == 1


@pytest.mark.parametrize(
    "path", [p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or not p.stem.startswith("_")]
)
def test_an_extension_uses_the_public_api_only(path: Path) -> None:
    extension = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "pinecone_backups_async":
            assert {alias.name for alias in node.names} <= set(pinecone_backups_async.__all__)
    for level, module in imports(tree):
        if level == 0 and module.startswith("pinecone_backups_async."):
            assert not module.split(".")[1].startswith("_"), module
        if level > len(path.parent.relative_to(PACKAGE).parts):
            assert not module.startswith("_"), module
        outside = {*LIBRARIES, "fastapi", "cyclopts", "rich"} & {module.split(".")[0]}
        assert outside <= EXTENSIONS_OUTSIDE.get(extension, set())


def code_lines(source: str) -> int:
    """Count the lines of code, without docstrings, comments and blank lines."""
    between, code, last = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}, set[int](), tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}:
            continue
        docstring = token.type == tokenize.STRING and last in between
        if token.type not in between and not docstring:
            code.update(range(token.start[0], token.end[0] + 1))
        last = token.type
    return len(code)


def test_lines_of_code_are_counted_without_prose() -> None:
    source = '"""Doc."""\n\n# why\nx = (\n"""a\nb""")  # c\n\ndef f():\n    """Doc\n    more."""\n    return 1\n'
    assert code_lines(source) == 5


def test_modules_functions_and_the_core_stay_small() -> None:
    long = {path: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path: lines for path, lines in long.items() if lines > MOST_LINES.get(path.stem, 300)} == {}
    functions = [
        (path.stem, node.name, lines)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := code_lines(ast.unparse(node))) > MOST_LINES_OF_A_FUNCTION
    ]
    assert functions == []
    assert sum(code_lines(path.read_text()) for path in PACKAGE.glob("_*.py")) <= MOST_LINES_OF_CORE
