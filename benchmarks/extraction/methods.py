# SPDX-License-Identifier: Apache-2.0
"""Ways to sample a video: this extractor, the replaced pipeline's ffmpeg, and two yardsticks.

A method takes a path and what is wanted of it, and hands over uint8 RGB of 384 x 384 for every
sampled frame, as chunks that one worker does one after the other.
"""

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling, plan_chunks

SIZE_PX = 384
CHUNK_SECONDS = 10.0
FFMPEG_PROCESSES = 3  # the replaced pipeline's own numbers
FFMPEG_THREADS = 2


@dataclass(frozen=True)
class Job:
    """What is wanted of a clip."""

    path: Path
    frames_per_chunk: int

    @property
    def sampling(self) -> Sampling:
        """Where its chunks are sampled."""
        return Sampling(num_frames=self.frames_per_chunk)

    def chunks(self) -> tuple[Chunk, ...]:
        """Return its chunks, by what the container says."""
        sampler = VideoSampler(VideoFile(self.path))
        sampler.close()
        info = sampler.info
        return plan_chunks(info.start_seconds, info.duration_seconds, CHUNK_SECONDS)

    @cached_property
    def targets_seconds(self) -> tuple[float, ...]:
        """The times of all frames that are wanted, in order."""
        middles = (self.sampling.slot_middles(chunk).tolist() for chunk in self.chunks())
        return tuple(chain.from_iterable(middles))


Method = Callable[[Job], int]
"""Samples a clip; returns how many frames there were."""


def trireel(job: Job) -> int:
    """Sample as frame_extractor does: chunk after chunk of one open video, into one buffer."""
    sampler = VideoSampler(VideoFile(job.path))
    into = np.empty((job.frames_per_chunk, SIZE_PX, SIZE_PX, 3), np.uint8)
    info, view = sampler.info, View(SIZE_PX)
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, CHUNK_SECONDS)
    count = sum(len(sampler.sample(chunk, job.sampling, view, into).pixels) for chunk in chunks)
    sampler.close()
    return count


def ffmpeg_commands(job: Job) -> int:
    """Sample as the replaced pipeline does: an ffmpeg process a chunk, three at once."""
    with ThreadPoolExecutor(FFMPEG_PROCESSES) as pool:
        return sum(pool.map(lambda chunk: ffmpeg_command(job, chunk), job.chunks()))


def ffmpeg_command(job: Job, chunk: Chunk) -> int:
    """Sample one chunk with one process of two threads."""
    rate = f"{job.frames_per_chunk}/{chunk.duration_seconds}"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-v", "error", "-nostdin", "-threads", str(FFMPEG_THREADS)),
        *("-ss", str(chunk.start_seconds), "-t", str(chunk.duration_seconds), "-i", str(job.path)),
        *("-vf", f"fps={rate},scale={SIZE_PX}:{SIZE_PX}"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
    ]
    done = subprocess.run(command, capture_output=True, check=True)
    return len(np.frombuffer(done.stdout, np.uint8)) // (SIZE_PX * SIZE_PX * 3)


def full_decode(job: Job) -> int:
    """Decode every frame in this process and scale those that are wanted."""
    targets = list(job.targets_seconds)
    count, current = 0, None
    with av.open(str(job.path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for frame in container.decode(stream):
            while current is not None and targets and frame.time > targets[0]:
                current.reformat(SIZE_PX, SIZE_PX, "rgb24", threads=1).to_ndarray()
                targets.pop(0)
                count += 1
            current = frame
    return count + len(targets)


def bare_decode(job: Job) -> int:
    """Decode what an exact sampler must, and nothing else: no scaling, no copies, no times.

    That is, for each wanted frame, the packets from its keyframe on that others refer to, and its
    own. The limit that one thread of FFmpeg's decoders sets to any sampler of exact frames; where a
    goal is above it, no sampler reaches the goal.
    """
    with av.open(str(job.path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        packets = [packet for packet in container.demux(stream) if packet.size]
        wanted = _on_screen(packets, job.targets_seconds)
        codec = stream.codec_context
        for packet in _needed(packets, wanted):
            codec.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            codec.decode(packet)
        codec.decode(None)
    return len(job.targets_seconds)


def _on_screen(packets: list[av.Packet], targets_seconds: Sequence[float]) -> set[int]:
    shown = np.array(sorted(packet.pts for packet in packets))
    seconds = shown * float(packets[0].time_base)
    places = np.searchsorted(seconds, targets_seconds, side="right") - 1
    return set(shown[np.maximum(0, places)].tolist())


def _needed(packets: list[av.Packet], wanted: set[int]) -> list[av.Packet]:
    """Leave out what comes after the last wanted packet of a GOP, and GOPs without one.

    A frame that is shown before its keyframe, though it is stored after it, needs the GOP before.
    """
    needed: list[av.Packet] = []
    led_to: set[int] = set()
    for packet in reversed(packets):
        if packet.pts in wanted:
            led_to.add(packet.pts)
        if led_to:
            needed.append(packet)
        if packet.is_keyframe:
            led_to = {pts for pts in led_to if pts < packet.pts}
    return needed[::-1]


METHODS: dict[str, Method] = {
    "trireel": trireel,
    "ffmpeg commands": ffmpeg_commands,
    "full decode": full_decode,
    "bare decode": bare_decode,
}
