# SPDX-License-Identifier: Apache-2.0
"""Inputs of the finding `description`."""

from dataclasses import dataclass, field

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.scene_options import SceneOptions, read_scene_options
from trireel_backend.wire.request import Request

MOST_FRAMES_PER_SCENE = 4
DEFAULT_PROMPT = "Describe the scene."
MOST_TOKENS = 512


@dataclass(frozen=True)
class DescriptionOptions:
    """Inputs of a request, the same for every chunk of a video."""

    frames: int = 2
    """Frames that stand for a scene."""
    prompt: str = DEFAULT_PROMPT
    """Request to the model about a scene's frames."""
    max_tokens: int = 96
    """Most tokens of a description."""
    scenes: SceneOptions = field(default_factory=SceneOptions)
    """Inputs that decide where scenes end."""

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= MOST_FRAMES_PER_SCENE:
            raise InvalidInput(
                f"DESCRIPTION_FRAMES is {self.frames}: give 1 to {MOST_FRAMES_PER_SCENE}"
            )
        if not 1 <= self.max_tokens <= MOST_TOKENS:
            raise InvalidInput(
                f"DESCRIPTION_MAX_TOKENS is {self.max_tokens}: give 1 to {MOST_TOKENS}"
            )


def read_description_options(request: Request) -> DescriptionOptions:
    """Return the inputs of a request; raises InvalidInput."""
    prompts = request.texts("DESCRIPTION_PROMPT")
    frames = request.number("DESCRIPTION_FRAMES", int)
    max_tokens = request.number("DESCRIPTION_MAX_TOKENS", int)
    defaults = DescriptionOptions()
    return DescriptionOptions(
        frames=defaults.frames if frames is None else frames,
        prompt=defaults.prompt if prompts is None else prompts[0],
        max_tokens=defaults.max_tokens if max_tokens is None else max_tokens,
        scenes=read_scene_options(request),
    )
