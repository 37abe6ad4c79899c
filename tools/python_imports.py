"""Prints what each module of a Python package imports, as JSON: `python_imports.py FOLDER`, the package's folder.

Imports in functions count, and so does the `__init__.py` of every package on the way to a module.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path


def imports_of(file: Path, package: Path) -> dict[str, list[str]]:
    """Imported files of the package, relative to it, and names of other packages that are not Python's own."""
    names = [name for node in ast.walk(ast.parse(file.read_text())) for name in imported_names(node)]
    own = [name.split(".")[1:] for name in names if name.split(".")[0] == package.name]
    others = {name.split(".")[0] for name in names} - {package.name, *sys.stdlib_module_names}
    files = {found for parts in own for found in files_on_the_way(parts, package)}
    return {
        "files": sorted(str(found.relative_to(package)) for found in files),
        "packages": sorted(others),
    }


def imported_names(node: ast.AST) -> list[str]:
    """`a.b` and `a.b.c` for `from a.b import c`, as c may be a module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if node.module is None or node.level > 0:
        raise ValueError(f"line {node.lineno}: expected an absolute import, found a relative one")
    return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


def files_on_the_way(parts: list[str], package: Path) -> list[Path]:
    """Files that Python runs to import a module."""
    modules = [package.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    candidates = [file for module in modules for file in (module / "__init__.py", module.with_suffix(".py"))]
    return [file for file in candidates if file.is_file() and file.is_relative_to(package)]


if __name__ == "__main__":
    root = Path(sys.argv[1])
    modules = {str(file.relative_to(root)): imports_of(file, root) for file in sorted(root.rglob("*.py"))}
    print(json.dumps(modules))
