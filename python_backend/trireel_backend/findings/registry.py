# SPDX-License-Identifier: Apache-2.0
"""All findings by name, and the findings that a request names.

A finding is found by its file: `findings/quality.py` holds a class whose `name` is "quality". So a
new finding is a new file here, and its tensors in the catalogue.
"""

import math
from importlib import import_module
from typing import Any, cast, get_type_hints

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.finding import Finding, ServerModels, ViewSpec
from trireel_backend.plan import Sampling
from trireel_backend.wire.request import Request
from trireel_schema import catalogue
from trireel_schema.catalogue import DEFAULT_FINDINGS


def _load(name: str) -> type[Finding]:
    """Return the class of a finding from the file of the same name."""
    module = import_module(f"{__package__}.{name}")
    classes = (value for value in vars(module).values() if isinstance(value, type))
    return cast(type[Finding], next(kind for kind in classes if vars(kind).get("name") == name))


FINDINGS: dict[str, type[Finding]] = {name: _load(name) for name in catalogue.FINDINGS}
"""Every finding of the catalogue, in the catalogue's order."""


def state_types() -> dict[str, Any]:
    """Return the type of each finding's state, by its name: what its `start` returns."""
    return {name: get_type_hints(kind.start)["return"] for name, kind in FINDINGS.items()}


def findings_named(request: Request) -> tuple[str, ...]:
    """Return the findings that FIND names, each once; without FIND the default findings.

    Raises:
        InvalidInput: if FIND names an unknown finding.
    """
    names = request.texts("FIND")
    if names is None:
        return DEFAULT_FINDINGS
    for name in names:
        if name not in FINDINGS:
            raise InvalidInput(
                f"FIND names {name[:40]!r}: give some of {', '.join(sorted(FINDINGS))}"
            )
    return tuple(name for name in FINDINGS if name in names)


def second_views(
    request: Request, models: ServerModels, chunk_seconds: float
) -> dict[str, ViewSpec]:
    """Return the second views that the findings of a request need.

    Args:
        models: facts about other models of the server.
        chunk_seconds: length of a chunk in seconds.

    Raises:
        InvalidInput: if an input is wrong, the server lacks a model, or a chunk has more frames of
            a view than are allowed.
    """
    names = findings_named(request)
    views = {name: FINDINGS[name].view(FINDINGS[name].options(request), models) for name in names}
    needed = {name: view for name, view in views.items() if view is not None}
    for view in needed.values():
        _check_count(view, chunk_seconds)
    return needed


def _check_count(view: ViewSpec, chunk_seconds: float) -> None:
    count = Sampling(fps=view.fps).count(chunk_seconds) if view.fps_input else 0
    if count > view.max_frames:
        raise InvalidInput(
            f"{view.fps_input} {view.fps:g} in chunks of {chunk_seconds:g} s makes {count} frames"
            f" of {view.width_px} x {view.height_px} per chunk, and {view.max_frames} are allowed:"
            f" set CHUNK_SECONDS to {math.floor(view.max_frames / view.fps * 100) / 100:g} or less"
        )


def check_options(request: Request) -> tuple[str, ...]:
    """Check the inputs of the findings that a request names, return them; raises InvalidInput."""
    names = findings_named(request)
    for name in names:
        FINDINGS[name].options(request)
    return names
