# SPDX-License-Identifier: Apache-2.0
"""Options of the commands that start a server which set parameters and instances of the models."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from trireel_backend.errors import StartupError
from trireel_backend.sources.limits import GIB

AllowNetwork = Annotated[
    list[str] | None,
    typer.Option(help="Network (CIDR) that http(s) videos may come from though not public."),
]
MaxVideoGib = Annotated[
    float | None, typer.Option(help="Largest fetched or uploaded video, 4 by default.")
]
MaxSpoolGib = Annotated[float | None, typer.Option(help="Room for such videos, 16 by default.")]
DecodeOn = Annotated[str | None, typer.Option(help="cpu, or auto for NVDEC where there is a GPU.")]
Extractors = Annotated[
    int | None, typer.Option(help="Chunks extracted at once, by default as configured.", min=1)
]
Videos = Annotated[
    int | None,
    typer.Option(help="Whole videos under way at once, by default as configured.", min=1),
]


@dataclass(frozen=True)
class ModelOptions:
    """What the operator sets of the models; None for what stays as it is configured."""

    allow_network: list[str] | None = None
    max_video_gib: float | None = None
    max_spool_gib: float | None = None
    decode_on: str | None = None
    extractors: int | None = None
    videos: int | None = None
    towers: int | None = None
    others: dict[str, str] = field(default_factory=dict)
    """Any further parameter of config.pbtxt, by its name."""

    def parameters(self) -> dict[str, str]:
        """Return the values of the models' parameters."""
        sizes = {"source_max_bytes": self.max_video_gib, "spool_max_bytes": self.max_spool_gib}
        return {
            **self.others,
            **{name: str(int(gib * GIB)) for name, gib in sizes.items() if gib is not None},
            **({"allowed_networks": ",".join(self.allow_network)} if self.allow_network else {}),
            **({"decode_on": self.decode_on} if self.decode_on else {}),
        }

    def instances(self) -> dict[str, int]:
        """Return how many instances the models have."""
        counts = {
            "frame_extractor": self.extractors,
            "video_analysis": self.videos,
            "siglip_vision": self.towers,
        }
        return {name: count for name, count in counts.items() if count is not None}


def parse_parameters(given: list[str] | None, known: frozenset[str]) -> dict[str, str]:
    """Return NAME=VALUE options by name.

    Raises:
        StartupError: one is not of that form, or no model has a parameter of its name.
    """
    pairs = dict(one.partition("=")[::2] for one in given or () if "=" in one)
    wrong = [one for one in given or () if one.partition("=")[0] not in known & pairs.keys()]
    if wrong:
        raise StartupError(
            f"got --parameter {wrong[0]!r}: give NAME=VALUE with one of {', '.join(sorted(known))}"
        )
    return pairs
