# SPDX-License-Identifier: Apache-2.0
"""A program for a Python with Ray and Daft: ENGINE SERVER OUTPUT VIDEO...

It analyses the videos inside of the engine, and writes the rows as JSON, in the videos' order.
"""

import json
import os
import sys

from trireel_app.adapters import TrireelAnalyzer
from trireel_app.adapters.daft_clips import analyzer

COLUMNS = ("video_path", "clip_index", "start_sec", "end_sec", "summary", "error")


def ray_rows(url, videos):
    """Return the rows of `flat_map`."""
    return _ray(videos).flat_map(TrireelAnalyzer, **_actors(url)).take_all()


def ray_batches(url, videos):
    """Return the rows of `map_batches`."""
    return _ray(videos).map_batches(TrireelAnalyzer, batch_size=2, **_actors(url)).take_all()


def daft_rows(url, videos):
    """Return the rows of a column of Daft."""
    import daft

    frame = daft.from_pydict({"video": videos})
    frame = frame.with_column("clip", analyzer(url)(frame["video"])).explode("clip")
    return frame.select("clip").to_pydict()["clip"]


def _ray(videos):
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    import ray

    ray.init(num_cpus=2, include_dashboard=False)
    return ray.data.from_items([{"video_path": video} for video in videos])


def _actors(url):
    return {"fn_constructor_kwargs": {"url": url}, "concurrency": 1, "num_cpus": 0.1}


if __name__ == "__main__":
    engine, url, output, *videos = sys.argv[1:]
    rows = globals()[engine](url, videos)
    rows = [{name: row[name] for name in COLUMNS} for row in rows]
    rows.sort(key=lambda row: (videos.index(row["video_path"]), row["clip_index"] or 0))
    with open(output, "w") as file:
        json.dump(rows, file)
