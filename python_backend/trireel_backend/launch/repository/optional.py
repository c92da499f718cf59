# SPDX-License-Identifier: Apache-2.0
"""The models that a server may lack, and what it tells about those that it does lack."""

from dataclasses import dataclass
from pathlib import Path

from trireel_backend.launch.repository.describe import find_describe
from trireel_backend.launch.repository.shots import find_shots
from trireel_backend.launch.repository.text import find_text_models
from trireel_backend.text_models.files import TEXT_MODELS
from trireel_schema.description import DESCRIBE_MODEL
from trireel_schema.shots import SHOT_MODEL


@dataclass(frozen=True)
class OptionalModels:
    """Where the files of a server's optional models are."""

    shots: Path | None
    """Folder of `shot_boundary`, None for a server without it."""
    text_models: Path | None
    """Folder of the models that read text, None for a server without them."""
    describe: Path | None
    """File of the backends of `describe`, None for a server without it."""
    losses: tuple[str, ...]
    """A sentence for each model that the server has to do without."""


def find_optional_models(
    shots: Path | None, text_models: Path | None, describe: Path | None
) -> OptionalModels:
    """Return the optional models, by the operator's folders and file, or those of the set-up.

    Raises:
        StartupError: if what the operator names cannot be served.
    """
    found_shots, no_shots = find_shots(shots)
    found_text, no_text = find_text_models(text_models)
    found_describe, no_describe = find_describe(describe)
    reasons = {SHOT_MODEL: no_shots, ", ".join(TEXT_MODELS): no_text, DESCRIBE_MODEL: no_describe}
    losses = (f"Trireel serves without {name}: {why}" for name, why in reasons.items() if why)
    return OptionalModels(found_shots, found_text, found_describe, tuple(losses))
