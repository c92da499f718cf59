# SPDX-License-Identifier: Apache-2.0
"""Ways to sample a video: Trireel's extractor, the ffmpeg command, libraries, and two yardsticks.

A method samples a clip as uint8 RGB of 384 x 384, chunk after chunk; it returns the number of
frames. `on_two_cores` runs a method as a server does, with two videos at once.
"""

import multiprocessing
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
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
FFMPEG = "ffmpeg commands"
FFMPEG_PROCESSES = 3  # both numbers are those of the reference pipeline
FFMPEG_THREADS = 2
WORKERS = 2
WARM_UP_SECONDS = 0.5  # keeps one worker from taking both starts


@dataclass(frozen=True)
class Job:
    """A clip and its number of sampled frames."""

    path: Path
    frames_per_chunk: int

    @property
    def sampling(self) -> Sampling:
        """The sampling of its chunks."""
        return Sampling(num_frames=self.frames_per_chunk)

    def chunks(self) -> tuple[Chunk, ...]:
        """Return the chunks of the length that the container states."""
        sampler = VideoSampler(VideoFile(self.path))
        sampler.close()
        info = sampler.info
        return plan_chunks(info.start_seconds, info.duration_seconds, CHUNK_SECONDS)

    @cached_property
    def targets_seconds(self) -> tuple[float, ...]:
        """The times of all sampled frames, in order."""
        middles = (self.sampling.slot_middles(chunk).tolist() for chunk in self.chunks())
        return tuple(chain.from_iterable(middles))


Method = Callable[[Job], int]
"""Samples a clip; returns the number of frames."""


def trireel(job: Job) -> int:
    """Sample as frame_extractor does: chunk after chunk of one open video, into one buffer."""
    sampler = VideoSampler(VideoFile(job.path))
    into = np.empty((job.frames_per_chunk, SIZE_PX, SIZE_PX, 3), np.uint8)
    info, view = sampler.info, View.square(SIZE_PX)
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, CHUNK_SECONDS)
    count = sum(len(sampler.sample(chunk, job.sampling, view, into).pixels) for chunk in chunks)
    sampler.close()
    return count


def ffmpeg_commands(job: Job) -> int:
    """Sample as the reference pipeline does: an ffmpeg process a chunk, three at once."""
    with ThreadPoolExecutor(FFMPEG_PROCESSES) as pool:
        return sum(pool.map(lambda chunk: ffmpeg_command(job, chunk), job.chunks()))


def ffmpeg_command(job: Job, chunk: Chunk) -> int:
    """Sample one chunk with one process of two threads."""
    rate = f"{job.frames_per_chunk}/{chunk.duration_seconds}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin"]
    command += ["-threads", str(FFMPEG_THREADS), "-ss", str(chunk.start_seconds)]
    command += ["-t", str(chunk.duration_seconds), "-i", str(job.path)]
    command += ["-vf", f"fps={rate},scale={SIZE_PX}:{SIZE_PX}"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return len(np.frombuffer(done.stdout, np.uint8)) // (SIZE_PX * SIZE_PX * 3)


def full_decode(job: Job) -> int:
    """Decode every frame in this process and scale the sampled ones."""
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
    """Decode only the packets that an exact sampler needs: no scaling, no copies, no times.

    They are, for each sampled frame, its own packet and the reference packets since its keyframe.
    No exact sampler on one thread of FFmpeg's decoders is faster than this.
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
    """Return the packets without GOPs and ends of GOPs that hold no wanted packet.

    A frame that is shown before its keyframe but stored after it needs the GOP before.
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


def decord(job: Job) -> int:
    """Sample by frame number with decord; exact only if frames are evenly spaced."""
    from decord import VideoReader, cpu

    reader = VideoReader(str(job.path), ctx=cpu(0), width=SIZE_PX, height=SIZE_PX, num_threads=1)
    rate = reader.get_avg_fps()
    count = 0
    for chunk in plan_chunks(0.0, len(reader) / rate, CHUNK_SECONDS):
        indices = (job.sampling.slot_middles(chunk) * rate).astype(int)
        count += len(reader.get_batch(indices.tolist()).asnumpy())
    return count


def torchcodec(job: Job) -> int:
    """Sample by time with torchcodec, scaled by its own transform, on one thread."""
    import torch
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize

    torch.set_num_threads(1)
    decoder = VideoDecoder(
        str(job.path),
        dimension_order="NHWC",
        num_ffmpeg_threads=1,
        seek_mode="approximate",
        transforms=[Resize((SIZE_PX, SIZE_PX))],
    )
    count = 0
    for chunk in plan_chunks(0.0, decoder.metadata.duration_seconds, CHUNK_SECONDS):
        times = job.sampling.slot_middles(chunk).tolist()
        count += len(decoder.get_frames_played_at(times).data.numpy())
    return count


def _is_importable(name: str) -> bool:
    try:
        __import__(name)
    except Exception:  # a wheel may be installed without the libraries that it needs
        return False
    return True


PEERS = {
    name: method
    for name, module, method in (
        ("decord", "decord", decord),
        ("torchcodec", "torchcodec.decoders", torchcodec),
    )
    if _is_importable(module)
}
METHODS: dict[str, Method] = {
    "trireel": trireel,
    FFMPEG: ffmpeg_commands,
    "full decode": full_decode,
    "bare decode": bare_decode,
    **PEERS,
}
TWO_CORES = ("trireel", FFMPEG, "bare decode", *PEERS)


@contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Start processes that have imported this module, as a server's processes have."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        list(pool.map(_import_all, [WARM_UP_SECONDS] * WORKERS))
        yield pool


def on_two_cores(pool: ProcessPoolExecutor, name: str, job: Job) -> int:
    """Sample a clip twice: a video for each worker, or all chunks by three ffmpeg processes.

    Returns the number of frames.
    """
    if name != FFMPEG:
        return sum(pool.map(_run, [name] * WORKERS, [job] * WORKERS))
    chunks = [chunk for _ in range(WORKERS) for chunk in job.chunks()]
    with ThreadPoolExecutor(FFMPEG_PROCESSES) as threads:
        return sum(threads.map(lambda chunk: ffmpeg_command(job, chunk), chunks))


def _import_all(seconds: float) -> None:
    """Sleep; to unpickle this function a process has imported this module."""
    time.sleep(seconds)


def _run(name: str, job: Job) -> int:
    return METHODS[name](job)
