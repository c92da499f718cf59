# SPDX-License-Identifier: Apache-2.0
"""Which other packages a package imports."""

import ast
import sys
from pathlib import Path


def packages_imported(package_root: Path) -> set[str]:
    """Return the names of all packages that a package's files import.

    The standard library and the package itself are left out. Imports inside of functions count.
    """
    found: set[str] = set()
    for path in package_root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").split(".")[0])
    return found - sys.stdlib_module_names - {package_root.name}
