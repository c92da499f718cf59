# SPDX-License-Identifier: Apache-2.0
"""What an answer depends on: the server, the options, the source, and the code that sent it."""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

from trireel_app.sources.facts import SourceFacts
from trireel_client import AsyncTrireelClient


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What a server's answers depend on; two servers with equal facts give equal answers."""

    checkpoint: str
    """Name of the checkpoint."""
    weights_sha256: str
    """Hash of the checkpoint's weights."""
    text_bank_sha256: str
    """Hash of the server's tags and descriptions; empty from older servers."""
    tag_prompt: str
    """Sentence that every tag of a request stands in when it is embedded."""
    calibration: tuple[float, ...] | None
    """Numbers that turn a cosine into a probability; None from older servers."""
    runtime: str
    """What computes the vision tower, such as `onnxruntime`."""
    precision: str
    """Number format of the vision tower, such as `fp32`."""
    chunk_seconds: float | None
    """Length of a chunk in a request without `chunk_seconds`; None from older servers."""
    frames_per_chunk: int | None
    """Frames of a chunk in a request without `frames_per_chunk`; None from older servers."""
    scene_threshold: float
    """Smallest scene score of a cut in a request without `scene_threshold`."""
    scene_alpha: float
    """Weight of the newest frame in a request without `scene_alpha`."""
    trireel: str
    """Version of Trireel on the server; empty if it is not known."""
    ffmpeg: str
    """Version of the server's FFmpeg; empty from older servers."""
    triton: str
    """Version of Triton."""

    def to_json(self) -> dict[str, Any]:
        """Return the facts as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        known = {field.name: values[field.name] for field in fields(cls)}
        calibration = known["calibration"]
        return cls(**known | {"calibration": None if calibration is None else tuple(calibration)})

    def differences(self, other: Self) -> list[str]:
        """Return a phrase for each fact in which another server differs, such as `ffmpeg: 7, 8`."""
        ours, theirs = self.to_json(), other.to_json()
        return [
            f"{name}: {ours[name]}, now {theirs[name]}"
            for name in ours
            if ours[name] != theirs[name]
        ]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All that one answer depends on."""

    source: SourceFacts
    """Size and hash of the video."""
    server: ServerFacts
    """The server that analysed it."""
    options: Mapping[str, Any]
    """Options of the request; the server chose those that are missing."""
    client: str
    """Version of the package that sent the request; empty if it is not installed."""

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as plain values."""
        return {
            "source": asdict(self.source),
            "server": self.server.to_json(),
            "options": dict(self.options),
            "client": self.client,
        }


async def server_facts(client: AsyncTrireelClient) -> ServerFacts:
    """Request a server's facts; raises TrireelError."""
    details = await client.server_details()
    info = await client.server_info()
    return ServerFacts(
        checkpoint=details.checkpoint,
        weights_sha256=details.weights_sha256,
        text_bank_sha256=details.text_bank_sha256,
        tag_prompt=details.tag_prompt,
        calibration=None if details.calibration is None else astuple(details.calibration),
        runtime=details.runtime,
        precision=details.precision,
        chunk_seconds=details.chunk_seconds,
        frames_per_chunk=details.frames_per_chunk,
        scene_threshold=details.scene_threshold,
        scene_alpha=details.scene_alpha,
        trireel=details.version,
        ffmpeg=details.ffmpeg_version,
        triton=info.version,
    )


@cache
def package_version(package: str = "trireel-client") -> str:
    """Return the version of an installed package; empty if it is only on the path."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
