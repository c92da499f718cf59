# SPDX-License-Identifier: Apache-2.0
"""Small clips, some of them broken."""

from pathlib import Path

from support.videos import numbered_frame, write_video

FRAMES = 50
BROKEN_EVERY = 20
"""One clip of so many is broken, by turns in three ways."""


def small_clips(folder: Path, count: int) -> tuple[list[Path], set[Path]]:
    """Return clips of two seconds in order, and those that are broken."""
    folder.mkdir(parents=True, exist_ok=True)
    clips, broken = [], set()
    for number in range(count):
        path = folder / f"clip-{number:04d}.mp4"
        clips.append(path)
        if number % BROKEN_EVERY == BROKEN_EVERY // 2:
            _break(path, number // BROKEN_EVERY)
            broken.add(path)
        elif not path.exists():
            frames = [numbered_frame((7 * number + i // 10) % 256) for i in range(FRAMES)]
            write_video(path, frames)
    return clips, broken


def _break(path: Path, way: int) -> None:
    """Write what is no video: text, nothing, or the beginning of a container."""
    contents = (b"I am not a video.", b"", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41")
    path.write_bytes(contents[way % len(contents)])
