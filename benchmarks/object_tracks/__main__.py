# SPDX-License-Identifier: Apache-2.0
"""Analyse drawn videos by a server with the bundled detector, and count MOTA.

Run: python -m benchmarks.object_tracks [--videos 20] [--fps 2 4] [--output FILE]
(needs scripts/setup test).
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc
from numpy.typing import NDArray
from support.drawn_tracks import SECONDS, count, scene_of, write_drawn_video
from support.mota import Accuracy, Boxes

from benchmarks.common.machine import describe
from benchmarks.common.record import ROOT, write_raw
from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports
from trireel_schema.catalogue import FINDINGS
from trireel_schema.detector import DETECTOR_FILE, read_detector

CHUNK_SECONDS = 10.0
Truths = dict[Path, dict[float, Boxes]]


def main() -> None:
    """Write the record that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=20, help="number of videos")
    parser.add_argument("--fps", type=float, nargs="+", default=[2.0, 4.0], help="frames a second")
    parser.add_argument(
        "--detector", type=Path, default=ROOT / "export/detector/model", help="detector's folder"
    )
    parser.add_argument("--output", type=Path, help="record to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        media = Path(work)
        paths = [media / f"{index}.mp4" for index in range(arguments.videos)]
        truths = {path: write_drawn_video(path, index) for index, path in enumerate(paths)}
        options = ServerOptions(
            models=ROOT / "model_repository",
            export=ROOT / "export/tiny/model",
            media_root=media,
            ports=Ports.free(),
            detector=arguments.detector,
        )
        with embedded_server(options) as running:
            url = f"127.0.0.1:{running.ports.grpc}"
            rates = [_rate(url, truths, fps) for fps in arguments.fps]
    report = {
        "machine": describe(),
        "detector": read_detector(arguments.detector / DETECTOR_FILE).checkpoint,
        "seconds": SECONDS,
        "chunk_seconds": CHUNK_SECONDS,
        "rates": rates,
    }
    for rate in rates:
        print({name: rate[name] for name in ("fps", "things", "mota", "switches")})
    if arguments.output:
        write_raw(arguments.output, report)


def _rate(url: str, truths: Truths, fps: float) -> dict[str, Any]:
    together, videos = Accuracy(), []
    with tritonclient.grpc.InferenceServerClient(url) as client:
        for index, (path, truth) in enumerate(truths.items()):
            answer = _answer(client, path, fps)
            alone, scene = Accuracy(), scene_of(index)
            for accuracy in (alone, together):
                count(accuracy, answer, truth)
            videos.append({"video": f"{scene.tag}: {scene.description}", **_counts(alone)})
    return {"fps": fps, **_counts(together), "videos": videos}


def _counts(accuracy: Accuracy) -> dict[str, float]:
    return {
        "things": accuracy.things,
        "missed": accuracy.missed,
        "false": accuracy.false,
        "switches": accuracy.switches,
        "mota": accuracy.mota,
    }


def _answer(client: Any, path: Path, fps: float) -> dict[str, NDArray[Any]]:
    values = {
        "VIDEO": ("BYTES", np.array([path.name.encode()], object)),
        "FIND": ("BYTES", np.array([b"objects"], object)),
        "CHUNK_SECONDS": ("FP64", np.array([CHUNK_SECONDS])),
        "OBJECTS_FPS": ("FP64", np.array([fps])),
    }
    inputs = []
    for name, (kind, value) in values.items():
        tensor = tritonclient.grpc.InferInput(name, list(value.shape), kind)
        tensor.set_data_from_numpy(value)
        inputs.append(tensor)
    response = client.infer("video_analysis", inputs)
    return {name: response.as_numpy(name) for name in FINDINGS["objects"].outputs}


if __name__ == "__main__":
    main()
