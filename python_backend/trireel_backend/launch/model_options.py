# SPDX-License-Identifier: Apache-2.0
"""Options of the commands that start a server which set parameters and instances of the models."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from trireel_backend.errors import StartupError
from trireel_backend.launch.repository.assemble import WAITING_VIDEOS
from trireel_backend.launch.repository.sizing import Sizing
from trireel_backend.sources.limits import GIB
from trireel_backend.system.resources import available_cpus, available_memory_bytes

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
    int | None,
    typer.Option(
        help="Chunks extracted at once, by default one a CPU, as far as memory goes.", min=1
    ),
]
Videos = Annotated[
    int | None,
    typer.Option(help="Whole videos under way at once, by default two an extractor.", min=1),
]
MaxWaitingVideos = Annotated[
    int | None,
    typer.Option(
        help="Whole videos that may wait for their turn in each of video_analysis and"
        " video_analysis_stream, more are refused at once; 64 by default.",
        min=0,
    ),
]
Parameter = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE for any other parameter of the models' config.pbtxt."),
]
TowerEngine = Annotated[
    str | None,
    typer.Option(
        help="What computes the vision tower on a CPU: onnxruntime (default), openvino, or"
        " openvino-bf16, much the fastest on a CPU with AMX."
    ),
]


@dataclass(frozen=True)
class ModelOptions:
    """What the operator sets of the models; None leaves it to the machine's size or the config."""

    allow_network: list[str] | None = None
    max_video_gib: float | None = None
    max_spool_gib: float | None = None
    decode_on: str | None = None
    extractors: int | None = None
    videos: int | None = None
    towers: int | None = None
    tower_engine: str | None = None
    max_waiting_videos: int | None = None
    others: dict[str, str] = field(default_factory=dict)
    """Any further parameter of config.pbtxt, by its name."""
    cpus: int = field(default_factory=available_cpus)
    memory_bytes: int | None = field(default_factory=available_memory_bytes)
    """What a container may take; None where nothing bounds it."""

    @property
    def sizing(self) -> Sizing:
        """Instances and threads where the operator does not say."""
        return Sizing.of(self.cpus, self.memory_bytes, self.extractors)

    def parameters(self) -> dict[str, str]:
        """Return the values of the models' parameters."""
        sizes = {"source_max_bytes": self.max_video_gib, "spool_max_bytes": self.max_spool_gib}
        waiting = self.max_waiting_videos
        return {
            **self.sizing.parameters(),
            **self.others,
            **{name: str(int(gib * GIB)) for name, gib in sizes.items() if gib is not None},
            **({WAITING_VIDEOS: str(waiting)} if waiting is not None else {}),
            **({"allowed_networks": ",".join(self.allow_network)} if self.allow_network else {}),
            **({"decode_on": self.decode_on} if self.decode_on else {}),
            **({"tower_engine": self.tower_engine} if self.tower_engine else {}),
        }

    def instances(self) -> dict[str, int]:
        """Return how many instances the models have."""
        counts = {
            "frame_extractor": self.extractors,
            "video_analysis": self.videos,
            "siglip_vision": self.towers,
        }
        given = {name: count for name, count in counts.items() if count is not None}
        return self.sizing.instances() | given


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
