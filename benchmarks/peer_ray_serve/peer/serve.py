# SPDX-License-Identifier: Apache-2.0
"""Start Ray and the pipeline on loopback, say when ready, and stop on SIGTERM."""

import argparse
import os
from pathlib import Path
from typing import get_args

from ray import serve

from benchmarks.common.ray_pipeline import HOST, run_until_stopped
from benchmarks.peer_ray_serve.peer.app import Extraction, VideoAnalyzer
from benchmarks.peer_ray_serve.peer.decoder import MultiDecoder
from benchmarks.peer_ray_serve.peer.encoder import Tower, VideoEncoder

# Parts of the cores that the replicas claim. Ray only counts with them; ffmpeg, which runs in the
# analyzer, had most in the original too.
SHARES = {"VideoAnalyzer": 0.5, "VideoEncoder": 0.375, "MultiDecoder": 0.125}


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--temporary", type=Path, required=True, help="where Ray keeps sockets and logs")
    add("--onnx", type=Path, required=True)
    add("--bank", type=Path, required=True)
    add("--size-px", type=int, required=True, help="of the tower's pictures")
    add("--frame-px", type=int, required=True, help="of the frames that ffmpeg gives")
    add("--extraction", choices=get_args(Extraction), required=True)
    return parser


def deploy(arguments: argparse.Namespace) -> None:
    """Run the three deployments, with shares of this machine's cores."""
    cores = len(os.sched_getaffinity(0))
    actor = {name: {"ray_actor_options": {"num_cpus": cores * s}} for name, s in SHARES.items()}
    tower = Tower(arguments.onnx, arguments.size_px, cores)
    serve.start(http_options={"host": HOST, "port": arguments.port})
    serve.run(
        VideoAnalyzer.options(**actor["VideoAnalyzer"]).bind(
            encoder=VideoEncoder.options(**actor["VideoEncoder"]).bind(tower),
            decoder=MultiDecoder.options(**actor["MultiDecoder"]).bind(arguments.bank),
            frame_px=arguments.frame_px,
            extraction=arguments.extraction,
        )
    )


if __name__ == "__main__":
    options = create_parser().parse_args()
    run_until_stopped(options.temporary, lambda: deploy(options))
