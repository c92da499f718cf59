# SPDX-License-Identifier: Apache-2.0
"""Frames sampled per CPU-second, chunks per second on two cores, and a second decoder thread.

Every method samples the same number of frames from the same clips and scales them to 384 x 384.
The methods take turns for several rounds; medians count. CPU time is that of this process and of
the commands that it starts.
"""

import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg

from benchmarks.common.clips import write_extraction_clip, write_h264
from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.extraction.benchmark import BENCHMARK
from benchmarks.extraction.methods import METHODS, TWO_CORES, WORKERS, Job, on_two_cores, workers

PACKAGES = ("av", "imageio-ffmpeg", "decord", "torchcodec", "torch")
FRAMES_PER_CHUNK = (16, 10)  # the number of the reference pipeline, and one a second
GOPS = (12, 60, 250)
B_FRAMES = (0, 3)
SIZES_PX = {"384x384": (384, 384), "1080p": (1920, 1080)}
THREADS = (("SLICE", 1), ("SLICE", 2), ("FRAME", 2))
Make = Callable[[Path], Path]
Found = dict[str, Any]


def h264_clips() -> Iterator[tuple[str, Make]]:
    """Yield names and makers of H.264 in two sizes."""
    for (size, size_px), gop, b in product(SIZES_PX.items(), GOPS, B_FRAMES):
        name = f"h264 {size} gop {gop} b {b}"
        yield name, partial(write_h264, size_px=size_px, gop=gop, b_frames=b, name=name)


def hevc_clips() -> Iterator[tuple[str, Make]]:
    """Yield names and makers of HEVC."""
    for gop, b in product(GOPS, B_FRAMES):
        params = f"log-level=none:keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b}"
        options = {"preset": "fast", "crf": "28", "x265-params": params}
        yield _full_hd(f"hevc 1080p gop {gop} b {b}", "libx265", options)


def vp9_clips() -> Iterator[tuple[str, Make]]:
    """Yield names and makers of VP9: hidden reference frames take the place of B-frames."""
    for gop, alt_ref in product(GOPS, (0, 1)):
        options = {"deadline": "realtime", "cpu-used": "6", "b": "0", "crf": "32"}
        options |= {"g": str(gop), "keyint_min": str(gop), "auto-alt-ref": str(alt_ref)}
        options["lag-in-frames"] = str(16 * alt_ref)
        yield _full_hd(f"vp9 1080p gop {gop} alt-ref {alt_ref}", "libvpx-vp9", options)


def _full_hd(name: str, codec: str, options: dict[str, str]) -> tuple[str, Make]:
    size_px = SIZES_PX["1080p"]
    make = partial(write_extraction_clip, name=name, codec=codec, size_px=size_px, options=options)
    return name, make


CLIPS = dict([*h264_clips(), *hevc_clips(), *vp9_clips()])
THREAD_CLIPS = ("h264 384x384 gop 60 b 3", "h264 1080p gop 60 b 3", "hevc 1080p gop 60 b 3")
THREAD_CLIPS += ("vp9 1080p gop 60 alt-ref 1",)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def take_turns(
    runs: dict[str, Callable[[], int]], rounds: int, clock: Callable[[], float], amount: int
) -> Found:
    """Return `amount` a second of each method, its number of frames, and every round."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    frames = {}
    for _ in range(rounds):
        for name, run in runs.items():
            began = clock()
            frames[name] = run()
            seconds[name].append(round(clock() - began, 4))
    rates = {name: round(amount / statistics.median(taken), 2) for name, taken in seconds.items()}
    return {"per_second": rates, "frames": frames, "seconds": seconds}


def measure_rates(folder: Path, names: Iterable[str], rounds: int) -> Iterator[Found]:
    """Yield the rates of all methods on one clip after the other."""
    with workers() as pool:
        for name, frames_per_chunk in product(names, FRAMES_PER_CHUNK):
            job = Job(CLIPS[name](folder), frames_per_chunk)
            alone = {method: partial(run, job) for method, run in METHODS.items()}
            pairs = {method: partial(on_two_cores, pool, method, job) for method in TWO_CORES}
            chunks = WORKERS * len(job.chunks())
            found = {
                "clip": name,
                "frames_per_chunk": frames_per_chunk,
                "cpu": take_turns(alone, rounds, cpu_seconds, len(job.targets_seconds)),
                "two_cores": take_turns(pairs, rounds, time.monotonic, chunks),
            }
            print(name, frames_per_chunk, found["cpu"]["per_second"], flush=True)
            print("    on two cores:", found["two_cores"]["per_second"], flush=True)
            yield found


def decode(path: Path, kind: str, threads: int) -> tuple[float, float]:
    """Decode a clip; return the CPU seconds and the wall seconds."""
    cpu, wall = time.process_time(), time.monotonic()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = kind, threads
        for _ in container.decode(stream):
            pass
    return time.process_time() - cpu, time.monotonic() - wall


def measure_threads(folder: Path, names: Iterable[str], rounds: int) -> Iterator[Found]:
    """Yield the times of one decoder thread and of two, which take turns."""
    for name in names:
        path = CLIPS[name](folder)
        taken: dict[tuple[str, int], list[tuple[float, float]]] = {key: [] for key in THREADS}
        for _, key in product(range(rounds), THREADS):
            taken[key].append(decode(path, *key))
        for (kind, threads), times in taken.items():
            cpu, wall = (round(statistics.median(t), 3) for t in zip(*times, strict=True))
            print(name, kind, threads, cpu, wall, flush=True)
            found = {"clip": name, "kind": kind, "threads": threads, "rounds": times}
            yield found | {"cpu_seconds": cpu, "wall_seconds": wall}


def main() -> None:
    """Run all clips and write the results, again after each."""
    parser = BENCHMARK.parser()
    parser.add_argument("--output", type=Path, default=BENCHMARK.folder, help="folder")
    parser.add_argument("--cache", type=Path, help="folder that keeps the clips")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clips", nargs="*", choices=CLIPS, help="only these clips")
    parser.add_argument("--only", choices=("results", "threads"), help="only one of the two files")
    arguments = parser.parse_args()
    machine = describe(PACKAGES) | {
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
        "ffmpeg": imageio_ffmpeg.get_ffmpeg_version(),
    }
    measures = {"results": (measure_rates, CLIPS), "threads": (measure_threads, THREAD_CLIPS)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.cache or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for file in [arguments.only] if arguments.only else measures:
            measure, names = measures[file]
            chosen = [name for name in names if name in (arguments.clips or names)]
            report: Found = {"machine": machine, "rounds": arguments.rounds, "results": []}
            for found in measure(folder, chosen, arguments.rounds):
                report["results"].append(found)
                write_raw(arguments.output / f"{file}.json", report)


if __name__ == "__main__":
    main()
