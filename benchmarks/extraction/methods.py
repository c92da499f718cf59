# SPDX-License-Identifier: Apache-2.0
"""Ways to sample a video: each takes path, chunk seconds, frames a chunk; returns a count.

All of them hand over uint8 RGB of 384 x 384 for every sampled frame.
"""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

from trireel_backend.extraction import VideoSampler, look
from trireel_backend.plan import Chunk, plan_chunks, slot_middles

Method = Callable[[Path, float, int], int]
SIZE_PX = 384
FFMPEG_PROCESSES = 3  # the replaced pipeline's own numbers
FFMPEG_THREADS = 2


def trireel(path: Path, chunk_seconds: float, frames_per_chunk: int) -> int:
    """Sample as frame_extractor does: chunk after chunk of one open video."""
    sampler = VideoSampler(path)
    info = sampler.info
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, chunk_seconds)
    count = sum(len(sampler.sample(c, frames_per_chunk, SIZE_PX).pixels) for c in chunks)
    sampler.close()
    return count


def ffmpeg_commands(path: Path, chunk_seconds: float, frames_per_chunk: int) -> int:
    """Sample as the replaced pipeline does: an ffmpeg process a chunk, three at once."""
    info = look(path)
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, chunk_seconds)

    def extract(chunk: Chunk) -> int:
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            *("-v", "error", "-nostdin", "-threads", str(FFMPEG_THREADS)),
            *("-ss", str(chunk.start_seconds), "-t", str(chunk.duration_seconds), "-i", str(path)),
            *("-vf", f"fps={frames_per_chunk}/{chunk.duration_seconds},scale={SIZE_PX}:{SIZE_PX}"),
            *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
        ]
        done = subprocess.run(command, capture_output=True, check=True)
        return len(np.frombuffer(done.stdout, np.uint8)) // (SIZE_PX * SIZE_PX * 3)

    with ThreadPoolExecutor(FFMPEG_PROCESSES) as pool:
        return sum(pool.map(extract, chunks))


def full_decode(path: Path, chunk_seconds: float, frames_per_chunk: int) -> int:
    """Decode every frame in this process and scale those that are wanted."""
    info = look(path)
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, chunk_seconds)
    targets = np.concatenate(
        [slot_middles(c.start_seconds, c.duration_seconds, frames_per_chunk) for c in chunks]
    ).tolist()
    count, current = 0, None
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for frame in container.decode(stream):
            while current is not None and targets and frame.time > targets[0]:
                current.reformat(SIZE_PX, SIZE_PX, "rgb24", threads=1).to_ndarray()
                targets.pop(0)
                count += 1
            current = frame
    return count + len(targets)


def decord(path: Path, chunk_seconds: float, frames_per_chunk: int) -> int:
    """Sample by frame number with decord; right only where frames are evenly spaced."""
    from decord import VideoReader, cpu

    reader = VideoReader(str(path), ctx=cpu(0), width=SIZE_PX, height=SIZE_PX, num_threads=1)
    rate = reader.get_avg_fps()
    chunks = plan_chunks(0.0, len(reader) / rate, chunk_seconds)
    count = 0
    for chunk in chunks:
        times = slot_middles(chunk.start_seconds, chunk.duration_seconds, frames_per_chunk)
        count += len(reader.get_batch((times * rate).astype(int).tolist()).asnumpy())
    return count


def torchcodec(path: Path, chunk_seconds: float, frames_per_chunk: int) -> int:
    """Sample by time with torchcodec, and scale with its own transform's peer, interpolation."""
    import torch
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, seek_mode="approximate")
    chunks = plan_chunks(0.0, decoder.metadata.duration_seconds, chunk_seconds)
    count = 0
    for chunk in chunks:
        times = slot_middles(chunk.start_seconds, chunk.duration_seconds, frames_per_chunk)
        frames = decoder.get_frames_played_at(times.tolist()).data
        scaled = torch.nn.functional.interpolate(frames.float(), (SIZE_PX, SIZE_PX))
        count += len(scaled.to(torch.uint8))
    return count


def _importable(name: str) -> bool:
    try:
        __import__(name)
    except Exception:  # a wheel may be there without the libraries it needs
        return False
    return True


METHODS: dict[str, Method] = {
    "trireel": trireel,
    "ffmpeg commands": ffmpeg_commands,
    "full decode": full_decode,
    **({"decord": decord} if _importable("decord") else {}),
    **({"torchcodec": torchcodec} if _importable("torchcodec") else {}),
}
