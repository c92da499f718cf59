# SPDX-License-Identifier: Apache-2.0
"""A program for a Python with Ray and Daft: ENGINE SERVER OUTPUT VIDEO...

It analyses the videos inside of the engine, and writes the rows of each way to do so as JSON.
"""

import json
import os
import sys

from trireel_app.adapters import TrireelAnalyzer
from trireel_app.adapters.daft_clips import analyzer

COLUMNS = ("video_path", "clip_index", "start_sec", "end_sec", "summary", "error")
STARTS = 4


def ray(url, videos):
    """Return the rows of Ray Data's `flat_map` and of its `map_batches`."""
    os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"
    import ray

    start_ray()
    dataset = ray.data.from_items([{"video_path": video} for video in videos])
    actors = {"fn_constructor_kwargs": {"url": url}, "concurrency": 1, "num_cpus": 0.1}
    return {
        "flat_map": dataset.flat_map(TrireelAnalyzer, **actors).take_all(),
        "map_batches": dataset.map_batches(TrireelAnalyzer, batch_size=2, **actors).take_all(),
    }


def start_ray():
    """Start a node on this machine, again if it is loaded: Ray waits for it for 30 s alone."""
    import ray

    for attempt in range(STARTS):
        try:
            ray.init(num_cpus=2, include_dashboard=False)
            return
        except Exception:
            ray.shutdown()
            if attempt == STARTS - 1:
                raise


def daft(url, videos):
    """Return the rows of a column of Daft."""
    import daft

    frame = daft.from_pydict({"video": videos})
    frame = frame.with_column("clip", analyzer(url)(frame["video"])).explode("clip")
    return {"column": frame.select("clip").to_pydict()["clip"]}


def in_order(rows, videos):
    """Return the columns that are compared, in the order of the videos."""
    rows = [{name: row[name] for name in COLUMNS} for row in rows]
    return sorted(rows, key=lambda row: (videos.index(row["video_path"]), row["clip_index"] or 0))


if __name__ == "__main__":
    engine, url, output, *videos = sys.argv[1:]
    found = {"ray": ray, "daft": daft}[engine](url, videos)
    with open(output, "w") as file:
        json.dump({way: in_order(rows, videos) for way, rows in found.items()}, file)
