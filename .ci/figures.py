"""Prints the figures to watch: rising numbers are a reason for a quiet day of deleting."""

import ast
import sys
from pathlib import Path

APPS = ("bank", "clients", "surveys", "metrics", "cxportal")
DOORS = {"urls", "admin", "views", "api", "receivers", "tasks", "forms", "http", "apps"}
BELOW = {"queries", "facts", "signals", "models", "formulas", "templatetags", "management"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(*folders: str) -> list[Path]:
    """The Python files under these folders, without migrations."""
    found = [path for folder in folders for path in Path(folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def lines(paths: list[Path]) -> dict[Path, int]:
    """How long each file is."""
    return {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}


def functions(tree: ast.AST) -> list[Function]:
    """Every function of a file, methods included."""
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def inner_imports(tree: ast.AST) -> int:
    """Imports inside functions."""
    inside = (node for function in functions(tree) for node in ast.walk(function))
    return sum(isinstance(node, ast.Import | ast.ImportFrom) for node in inside)


def is_act(path: Path) -> bool:
    """Whether a file belongs to the layer of the acts."""
    part = path.parts[1].removesuffix(".py") if len(path.parts) > 1 else ""
    return path.parts[0] != "cxportal" and part not in DOORS | BELOW | {"__init__"}


def main() -> None:
    """Measure the product and its tests, and print one line each."""
    product = [*files(*APPS), Path("run.py"), Path("manage.py")]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in product}
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for tree in trees.values()
        for node in functions(tree)
    ]
    long = sum(length > 30 for length in lengths)
    sizes = lines(product)
    tests = sum(lines(files("tests")).values())
    acts = sum(
        isinstance(node, Function) and not node.name.startswith("_")
        for path, tree in trees.items()
        if is_act(path)
        for node in ast.iter_child_nodes(tree)
    )
    over = [f"{path} ({size})" for path, size in sizes.items() if size > 300]
    write = sys.stdout.write
    write(f"functions over 30 lines: {long} of {len(lengths)} ({long / len(lengths):.1%})\n")
    write(f"files over 300 lines: {len(over)} {' '.join(over)}\n")
    write(f"inner imports: {sum(map(inner_imports, trees.values()))}\n")
    write(f"product lines: {sum(sizes.values())}, tests: {tests}")
    write(f" (ratio {tests / sum(sizes.values()):.2f})\n")
    write(f"names in the act layer: {acts}\n")


if __name__ == "__main__":
    main()
