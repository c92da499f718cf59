# SPDX-License-Identifier: Apache-2.0
"""RapidOCR in an environment of its own: reads every sampled frame of a video's region.

Run: PYTHON rapidocr_worker.py default|native VIDEO FPS MOST LEFT TOP WIDTH HEIGHT

It prints JSON. By default the package scales a picture until its shorter side has 736 pixels;
`native` keeps its size. The region is in pixels. If the video has more samples than MOST, every
n-th of them is read, and the rest is decoded only: the caller multiplies. Everything else is as the
package has it by default.
"""

import json
import resource
import sys
import time

import av
from rapidocr import RapidOCR

SIZES = {"default": {}, "native": {"Det.limit_side_len": 32}}


def main() -> None:
    """Read one video, and print the texts, the times and the memory."""
    size, video, fps, most = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    left, top, width, height = map(int, sys.argv[5:])
    engine = RapidOCR(params={"Global.log_level": "error", **SIZES[size]})
    decoding, cpu, frames, samples = time.perf_counter(), time.process_time(), [], 0
    with av.open(video) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        every = max(1, int(float(stream.duration * stream.time_base) * fps) // most)
        slot = -1
        for frame in container.decode(stream):
            if (index := int(frame.time * fps + 1e-4)) != slot:
                slot = index
                samples += 1
                if samples % every == 0 and len(frames) < most:
                    picture = frame.to_ndarray(format="bgr24")
                    frames.append((frame.time, picture[top : top + height, left : left + width]))
    reading, cpu_decoded = time.perf_counter(), time.process_time()
    texts = []
    for seconds, picture in frames:
        found = engine(picture)
        texts.append([seconds, list(found.txts or ())])
    ended, cpu_read = time.perf_counter(), time.process_time()
    answer = {
        "samples": samples,
        "read": len(frames),
        "decode_seconds": [reading - decoding, cpu_decoded - cpu],
        "read_seconds": [ended - reading, cpu_read - cpu_decoded],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "texts": texts,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
