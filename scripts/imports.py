"""Prints who imports whom, folder by folder: how many imports each row makes of each column's modules.

    python -m scripts.imports           folders and lone files of the service, folders of the ledger
    python -m scripts.imports --circles also which modules import each other, directly or by way of others

Imports within functions and those that only a type checker reads are counted like any other. A circle that is closed by
those alone is called one of annotations: no program runs in it.
"""

import argparse
import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("ledger", "service")


def place_of(module: str) -> str:
    """The folder, or the lone file, that a module lies in: `service.http.fields` lies in `service/http`."""
    package, _, rest = module.partition(".")
    part = rest.partition(".")[0]
    lies_in_folder = (ROOT / package / part).is_dir()
    if package == "ledger" and not lies_in_folder:
        return "ledger"
    return f"{package}/{part}" if part else package


def imported(tree: ast.AST) -> list[str]:
    """The modules a file imports, dotted; a name imported from a package counts as a module where it is one."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if name.partition(".")[0] in PACKAGES]


def modules() -> dict[str, Path]:
    """Every module of the two packages, by its dotted name."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def picture() -> Counter[tuple[str, str]]:
    """How often each place imports from each other."""
    counts: Counter[tuple[str, str]] = Counter()
    for module, path in modules().items():
        for name in imported(ast.parse(path.read_text("utf-8"))):
            if place_of(module) != place_of(name):
                counts[place_of(module), place_of(name)] += 1
    return counts


class _Running(ast.NodeTransformer):
    """What is left of a module when it runs: without what only a type checker reads."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse
        return self.generic_visit(node)


def edges(*, running: bool = False) -> dict[str, set[str]]:
    """Which modules each module imports; when it runs, or also for annotations."""
    known = modules()
    found: dict[str, set[str]] = {}
    for module, path in known.items():
        tree: ast.AST = ast.parse(path.read_text("utf-8"))
        names = imported(_Running().visit(tree) if running else tree)
        found[module] = {name if name in known else name.rpartition(".")[0] for name in names} & known.keys() - {module}
    return found


def reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    """Where one gets from a module by any number of imports."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        ahead += edges[ahead.pop()] - found
        found |= set(ahead)
    return found


def circles(edges: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """The groups of modules that import each other."""
    ways = {module: reached(module, edges) for module in edges}
    groups = {tuple(sorted(other for other in ways[module] if module in ways[other])) for module in ways}
    return sorted(group for group in groups if group)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--circles", action="store_true")
    given = parser.parse_args()
    counts = picture()
    places = sorted({place for edge in counts for place in edge})
    numbers = {place: str(number) for number, place in enumerate(places, start=1)}
    width = max(map(len, places)) + 5
    print(" " * width + "".join(f"{numbers[place]:>4}" for place in places))
    for row in places:
        cells = "".join(f"{counts[row, column] or '·':>4}" for column in places)
        print(f"{numbers[row]:>3}  {row:<{width - 5}}{cells}")
    print(f"\n{len(places)} places, {len(counts)} pairs, {counts.total()} imports")
    if given.circles:
        running = circles(edges(running=True))
        for circle in circles(edges()):
            kind = "circle" if any(set(inner) <= set(circle) for inner in running) else "circle of annotations"
            print(f"{kind}: {', '.join(circle)}")


if __name__ == "__main__":
    main()
