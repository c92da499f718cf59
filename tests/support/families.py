# SPDX-License-Identifier: Apache-2.0
"""All metric families of the server package, wherever a room declares them."""

import importlib
import pkgutil

import trireel_backend
from trireel_backend.metrics.family import Family

NOT_HERE = ("triton.adapter", "extraction.process.worker")  # they need Triton; they start a process


def all_families() -> list[Family]:
    """Return every family once, sorted by name."""
    families = {}
    for module in pkgutil.walk_packages(trireel_backend.__path__, "trireel_backend."):
        if not module.name.endswith(NOT_HERE):
            values = vars(importlib.import_module(module.name)).values()
            families |= {value.name: value for value in values if isinstance(value, Family)}
    return sorted(families.values(), key=lambda family: family.name)
