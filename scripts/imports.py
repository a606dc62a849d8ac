"""Prints who imports whom, folder by folder: how many imports each row makes of each column's modules.

    python -m scripts.imports           folders and lone files of the service, folders of the ledger
    python -m scripts.imports --circles also which of them import each other, directly or by way of others

Imports within functions and those that only a type checker reads are counted like any other.
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


def picture() -> Counter[tuple[str, str]]:
    """How often each place imports from each other."""
    counts: Counter[tuple[str, str]] = Counter()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for name in imported(ast.parse(path.read_text("utf-8"))):
                if place_of(module) != place_of(name):
                    counts[place_of(module), place_of(name)] += 1
    return counts


def reachable(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """From where one gets where, by any number of imports."""
    known = set(edges)
    while more := {(a, d) for a, b in known for c, d in known if b == c} - known:
        known |= more
    return known


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
        ways = reachable(set(counts))
        for place in places:
            others = [other for other in places if other != place and {(place, other), (other, place)} <= ways]
            if others:
                print(f"circle: {place} <-> {', '.join(others)}")


if __name__ == "__main__":
    main()
