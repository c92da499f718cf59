# SPDX-License-Identifier: Apache-2.0
"""The parts of the work alone, in one process without a server: extraction, the bare session.

It prints one JSON object: CPU seconds of each part for every clip, and frames per second of the
session in batches. The session is one of onnxruntime with as many threads as there are cores, which
share each run. The tower served in onnxruntime has as many, but each runs a part of the batch.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.common.session import session
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Sampling, plan_chunks

CHUNK_SECONDS = 10.0
SAMPLING = Sampling(num_frames=16)
Frames = NDArray[np.uint8]


def extract(clip: Path, size_px: int) -> list[Frames]:
    """Return the frames of a clip's chunks."""
    sampler = VideoSampler(VideoFile(clip))
    info, view = sampler.info, View(size_px)
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, CHUNK_SECONDS)
    frames = [sampler.sample(chunk, SAMPLING, view).pixels for chunk in chunks]
    sampler.close()
    return frames


def batches_per_second(tower: ort.InferenceSession, batch: Frames, seconds: float) -> float:
    """Return how many batches a session does, one after the other; at least three are timed."""
    count, began = 0, time.monotonic()
    while count < 3 or time.monotonic() - began < seconds:
        tower.run(None, {"FRAMES": batch})
        count += 1
    return count / (time.monotonic() - began)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--onnx", type=Path, required=True)
    add("--size-px", type=int, required=True)
    add("--threads", type=int, required=True)
    add("--seconds", type=float, required=True, help="for the batches")
    add("clips", type=Path, nargs="+")
    arguments = parser.parse_args()
    tower = session(arguments.onnx, arguments.threads)
    tower.run(None, {"FRAMES": extract(arguments.clips[0], arguments.size_px)[0]})
    extraction, encoding = [], []
    for clip in arguments.clips:
        began = time.process_time()
        frames = extract(clip, arguments.size_px)
        extracted = time.process_time()
        for chunk in frames:
            tower.run(None, {"FRAMES": chunk})
        extraction.append(round(extracted - began, 4))
        encoding.append(round(time.process_time() - extracted, 4))
    per_second = batches_per_second(tower, frames[0], arguments.seconds)
    found = {
        "extraction_cpu_seconds": extraction,
        "session_cpu_seconds": encoding,
        "session_frames_per_second": round(per_second * len(frames[0]), 2),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
