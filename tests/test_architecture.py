"""Dependencies point one way: lyceum_lab → lyceum_ops → lyceum (through its commands only), never back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
# package → the packages of this project that it may import
ALLOWED = {
    "lyceum": {"lyceum"},
    "lyceum_ops": {"lyceum_ops"},
    "lyceum_lab": {"lyceum_lab", "lyceum_ops"},
}


def imported(source: str) -> set[str]:
    """Top-level packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def offences(package: str, source: str) -> set[str]:
    return {name for name in imported(source) if name in ALLOWED and name not in ALLOWED[package]}


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package: str) -> None:
    modules = list((SRC / package).rglob("*.py"))
    assert modules
    wrong = {str(m.relative_to(SRC)): bad for m in modules if (bad := offences(package, m.read_text()))}
    assert wrong == {}


def test_an_import_against_the_direction_is_noticed() -> None:
    assert offences("lyceum", "def f():\n    from lyceum_lab.paths import HOME\n") == {"lyceum_lab"}
    assert offences("lyceum_ops", "import lyceum_lab.cli\n") == {"lyceum_lab"}
    assert offences("lyceum_ops", "import lyceum.settings\n") == {"lyceum"}


def test_every_module_says_what_it_keeps() -> None:
    silent = [
        str(module.relative_to(SRC))
        for module in SRC.rglob("*.py")
        if module.name != "__init__.py"
        and "migrations" not in module.parts
        and ast.get_docstring(ast.parse(module.read_text())) is None
    ]
    assert silent == []
