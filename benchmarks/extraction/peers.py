# SPDX-License-Identifier: Apache-2.0
"""Other libraries that sample videos, where they are installed; see requirements.txt."""

from benchmarks.extraction.methods import CHUNK_SECONDS, SIZE_PX, Job, Method
from trireel_backend.plan import plan_chunks


def decord(job: Job) -> int:
    """Sample by frame number with decord; right only where frames are evenly spaced."""
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


def _importable(name: str) -> bool:
    try:
        __import__(name)
    except Exception:  # a wheel may be there without the libraries it needs
        return False
    return True


PEERS: dict[str, Method] = {
    **({"decord": decord} if _importable("decord") else {}),
    **({"torchcodec": torchcodec} if _importable("torchcodec.decoders") else {}),
}
