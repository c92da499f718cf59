# SPDX-License-Identifier: Apache-2.0
"""How much each stage did, how long it worked, and how long it waited for another."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from trireel_backend.wire.tensors import Tensors, texts
from trireel_schema.captions import CAPTION_STAGES


@dataclass
class StageTimes:
    """Count and times of one stage."""

    count: int = 0
    """Frames, samples, texts or clips' frames that the stage has finished."""
    busy_ms: float = 0.0
    """Time of work; that of calls side by side is added up."""
    starved_ms: float = 0.0
    """Time without work, because the stage before had nothing ready."""
    wait_ms: float = 0.0
    """Time with a result that the stage behind had no room for."""

    @contextmanager
    def busy(self, count: int = 0) -> Iterator[None]:
        """Count the context as work."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.busy_ms += (time.monotonic() - began) * 1e3
        self.count += count

    @contextmanager
    def starved(self) -> Iterator[None]:
        """Count the context as time without work."""
        began = time.monotonic()
        yield
        self.starved_ms += (time.monotonic() - began) * 1e3

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the context as time without room."""
        began = time.monotonic()
        yield
        self.wait_ms += (time.monotonic() - began) * 1e3


@dataclass
class Report:
    """Times of all stages of one video."""

    began: float = field(default_factory=time.monotonic)
    """Time of the request's begin on the monotonic clock, without its fetch."""
    stages: dict[str, StageTimes] = field(
        default_factory=lambda: {name: StageTimes() for name in CAPTION_STAGES}
    )
    """Times by the name of the stage."""

    def __getitem__(self, name: str) -> StageTimes:
        """Return the times of a stage."""
        return self.stages[name]

    def tensors(self) -> Tensors:
        """Return the times so far as tensors."""
        total = self.stages["total"]
        total.busy_ms = (time.monotonic() - self.began) * 1e3 + self.stages["fetch"].busy_ms
        stages = list(self.stages.values())
        return {
            "STAGES": texts(list(self.stages)),
            "STAGE_COUNTS": np.array([stage.count for stage in stages], np.int64),
            "STAGE_BUSY_MS": np.array([stage.busy_ms for stage in stages]),
            "STAGE_STARVED_MS": np.array([stage.starved_ms for stage in stages]),
            "STAGE_WAIT_MS": np.array([stage.wait_ms for stage in stages]),
        }
