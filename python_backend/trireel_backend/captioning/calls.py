# SPDX-License-Identifier: Apache-2.0
"""The stages of `caption_extents` as calls of the other models of the same server."""

import asyncio
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captioning.job import CaptionJob, Region, RegionFrames, VideoFacts
from trireel_backend.captions.lines import ClosedLine
from trireel_backend.captions.merging import ReadText
from trireel_backend.captions.tracking import FoundText, found_text
from trireel_backend.reading.boxes import joined_lines, text_boxes
from trireel_backend.reading.codes import ReadLine, read_codes
from trireel_backend.reading.lines import detector_frames, grouped_lines, line_picture
from trireel_backend.wire.request import KEEP_OPEN
from trireel_backend.wire.tensors import Tensors, scalar, texts
from trireel_schema.catalogue import VIEW_TENSORS

FACTS = (
    "VIDEO_START_SECONDS",
    "VIDEO_DURATION_SECONDS",
    "IS_COMPLETE",
    "STREAM_INDEX",
    "FRAME_RATE",
    "TIME_BASE",
    "PICTURE_SIZE_PX",
)
ANSWERED_FACTS = tuple(name for name in FACTS if name not in ("FRAME_RATE", "STREAM_INDEX"))
SMALLEST_PX = 16  # of the extractor's own frames, which are not needed
LOOK_SECONDS = 0.1
LINES_AT_ONCE = 8


class CallModel(Protocol):
    """Calls a model of this server: `adapter.call_model`."""

    async def __call__(
        self,
        model_name: str,
        inputs: Tensors,
        outputs: Sequence[str],
        *,
        parameters: Mapping[str, bool] = MappingProxyType({}),
    ) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""


class ModelCaptionStages:
    """`job.CaptionStages` as calls of the other models of this server."""

    def __init__(self, call_model: CallModel, characters: Sequence[str]) -> None:
        self._call_model = call_model
        self._characters = characters

    async def look(self, job: CaptionJob) -> VideoFacts:
        """Return the facts about the video; one frame is decoded."""
        inputs = {
            **job.stream,
            "VIDEO": texts([job.video]),
            "FRAMES_PER_CHUNK": scalar(1, np.int32),
            "CHUNK_SECONDS": scalar(LOOK_SECONDS, np.float64),
            "SIZE_PX": scalar(SMALLEST_PX, np.int32),
            "FIND": texts(["tags"]),
        }
        answer = await self._call_model("frame_extractor", inputs, FACTS)
        numerator, denominator = answer["FRAME_RATE"].tolist()
        width, height = answer["PICTURE_SIZE_PX"].tolist()
        return VideoFacts(
            {name: answer[name] for name in ANSWERED_FACTS},
            float(answer["VIDEO_START_SECONDS"][0]),
            float(answer["VIDEO_DURATION_SECONDS"][0]),
            numerator / denominator if denominator else 0.0,
            (width, height),
            Fraction(*answer["TIME_BASE"].tolist()),
        )

    async def extract(
        self,
        job: CaptionJob,
        region: Region,
        start_seconds: float,
        seconds: float,
        *,
        size_px: tuple[int, int] | None = None,
        keyframes_only: bool = False,
        keep_open: bool = True,
    ) -> RegionFrames:
        """Return every frame of a stretch of video in the region."""
        width, height = size_px or (region.width_px, region.height_px)
        inputs = {
            **job.stream,
            "VIDEO": texts([job.video]),
            "START_SECONDS": scalar(start_seconds, np.float64),
            "CHUNK_SECONDS": scalar(seconds, np.float64),
            "FRAMES_PER_CHUNK": scalar(1, np.int32),
            "SIZE_PX": scalar(SMALLEST_PX, np.int32),
            "KEYFRAMES_ONLY": scalar(keyframes_only, np.bool_),
            "CROP": region.shares(),
            "FIND": texts(["tags"]),  # a finding without frames of its own
            "EVERY_FRAME_SIZE_PX": np.array([width, height], np.int32),
        }
        outputs = (*VIEW_TENSORS, "TIME_BASE")
        parameters = {KEEP_OPEN: keep_open}
        answer = await self._call_model("frame_extractor", inputs, outputs, parameters=parameters)
        base = Fraction(*answer["TIME_BASE"].tolist())
        pts = np.rint(answer["VIEW_TIMESTAMPS"] / float(base)).astype(np.int64)
        return RegionFrames(answer["VIEW_PIXELS"].reshape(len(pts), height, width, 3), pts)

    async def detect(
        self, frames: Sequence[NDArray[np.uint8]], picture_height_px: int
    ) -> list[FoundText]:
        """Return the boxes of text in each frame [H, W, 3]."""
        maps = await asyncio.gather(
            *(
                self._call_model(
                    "text_detector", {"FRAMES": detector_frames(frame[None])}, ["TEXT_MAP"]
                )
                for frame in frames
            )
        )
        found = []
        for frame, answer in zip(frames, maps, strict=True):
            height, width = frame.shape[:2]
            boxes = joined_lines(text_boxes(answer["TEXT_MAP"][0], (height, width)))
            found.append(found_text(boxes.boxes, boxes.scores, picture_height_px))
        return found

    async def read(self, lines: Sequence[ClosedLine]) -> list[ReadText]:
        """Return the texts of lines."""
        groups = grouped_lines([_line(line.picture) for line in lines]) if lines else []
        answers = await asyncio.gather(*(self._recognize(group.pictures) for group in groups))
        read: dict[int, ReadLine] = {}
        for group, texts_read in zip(groups, answers, strict=True):
            read |= dict(zip(group.indices, texts_read, strict=True))
        return [read_text(line, read[index]) for index, line in enumerate(lines)]

    async def _recognize(self, pictures: NDArray[np.uint8]) -> list[ReadLine]:
        """Return the texts of lines [n, 48, W, 3] of one width."""
        read: list[ReadLine] = []
        for at in range(0, len(pictures), LINES_AT_ONCE):
            inputs = {"LINES": pictures[at : at + LINES_AT_ONCE]}
            answer = await self._call_model("text_recognizer", inputs, ["CODES", "CODE_SCORES"])
            read += read_codes(answer["CODES"], answer["CODE_SCORES"], self._characters)
        return read

    async def encode(
        self, job: CaptionJob, frames: NDArray[np.uint8], pts: NDArray[np.int64], base: Fraction
    ) -> bytes:
        """Return frames [f, H, W, 3] as a WebM file."""
        inputs = {
            **job.clip_options,
            "FRAMES": frames,
            "PTS": pts,
            "TIME_BASE": np.array(base.as_integer_ratio(), np.int64),
        }
        answer = await self._call_model("clip_encoder", inputs, ["CLIP_DATA"])
        return bytes(answer["CLIP_DATA"].item())


def read_text(line: ClosedLine, read: ReadLine) -> ReadText:
    """Return a line with its text."""
    return ReadText(
        read.text,
        read.confidence,
        line.reference.box,
        line.first,
        line.last,
        line.end,
        line.samples,
        line.reference.sharpness,
    )


def _line(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    return line_picture(picture, np.array([0, 0, width, height], np.int32))
