# SPDX-License-Identifier: Apache-2.0
"""Does a served `shot_boundary` judge the known windows as TransNetV2's own code does?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tritonclient.utils import InferenceServerException

from trireel_backend.errors import GateFailed
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.shot_canary import judge_windows
from trireel_backend.shots.files import load_windows
from trireel_schema.errors import TowerDiffers
from trireel_schema.shots import SHOT_MODEL
from trireel_schema.windows import KnownWindows, check_windows

BATCH_SIZES = (1, 5)
"""One window, and a size for which no graph was built."""
CALL_SECONDS = 300.0


@dataclass(frozen=True)
class ShotReport:
    """The results of a model that passed in batches of one size."""

    batch_size: int
    windows: int
    """Number of known windows."""
    difference: float
    """Largest difference of a probability to that of TransNetV2's own code."""
    between_batches: float
    """Largest difference of a probability to that in batches of one."""


def check_served_shots(endpoint: Endpoint, folder: Path) -> list[ShotReport]:
    """Request the known windows in several batch sizes, and compare the answers.

    Args:
        folder: the model's files.

    Raises:
        GateFailed: if the server returns an error, or a probability differs too much.
        MissingPart: if the folder lacks the known windows.
    """
    known = load_windows(folder)
    alone: KnownWindows | None = None
    reports = []
    with endpoint.client() as client:
        for size in BATCH_SIZES:
            starts = range(0, len(known.names), size)
            try:
                answers = [
                    judge_windows(client, known.frames[at : at + size], CALL_SECONDS)
                    for at in starts
                ]
                single, many = (np.concatenate(parts) for parts in zip(*answers, strict=True))
                alone = alone or KnownWindows(known.names, known.frames, single, many)
                difference = check_windows(known, single, many)
                apart = check_windows(alone, single, many, other="batches of one")
            except InferenceServerException as error:
                raise GateFailed(
                    f"{SHOT_MODEL} does not judge a batch of {size}: {error.message()}"
                ) from error
            except TowerDiffers as error:
                raise GateFailed(f"{SHOT_MODEL} in batches of {size}: {error}") from error
            reports.append(ShotReport(size, len(known.names), difference, apart))
    return reports
