# SPDX-License-Identifier: Apache-2.0
"""The progress, the rate and the cost of a training."""

import math
import resource
from collections.abc import Callable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


def shown_progress() -> Progress:
    """Return the display of a training's steps."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )


def warm_cosine(steps: int, warmup_steps: int) -> Callable[[int], float]:
    """Return the share of the rate at each step: up in a line, then down as half a cosine."""

    def share(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        done = (step - warmup_steps) / max(1, steps - warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * done)) + 1e-3

    return share


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those that it started and that have ended."""
    users = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(user) for user in users]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
