# SPDX-License-Identifier: Apache-2.0
"""The model `describe` in the repository; a server without backends does without it."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from trireel_backend.describing.configuration import (
    TRANSFORMERS,
    BackendConfig,
    key_of,
    load_backends,
)
from trireel_backend.launch.repository.detector import INFORMED_MODELS
from trireel_backend.system.paths import path_text
from trireel_schema.description import DESCRIBER_FILE, DescriberFacts

NEEDED_PACKAGES = ("torch", "transformers")


def find_describe(file: Path | None) -> tuple[Path | None, str]:
    """Return the file of backends, and a sentence if the server has to do without it.

    Args:
        file: the operator's file; None for a server without backends, of which nothing is said.

    Raises:
        StartupError: if the file is not allowed, or a key is not set.
    """
    if file is None:
        return None, ""
    backends = load_backends(file)
    for backend in backends:
        key_of(backend)
    local = [backend.name for backend in backends if backend.kind == TRANSFORMERS]
    missing = [name for name in NEEDED_PACKAGES if importlib.util.find_spec(name) is None]
    if local and missing:
        return None, (
            f"backend {local[0]!r} needs {' and '.join(missing)}, which are not installed: install"
            " trireel-backend[describe]"
        )
    return file, ""


def backends_parameter(file: Path | None) -> dict[str, str]:
    """Return the parameter of `describe`, which no client may read."""
    return {} if file is None else {"backends": path_text(file.resolve())}


def tell_about_describer(backends: Sequence[BackendConfig], repository: Path) -> None:
    """Write what the backends can do into the folders of models that must know it."""
    facts = DescriberFacts(
        sees=any(backend.sees for backend in backends),
        chats=any(backend.chats for backend in backends),
    )
    for model in INFORMED_MODELS:
        folder = repository / model / "1"
        if folder.is_dir():
            facts.write(folder / DESCRIBER_FILE)
