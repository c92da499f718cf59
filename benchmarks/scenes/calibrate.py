# SPDX-License-Identifier: Apache-2.0
"""Set an export's scene settings by labelled videos.

Run: python -m benchmarks.scenes.calibrate --export FOLDER --labelled FOLDER... [--write]

A server with the export samples and embeds the videos as it does in production. Then every pair of
a threshold and a weight of the newest frame is tried on the embeddings. The best pair goes to the
export's metadata.json with --write; servers take it from there unless their operator sets
`--parameter scene_threshold=` and `scene_alpha=`, or a request sets its own.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.counts import Counts, total
from benchmarks.common.whole_video import warm_server
from benchmarks.scenes.labelled import Labelled, read_folder
from benchmarks.scenes.score import Event, Tolerance, count
from benchmarks.scenes.served import common_folder
from trireel_backend.findings.scenes import scan_scenes
from trireel_client import ServerPath, TrireelClient
from trireel_schema.files import METADATA_FILE
from trireel_schema.metadata import Metadata, read_metadata, write_metadata

ALPHAS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
THRESHOLDS = tuple(np.round(np.geomspace(0.01, 1.0, 41), 4).tolist())
DEFAULT_TOLERANCE_SECONDS = 0.65
"""Distance of frames that are sampled 16 in 10 s, and some more."""


@dataclass(frozen=True)
class Sampled:
    """The sampled frames of a labelled video."""

    video: Labelled
    """The video and its truth."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS."""
    embeddings: NDArray[np.float32]
    """[f, D] unit length."""


@dataclass(frozen=True)
class Setting:
    """A pair of scene settings and its score."""

    threshold: float
    """Smallest scene score of a cut."""
    alpha: float
    """Weight of the newest frame in the running average."""
    counts: Counts
    """Hits, missed transitions and false events of all videos."""


def sample(client: TrireelClient, media: Path, video: Labelled) -> Sampled:
    """Return the frames that a server samples of a video, and their embeddings."""
    path = ServerPath(str(video.path.resolve().relative_to(media)))
    chunks = client.analyze(path, find=("tags",), with_embeddings=True).chunks
    times = chain.from_iterable(chunk.frame_timestamps_seconds for chunk in chunks)
    embeddings = [c.frame_embeddings for c in chunks if c.frame_embeddings is not None]
    return Sampled(video, np.fromiter(times, np.float64), np.concatenate(embeddings))


def judge(
    videos: Iterable[Sampled], threshold: float, alpha: float, tolerance: Tolerance
) -> Setting:
    """Return the score of a pair of settings on all videos."""
    counts = []
    for sampled in videos:
        scan = scan_scenes(sampled.embeddings, None, threshold=threshold, alpha=alpha)
        events = [Event.at(at) for at in sampled.timestamps_seconds[scan.cuts].tolist()]
        counts.append(total(count(sampled.video.truth, events, tolerance).values()))
    return Setting(threshold, alpha, total(counts))


def best(settings: Sequence[Setting]) -> Setting:
    """Return the setting of the highest F1; of equal ones that in the middle of the thresholds."""
    highest = max(setting.counts.f1 for setting in settings)
    equal = [setting for setting in settings if setting.counts.f1 == highest]
    alphas = [setting.alpha for setting in equal]
    alpha = max(dict.fromkeys(alphas), key=alphas.count)  # that with the widest range
    of_alpha = sorted((s for s in equal if s.alpha == alpha), key=lambda s: s.threshold)
    return of_alpha[len(of_alpha) // 2]


def calibrate(videos: Sequence[Sampled], tolerance: Tolerance) -> Setting:
    """Return the best pair of settings."""
    return best([judge(videos, *pair, tolerance) for pair in product(THRESHOLDS, ALPHAS)])


def store(metadata: Metadata, setting: Setting, path: Path) -> None:
    """Write the settings to an export's metadata."""
    changed = replace(metadata, scene_threshold=setting.threshold, scene_alpha=setting.alpha)
    write_metadata(changed, path)


def describe(name: str, setting: Setting) -> dict[str, object]:
    """Return a setting as plain values."""
    counts = setting.counts
    figures = {"f1": counts.f1, "precision": counts.precision, "recall": counts.recall}
    return {
        "setting": name,
        "scene_threshold": setting.threshold,
        "scene_alpha": setting.alpha,
        **{figure: round(value, 4) for figure, value in figures.items()},
    }


def main() -> None:
    """Measure, print the settings before and after as JSON, and store them if --write is there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scenes.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--export", type=Path, required=True, help="folder of the export")
    parser.add_argument("--labelled", type=Path, nargs="+", required=True, help="labelled folders")
    parser.add_argument("--names", default="*", help="pattern of the names of videos to take")
    parser.add_argument(
        "--tolerance", type=float, default=DEFAULT_TOLERANCE_SECONDS, help="seconds that count"
    )
    parser.add_argument("--write", action="store_true", help="store the best pair in the export")
    arguments = parser.parse_args()
    metadata = read_metadata(arguments.export / METADATA_FILE)
    tolerance = Tolerance(None, arguments.tolerance)
    labelled = [v for folder in arguments.labelled for v in read_folder(folder, arguments.names)]
    media = common_folder([video.path for video in labelled])
    warm_up = str(labelled[0].path.resolve().relative_to(media))
    options = ("--export", str(arguments.export), "--media", str(media))
    with warm_server(warm_up, *options) as server:
        videos = [sample(server.client, media, video) for video in labelled]
    before = judge(videos, metadata.scene_threshold, metadata.scene_alpha, tolerance)
    after = calibrate(videos, tolerance)
    for name, setting in (("before", before), ("best", after)):
        print(json.dumps(describe(name, setting)))
    if arguments.write:
        store(metadata, after, arguments.export / METADATA_FILE)


if __name__ == "__main__":
    main()
