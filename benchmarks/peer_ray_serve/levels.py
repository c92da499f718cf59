# SPDX-License-Identifier: Apache-2.0
"""Medians over the rounds: start, tower, parts."""

import statistics

from benchmarks.common.levels import Report

SYSTEMS = {"trireel": "Trireel", "ray_serve": "Ray Serve"}


def median_of(report: Report, system: str, name: str) -> float:
    """Return the median over the rounds of one value of a system, such as `start_seconds`."""
    return statistics.median(found["systems"][system][name] for found in report["rounds"])


def parts_cpu_seconds(report: Report) -> dict[str, float]:
    """Return the CPU time for a clip of each part alone."""
    return {
        part: statistics.median(
            statistics.fmean(found["parts"][f"{part}_cpu_seconds"]) for found in report["rounds"]
        )
        for part in ("extraction", "session")
    }


def tower_frames_per_second(report: Report) -> tuple[float, float]:
    """Return the rates of the served tower and of the bare session."""
    rounds = report["rounds"]
    served = (found["systems"]["trireel"]["tower"]["frames_per_second"] for found in rounds)
    bare = (found["parts"]["session_frames_per_second"] for found in rounds)
    return statistics.median(served), statistics.median(bare)
