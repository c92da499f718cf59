# SPDX-License-Identifier: Apache-2.0
"""Drawn videos: several places one after the other, encoded in any way, of any length."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av

from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

RATE = 30
H264_GOP_60 = "h264 384x384 gop 60 b 3"
"""Name of the clip of `extraction` that the long videos are made of."""


@dataclass(frozen=True)
class Drawing:
    """The places that a clip shows."""

    seed: int
    """Added to the seed of the drawings that no training has seen."""
    place_seconds: int
    """Time for which a place is shown."""
    first: int = 0
    """Index of the first place."""


def write_clip(
    path: Path,
    drawing: Drawing,
    size_px: tuple[int, int],
    seconds: int,
    codec: str,
    options: Mapping[str, str],
    container: Mapping[str, str] | None = None,
) -> Path:
    """Draw and encode a clip of 30 frames a second, unless it exists."""

    def write(part: Path) -> None:
        with av.open(str(part), "w", options=dict(container or {})) as output:
            stream = output.add_stream(codec, rate=RATE, options=dict(options))
            stream.width, stream.height = size_px
            stream.pix_fmt = "yuv420p"
            for index in range(RATE * seconds):
                place = drawing.first + index // (RATE * drawing.place_seconds)
                pair = PAIRS[place * 7 % len(PAIRS)]
                scene = draw_scene(HELD_OUT_SEED + drawing.seed + place, *pair)
                picture = scene.frame(index / RATE, size_px)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            output.mux(stream.encode())

    return once(path, write)


def h264_gop_60(folder: Path) -> Path:
    """Return 20 s of 384x384 H.264 with a keyframe every 60 frames and three B-frames."""
    return write_h264(folder, (384, 384), 60, 3, H264_GOP_60)


def write_h264(folder: Path, size_px: tuple[int, int], gop: int, b_frames: int, name: str) -> Path:
    """Return 20 s of H.264 in which every keyframe begins a group of `gop` frames."""
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}"
    options = {"preset": "medium", "crf": "23", "x264-params": params}
    return write_extraction_clip(folder, name, "libx264", size_px, options)


def write_extraction_clip(
    folder: Path, name: str, codec: str, size_px: tuple[int, int], options: Mapping[str, str]
) -> Path:
    """Return 20 s of four places."""
    path = folder / f"{name.replace(' ', '_')}.mkv"
    return write_clip(path, Drawing(700_000, 5), size_px, 20, codec, options)


def short_clips(folder: Path, count: int = 8) -> list[Path]:
    """Return videos of 12 s and 384x384 with a keyframe a second, as the reference encodes them."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"preset": "fast", "profile": "main", "g": "30", "keyint_min": "30"}
    options["sc_threshold"] = "0"
    return [
        write_clip(
            folder / f"clip-{index}.mp4",
            Drawing(900_000, 4, first=3 * index),
            (384, 384),
            12,
            "libx264",
            options,
            {"movflags": "+faststart"},
        )
        for index in range(count)
    ]


def once(path: Path, write: Callable[[Path], object]) -> Path:
    """Return a file that `write` makes under another name first; a cut-off one is not taken."""
    if not path.exists():
        part = path.with_suffix(f".part{path.suffix}")
        write(part)
        part.rename(path)
    return path


def repeat(clip: Path, times: int, target: Path) -> Path:
    """Write a video that is a clip several times, without encoding it again."""
    with av.open(str(target), "w") as output:
        stream, offset = None, 0
        for _ in range(times):
            with av.open(str(clip)) as source:
                template = source.streams.video[0]
                stream = stream or output.add_stream_from_template(template)
                packets = _timed(source.demux(template))
                end = offset + max(packet.pts + packet.duration for packet in packets)
                for packet in packets:
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = stream
                    output.mux(packet)
                offset = end
    return target


def _timed(packets: Iterable[av.Packet]) -> list[av.Packet]:
    """Return packets that all have a decoding time; Matroska lacks that of the first few."""
    found = [packet for packet in packets if packet.pts is not None]
    for before, packet in reversed(list(pairwise(found))):
        if before.dts is None:
            before.dts = packet.dts - packet.duration
    return found
