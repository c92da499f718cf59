# SPDX-License-Identifier: Apache-2.0
"""Start Ray and the pipeline on loopback, say when ready, and stop on SIGTERM."""

import argparse
import json
import os
from pathlib import Path

from ray import serve

from benchmarks.common.ray_pipeline import HOST, run_until_stopped
from benchmarks.objects.peer.app import DetectionApi
from benchmarks.objects.peer.detector import Detector, Graph
from benchmarks.objects.peer.frames import Chunker, FrameDecoder

# Parts of the cores that the replicas claim. Ray only counts with them.
SHARES = {"DetectionApi": 0.125, "Chunker": 0.125, "FrameDecoder": 0.375, "Detector": 0.375}


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--temporary", type=Path, required=True, help="where Ray keeps sockets and logs")
    add("--onnx", type=Path, required=True)
    add("--fitted", action="store_true", help="ffmpeg scales to the size of the detector")
    add("--metadata", type=Path, required=True, help="detector.json")
    return parser


def deploy(arguments: argparse.Namespace) -> None:
    """Run the four deployments, with shares of this machine's cores."""
    cores = len(os.sched_getaffinity(0))
    actor = {name: {"ray_actor_options": {"num_cpus": cores * s}} for name, s in SHARES.items()}
    metadata = json.loads(arguments.metadata.read_text())
    size_px = (metadata["width_px"], metadata["height_px"])
    scaled_px = size_px if arguments.fitted else None
    labels = tuple(metadata["labels"])
    limits = metadata["threshold"], metadata.get("most_overlap", 1.0)
    graph = Graph(arguments.onnx, size_px, labels, *limits, cores)
    serve.start(http_options={"host": HOST, "port": arguments.port})
    serve.run(
        DetectionApi.options(**actor["DetectionApi"]).bind(
            chunker=Chunker.options(**actor["Chunker"]).bind(),
            decoder=FrameDecoder.options(**actor["FrameDecoder"]).bind(scaled_px),
            detector=Detector.options(**actor["Detector"]).bind(graph),
        )
    )


if __name__ == "__main__":
    options = create_parser().parse_args()
    run_until_stopped(options.temporary, lambda: deploy(options))
