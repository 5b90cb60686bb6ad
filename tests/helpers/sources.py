"""The sources of the project, and what they import."""

import ast
from pathlib import Path

__all__ = ["MODULES", "ROOT", "imported", "syntax", "target_of"]

ROOT = Path(__file__).parents[2]


def _source_files():
    """(name of the module, path) of everything that is installed; kernels and data appear as they are imported."""
    for folder, package in (("rramsim", "rramsim"), ("kernels", "rramsim.kernels"), ("data", "rramsim.data")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join((package, *(part for part in parts if part != "__init__"))), path


MODULES = dict(_source_files())


def syntax(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(module, path, tree):
    """Full names of what a syntax tree imports anywhere, relative imports resolved."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            # `from rramsim import x` names the room only in x.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def target_of(name):
    """The module of this project that a full name belongs to, or None."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None
