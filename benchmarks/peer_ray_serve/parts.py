# SPDX-License-Identifier: Apache-2.0
"""The parts of the work alone, in one process without a server: extraction, the bare session.

Prints JSON: CPU seconds of each part for every clip, and frames per second of the session in
batches. The session is one of onnxruntime whose threads, one a core, share each run; the served
tower has as many threads, each of which runs a part of the batch.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.common.towers import session
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Sampling, plan_chunks

CHUNK_SECONDS = 10.0
SAMPLING = Sampling(num_frames=16)


def extract(clip: Path, size_px: int) -> list[Any]:
    """Return the frames uint8 [16, S, S, 3] of each chunk of a clip."""
    sampler = VideoSampler(VideoFile(clip))
    info, view = sampler.info, View.square(size_px)
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, CHUNK_SECONDS)
    frames = [sampler.sample(chunk, SAMPLING, view).pixels for chunk in chunks]
    sampler.close()
    return frames


def batches_per_second(tower: Any, batch: Any, seconds: float) -> float:
    """Return the rate of batches one after the other; at least three are timed."""
    count, began = 0, time.monotonic()
    while count < 3 or time.monotonic() - began < seconds:
        tower.run(None, {"FRAMES": batch})
        count += 1
    return count / (time.monotonic() - began)


def main() -> None:
    """Measure the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--size-px", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="time for the batches")
    parser.add_argument("clips", type=Path, nargs="+")
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
