# SPDX-License-Identifier: Apache-2.0
"""Which module of a package imports which, and whether the imports keep to the package's floors.

A package is a house: its rooms stand on floors, and imports go down only. A room is a module or a
sub-package, named relative to the package: `errors`, `sources`, `extraction.picture`. The most
specific name counts, so a sub-package may be a room inside a room. `PACKAGE` names the package's
own `__init__.py`.

    FLOORS = (
        ("errors", "system"),      # the ground: imports no other room
        ("sources", "ranking"),    # may import the ground, but not each other
        (PACKAGE,),
    )
    assert not floors_violated(Path(my_package.__file__).parent, FLOORS)
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "."

Floors = Sequence[Sequence[str]]
"""The rooms of each floor; the lowest floor comes first."""


@dataclass(frozen=True)
class Import:
    """One import of one module of a package by another."""

    importer: str
    """Name of the module that imports, relative to the package."""
    imported: str
    """Name of the module that is imported, relative to the package."""
    line: int
    """Line of the import in the importer's file."""


def floors_violated(package_root: Path, floors: Floors) -> list[str]:
    """Return a sentence for each import that does not go down, sorted; empty if all do.

    Imports inside of a room are free. A module without a room, a room without a module, and a room
    that stands on two floors are violations too.

    Args:
        package_root: the folder that holds the package's `__init__.py`.
        floors: every room of the package, floor by floor.
    """
    rooms = [room for floor in floors for room in floor]
    heights = {room: height for height, floor in enumerate(floors) for room in floor}
    modules = modules_of(package_root)
    sentences = [f"{room} stands in the table twice" for room in heights if rooms.count(room) > 1]
    homes = {module: room_of(module, heights) for module in modules}
    sentences += [f"{module} belongs to no room" for module, home in homes.items() if home is None]
    sentences += [f"{room} has no module" for room in heights if room not in homes.values()]
    for found in imports_of(package_root):
        importer, imported = homes[found.importer], homes[found.imported]
        if importer is None or imported is None or importer == imported:
            continue
        if heights[imported] >= heights[importer]:
            way = "up" if heights[imported] > heights[importer] else "sideways"
            sentences.append(
                f"{found.importer}, line {found.line}, imports {found.imported}: {way}"
                f" from {importer} to {imported}"
            )
    return sorted(set(sentences))


def import_circle(package_root: Path) -> list[str]:
    """Return modules that import each other in a circle; empty if there is no circle."""
    graph: dict[str, set[str]] = {module: set() for module in modules_of(package_root)}
    for found in imports_of(package_root):
        graph[found.importer].add(found.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def room_of(module: str, rooms: Mapping[str, object]) -> str | None:
    """Return the most specific room that holds a module, None if there is no such room."""
    if module == PACKAGE:
        return PACKAGE if PACKAGE in rooms else None
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in rooms), None)


def modules_of(package_root: Path) -> dict[str, Path]:
    """Return the files of a package's modules by the modules' names, relative to the package."""
    return {
        _name(path.relative_to(package_root)): path for path in sorted(package_root.rglob("*.py"))
    }


def imports_of(package_root: Path) -> Iterator[Import]:
    """Yield every import between the modules of a package.

    Imports inside of functions and under `TYPE_CHECKING` are among them. Imports by a string, such
    as `importlib.import_module("...")`, are not.
    """
    modules = modules_of(package_root)
    for importer, path in modules.items():
        is_package = path.name == "__init__.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            for name in _absolute_names(node, package_root.name, importer, is_package):
                imported = _module(name, package_root.name, modules)
                if imported is not None and imported != importer:
                    yield Import(importer, imported, getattr(node, "lineno", 0))


def _name(path: Path) -> str:
    parts = path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts
    return ".".join(parts) or PACKAGE


def _absolute_names(node: ast.AST, package: str, importer: str, is_package: bool) -> Iterator[str]:
    """Yield what an import statement names, as `package.module.name`; nothing for other nodes."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        origin = node.module or ""
        if node.level:
            parts = [package, *(importer.split(".") if importer != PACKAGE else ())]
            # One dot is the module's own folder, which a package's `__init__` already names.
            parts = parts[: len(parts) - node.level + is_package]
            origin = ".".join([*parts, *filter(None, (node.module,))])
        yield from (f"{origin}.{alias.name}" for alias in node.names)


def _module(name: str, package: str, modules: Mapping[str, Path]) -> str | None:
    """Return the module of the package that a name is or lies in, None if it is another's."""
    parts = name.split(".")
    if parts[0] != package:
        return None
    names = (".".join(parts[1:length]) for length in range(len(parts), 1, -1))
    return next((inner for inner in names if inner in modules), PACKAGE)
