# SPDX-License-Identifier: Apache-2.0
"""The detectors that are compared: each finds the transitions of videos, and says what it cost.

PySceneDetect runs under a Python of its own, which keeps its OpenCV away from Trireel's packages.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.scenes.score import Event
from benchmarks.scenes.transnet import TransNet

SCENEDETECT_WORKER = Path(__file__).with_name("scenedetect_worker.py")
SCENEDETECT = ("content", "adaptive", "hash")


@dataclass(frozen=True)
class Found:
    """Transitions that a detector reports for one video."""

    events: tuple[Event, ...]
    """The events in order."""
    cpu_seconds: float
    """CPU time of all processes that worked on the video."""
    kinds: tuple[str, ...] = field(default=())
    """Kind of each event, if the detector tells kinds apart."""


Detector = Callable[[Sequence[Path]], Iterator[Found]]
"""Yields the transitions of one video after the other."""


def peers(scenedetect_python: Path | None, transnet_model: Path | None) -> dict[str, Detector]:
    """Return the detectors that are there, by name.

    Args:
        scenedetect_python: Python in whose environment PySceneDetect is installed, or None.
        transnet_model: ONNX file of TransNetV2, or None.
    """
    found: dict[str, Detector] = {}
    if scenedetect_python:
        for name in SCENEDETECT:
            found[f"PySceneDetect {name}"] = partial(scenedetect, scenedetect_python, name)
    if transnet_model:
        found["TransNetV2 alone"] = partial(transnet, transnet_model)
    return found


def scenedetect(python: Path, detector: str, videos: Sequence[Path]) -> Iterator[Found]:
    """Run one of PySceneDetect's detectors with its defaults."""
    command = [str(python), str(SCENEDETECT_WORKER), detector]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        for video in videos:
            print(video, file=run.stdin, flush=True)
            answer = json.loads(run.stdout.readline())
            yield Found(tuple(map(Event.at, answer["cuts"])), answer["cpu_seconds"])


def transnet(model: Path, videos: Sequence[Path]) -> Iterator[Found]:
    """Run TransNetV2 over all frames as its authors publish it."""
    network = TransNet(model)
    for video in videos:
        began = time.process_time()
        events = network.detect(video)
        yield Found(events, time.process_time() - began)
