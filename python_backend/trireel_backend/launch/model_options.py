# SPDX-License-Identifier: Apache-2.0
"""Command line options that set the models' parameters and instances."""

from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from trireel_backend.errors import StartupError
from trireel_backend.launch.repository.capacity import WAITING_VIDEOS
from trireel_backend.launch.repository.sizing import Sizing
from trireel_backend.sources.limits import GIB
from trireel_backend.system.resources import available_cpus, available_memory_bytes


def _show_version(is_set: bool) -> None:
    if is_set:
        typer.echo(f"trireel-backend {version('trireel-backend')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version."),
]
AllowNetwork = Annotated[
    list[str] | None,
    typer.Option(help="Network (CIDR) from which http(s) videos may come though it is not public."),
]
MaxVideoGib = Annotated[
    float | None, typer.Option(help="Largest fetched or uploaded video in GiB, 4 by default.")
]
MaxSpoolGib = Annotated[
    float | None,
    typer.Option(help="Space for fetched and uploaded videos in GiB, 16 by default."),
]
DecodeOn = Annotated[
    str | None,
    typer.Option(help="Decoder: cpu, or auto for NVDEC if the machine has a GPU."),
]
Extractors = Annotated[
    int | None,
    typer.Option(
        help="Chunks extracted at once, by default one per CPU if memory suffices.", min=1
    ),
]
Videos = Annotated[
    int | None,
    typer.Option(help="Whole videos in flight at once, by default two per extractor.", min=1),
]
MaxWaitingVideos = Annotated[
    int | None,
    typer.Option(
        help="Whole videos that may wait for their turn in each of video_analysis and"
        " video_analysis_stream, 64 by default. Further ones are rejected immediately.",
        min=0,
    ),
]
Parameter = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE for any other parameter of the models' config.pbtxt."),
]
Restarts = Annotated[
    int,
    typer.Option(
        help="How often within 10 minutes Triton is started again if it ended by itself.",
        min=0,
        max=100,
    ),
]
Shots = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the model for exact scenes, by default the one that the set-up makes.",
        file_okay=False,
    ),
]
Tags = Annotated[
    Path | None,
    typer.Option(help="Tags to use instead of the export's, one a line.", dir_okay=False),
]
Descriptions = Annotated[
    Path | None,
    typer.Option(help="Descriptions to use instead of the export's.", dir_okay=False),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        help="Sentence that every tag stands in when it is embedded, as in 'a photo of a {}'; by"
        " default that of the export.",
    ),
]
TextModels = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the models that read text, by default the one that the set-up makes.",
        file_okay=False,
    ),
]
Detector = Annotated[
    Path | None,
    typer.Option(
        help="Folder of an object detector, as trireel-export detector makes it.", file_okay=False
    ),
]
DescribeFile = Annotated[
    Path | None,
    typer.Option(
        "--describe",
        help="JSON file of the vision-language models that describe pictures and answer questions,"
        " in the order in which they are tried.",
        dir_okay=False,
    ),
]
TowerEngine = Annotated[
    str | None,
    typer.Option(
        help="Runtime of the vision tower on a CPU: onnxruntime (default), openvino, or"
        " openvino-bf16, by far the fastest on a CPU with AMX."
    ),
]


@dataclass(frozen=True)
class OwnTexts:
    """Texts that replace those of an export."""

    tags: Path | None = None
    """File of tags, one a line; None for the export's tags."""
    descriptions: Path | None = None
    """File of descriptions, one a line; None for the export's descriptions."""
    tag_prompt: str | None = None
    """Sentence that every tag stands in when it is embedded; None for the export's prompt."""


@dataclass(frozen=True)
class ModelOptions:
    """The operator's settings of the models; None: by the machine's size, or as in the config."""

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
    """Further parameters of config.pbtxt, by name."""
    cpus: int = field(default_factory=available_cpus)
    memory_bytes: int | None = field(default_factory=available_memory_bytes)
    """Memory in bytes that the container may use; None if nothing limits it."""

    @property
    def sizing(self) -> Sizing:
        """Instances and threads that apply unless the operator sets them."""
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
        """Return the number of instances by model name."""
        counts = {
            "frame_extractor": self.extractors,
            "video_analysis": self.videos,
            "siglip_vision": self.towers,
        }
        settings = {name: count for name, count in counts.items() if count is not None}
        return self.sizing.instances() | settings


def parse_parameters(options: list[str] | None, names: frozenset[str]) -> dict[str, str]:
    """Return NAME=VALUE options by name.

    Args:
        names: names of all parameters of the models.

    Raises:
        StartupError: if an option is not NAME=VALUE, or no model has a parameter of this name.
    """
    pairs = dict(option.partition("=")[::2] for option in options or () if "=" in option)
    wrong = [
        option for option in options or () if option.partition("=")[0] not in names & pairs.keys()
    ]
    if wrong:
        raise StartupError(
            f"got --parameter {wrong[0]!r}: give NAME=VALUE with one of {', '.join(sorted(names))}"
        )
    return pairs
