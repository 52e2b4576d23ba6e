"""The walls of the house: which private room may import from which, and which outside library has which importer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pinecone_backups_async
from tests.support.layers import FLOORS, ORDER

PACKAGE = Path(pinecone_backups_async.__file__).parent
SOLE_IMPORTERS = {
    "aiohttp": {"_transport"},
    "yarl": {"_transport"},
    "tenacity": {"_retry"},
    "cattrs": {"_structure"},
    "msgspec": {"_decode"},
}
EXTENSIONS_OUTSIDE = {
    "testing": {"aiohttp"},
    "cli": {"cyclopts", "rich"},
    "fastapi": {"fastapi", "pydantic", "starlette"},
}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (level, module) of every import in a tree, inside functions too, but for those that only type checkers see."""
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


def wrong_imports(room: str, source: str) -> list[str]:
    """Return what a private room imports although it may not."""
    wrong: list[str] = []
    for level, module in imports(ast.parse(source)):
        top = module.split(".")[0]
        if level == 0 and room not in SOLE_IMPORTERS.get(top, {room}):
            wrong.append(module)
        if level > 0 and (top not in FLOORS or ORDER.index(top) >= ORDER.index(room)):
            wrong.append("." * level + module)
        if level == 0 and top == "pinecone_backups_async":
            wrong.append(module)
    return wrong


def test_every_private_room_has_a_floor() -> None:
    rooms = {path.stem for path in PACKAGE.glob("*.py") if path.stem.startswith("_")}
    assert rooms == set(FLOORS)
    assert sorted(FLOORS.values()) == list(FLOORS.values())


@pytest.mark.parametrize("room", ORDER)
def test_a_room_imports_from_lower_floors_only_and_each_library_has_one_importer(room: str) -> None:
    assert wrong_imports(room, (PACKAGE / f"{room}.py").read_text()) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("_models", "from ._decode import decode_page"),
        ("_protocol", "import aiohttp"),
        ("_pager", "def late():\n    from ._client import BackupsClient"),
        ("_pager", "def late():\n    import tenacity"),
        ("_client", "class Late:\n    def method(self):\n        if True:\n            from cattrs import Converter"),
        ("_errors", "from . import _models"),
        ("_transport", "from pinecone_backups_async import Backup"),
        ("_decode", "try:\n    import yarl.sub\nexcept ImportError:\n    pass"),
    ],
)
def test_a_wrong_import_is_found_wherever_it_stands(room: str, line: str) -> None:
    assert len(wrong_imports(room, line)) == 1


def test_what_only_type_checkers_see_does_not_count() -> None:
    assert wrong_imports("_client", "if TYPE_CHECKING:\n    import aiohttp\nelse:\n    import tenacity") == ["tenacity"]


@pytest.mark.parametrize(
    "path", [p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or not p.stem.startswith("_")]
)
def test_an_extension_uses_only_what_the_door_exports(path: Path) -> None:
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
        outside = {"aiohttp", "yarl", "tenacity", "cattrs", "msgspec", "fastapi", "cyclopts", "rich"} & {
            module.split(".")[0]
        }
        assert outside <= EXTENSIONS_OUTSIDE.get(extension, set())
