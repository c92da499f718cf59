# SPDX-License-Identifier: Apache-2.0
"""Videos of minutes and of hours through the embedded server: time, CPU and memory.

Run: python -m benchmarks.long_video --output benchmarks/long_video/results.json
(needs the environment of scripts/test). One 384x384 H.264 clip of 20 s is put after itself without
encoding until the video is as long as wanted, and analysed as a whole, with one extractor and with
two. Memory is the proportional set size (PSS) of all the server's processes, once a second.
"""

import argparse
import json
import statistics
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.common.footprint import Footprint
from benchmarks.common.machine import describe
from benchmarks.extraction.clips import CLIPS, make_clip
from benchmarks.long_video.cost import Cost, cost, repeat
from trireel_backend.launch.embedded.server import Ports, ServerOptions, embedded_server
from trireel_client import ServerPath, Timeout, TrireelClient

ROOT = Path(__file__).parents[2]
CLIP = "h264 384x384 gop 60 b 3"
CLIP_SECONDS = 20
MINUTES = (2, 10, 120)
EXTRACTORS = (1, 2)
TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Run(Cost):
    """One analysis of one video, and what of."""

    clip: str
    minutes: int
    extractors: int


def analyze(folder: Path, clip: str, minutes: int, extractors: int) -> Run:
    """Start a server, analyse the video of so many minutes, and stop it."""
    options = ServerOptions(
        models=ROOT / "model_repository",
        export=ROOT / "export/tiny/model",
        media_root=folder,
        ports=Ports.free(),
        instances={"frame_extractor": extractors},
    )
    with embedded_server(options) as server:
        url = f"127.0.0.1:{server.ports.grpc}"
        with TrireelClient(url, timeout=Timeout(request_seconds=TIMEOUT_SECONDS)) as client:
            client.analyze(ServerPath("2.mkv"))  # warm
            found = cost(client, Footprint(server.process.pid), f"{minutes}.mkv")
    return Run(**vars(found), clip=clip, minutes=minutes, extractors=extractors)


def main() -> None:
    """Analyse all lengths and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=int, nargs="*", default=MINUTES)
    parser.add_argument("--clip", default=CLIP, choices=[clip.name for clip in CLIPS])
    arguments = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (wanted,) = (clip for clip in CLIPS if clip.name == arguments.clip)
        clip = make_clip(wanted, folder)
        for minutes in {2, *arguments.minutes}:
            repeat(clip, minutes * 60 // CLIP_SECONDS, folder / f"{minutes}.mkv")
        for minutes in arguments.minutes:
            for extractors in EXTRACTORS:
                runs.append(analyze(folder, arguments.clip, minutes, extractors))
                print(runs[-1], "PSS", statistics.median(runs[-1].pss_mib), flush=True)
    report = {"machine": describe(), "runs": [asdict(run) for run in runs]}
    arguments.output.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
