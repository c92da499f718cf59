# SPDX-License-Identifier: Apache-2.0
"""The detector's graph alone, in one process without a server, on the frames of a request.

Prints JSON: CPU seconds of the session for every clip. Its threads, one a core, share each run.
"""

import argparse
import json
import time
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from benchmarks.common.towers import session
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE, read_detector

BATCH = 8


def frames_of(clip: Path, fps: float, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a clip's frames [N, H, W, 3] in the middles of slots of 1 / fps seconds."""
    scaled = VideoReformatter()
    pictures, next_seconds = [], 0.5 / fps
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            if frame.time >= next_seconds:
                pictures.append(scaled.reformat(frame, *size_px, "rgb24").to_ndarray())
                next_seconds += 1 / fps
    return np.stack(pictures)


def main() -> None:
    """Measure the session."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("clips", type=Path, nargs="+")
    arguments = parser.parse_args()
    metadata = read_detector(arguments.detector / DETECTOR_FILE)
    graph = session(arguments.detector / DETECTOR_GRAPH_FILE, arguments.threads)
    size_px = (metadata.width_px, metadata.height_px)
    clips = [frames_of(clip, arguments.fps, size_px) for clip in arguments.clips]
    graph.run(None, {"FRAMES": clips[0][:BATCH]})
    seconds = []
    for frames in clips:
        began = time.process_time()
        for first in range(0, len(frames), BATCH):
            graph.run(None, {"FRAMES": frames[first : first + BATCH]})
        seconds.append(round(time.process_time() - began, 4))
    print(json.dumps({"detector_cpu_seconds": seconds, "frames": [len(f) for f in clips]}))


if __name__ == "__main__":
    main()
