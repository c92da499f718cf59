# SPDX-License-Identifier: Apache-2.0
"""From output tensors to results; docs/tensors.md describes the tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from trireel_client._errors import UnexpectedAnswer
from trireel_client._flows.findings import chunk_fields, reported_fields, video_fields
from trireel_client._flows.rows import Fields, Layout
from trireel_client._flows.scenes import scene_mode
from trireel_client._flows.tensors import (
    ANY,
    INTEGERS,
    NUMBERS,
    TEXTS,
    check_frames,
    integer,
    integers,
    number,
    numbers,
    strings,
    take,
)
from trireel_client._options import Tensors
from trireel_client._results import Analysis, ChunkAnalysis, Timing, VideoSoFar
from trireel_client._servers import ServerDetails, ServerInfo
from trireel_schema.vectors import Calibration


@dataclass(frozen=True)
class Plan:
    """The server's division of a video into chunks."""

    start_seconds: tuple[float, ...]
    """PTS at which each chunk begins."""
    duration_seconds: tuple[float, ...]
    """Length of each chunk."""
    video_duration_seconds: float
    """Length of the video."""


def is_aggregate(tensors: Tensors) -> bool:
    """Return whether a stream's answer covers the whole video."""
    return bool(integer(tensors, "IS_AGGREGATE"))


def parse_analysis(
    tensors: Tensors,
    findings: Sequence[str],
    *,
    stream_id: str,
    server: ServerInfo,
    client_ms: float,
) -> Analysis:
    """Return the analysis of a whole video; raises UnexpectedAnswer.

    Args:
        findings: names of the findings that were requested.
    """
    chunks = parse_chunks(tensors, findings, num_chunks=integer(tensors, "NUM_CHUNKS"))
    if len(chunks) != chunks[0].num_chunks:
        raise UnexpectedAnswer(
            f"the answer holds {len(chunks)} chunks of {chunks[0].num_chunks} planned"
        )
    return Analysis(
        stream_id=stream_id,
        start_seconds=number(tensors, "VIDEO_START_SECONDS"),
        duration_seconds=number(tensors, "VIDEO_DURATION_SECONDS"),
        time_base=time_base(tensors),
        stream_index=integer(tensors, "STREAM_INDEX"),
        video_stream_indices=integers(tensors, "VIDEO_STREAM_INDICES", ANY),
        frame_rate=_frame_rate(tensors),
        is_vfr="IS_VFR" in tensors and bool(integer(tensors, "IS_VFR")),
        picture_size_px=picture_size(tensors),
        decoder=strings("DECODER", take(tensors, "DECODER", (1,), TEXTS))[0],
        scene_changes=tuple(cut for chunk in chunks for cut in chunk.scene_changes),
        chunks=chunks,
        timing=parse_timing(tensors),
        embedding_dim=integer(tensors, "EMBEDDING_DIM"),
        server=server,
        client_ms=client_ms,
        is_complete=bool(integer(tensors, "IS_COMPLETE")),
        checkpoint=_text(tensors, "CHECKPOINT"),
        checkpoint_note=_text(tensors, "CHECKPOINT_NOTE"),
        scene_mode=scene_mode(tensors) if "scenes" in findings else "",
        **video_fields(tensors, findings),
        **reported_fields(tensors, findings),
    )


def parse_chunk(
    tensors: Tensors, findings: Sequence[str], num_chunks: int | None = None
) -> ChunkAnalysis:
    """Return the one chunk of an answer, with the video so far; raises UnexpectedAnswer.

    Args:
        findings: names of the findings that were requested.
        num_chunks: number of chunks of the whole video, if the answer does not hold it.
    """
    if num_chunks is None:
        num_chunks = integer(tensors, "NUM_CHUNKS")
    take(tensors, "CHUNK_INDICES", (1,))
    video = VideoSoFar(**video_fields(tensors, findings))
    state = take(tensors, "STATE", (ANY,), INTEGERS).tobytes() if "STATE" in tensors else b""
    more = {"video_so_far": video, "state": state or None}
    reported = {**more, **reported_fields(tensors, findings)}
    (chunk,) = parse_chunks(tensors, findings, num_chunks=num_chunks, reported=reported)
    return chunk


def parse_chunks(
    tensors: Tensors,
    findings: Sequence[str],
    *,
    num_chunks: int,
    reported: Fields = MappingProxyType({}),
) -> tuple[ChunkAnalysis, ...]:
    """Return the chunks of an answer; raises UnexpectedAnswer.

    Frames stand one after another, as many of each chunk as CHUNK_NUM_FRAMES says; cuts name the
    chunk they belong to.

    Args:
        reported: more fields of the chunk, if the answer is one of a chunk that comes alone.
    """
    indices = integers(tensors, "CHUNK_INDICES", ANY)
    n = len(indices)
    if n == 0:
        raise UnexpectedAnswer("the answer holds no chunk")
    starts = numbers(tensors, "CHUNK_START_SECONDS", n)
    durations = numbers(tensors, "CHUNK_DURATION_SECONDS", n)
    damaged = integers(tensors, "CHUNK_DAMAGED_PACKETS", n)
    rows = _frame_rows(tensors, n)
    f = rows[-1].stop
    found = chunk_fields(tensors, findings, Layout(indices, tuple(rows)))
    timestamps = numbers(tensors, "TIMESTAMPS", f)
    pts, unit = integers(tensors, "PTS", f), time_base(tensors)
    embeddings = _embeddings(tensors, "CHUNK_EMBEDDINGS", n)
    frames = _embeddings(tensors, "EMBEDDINGS", f)
    return tuple(
        ChunkAnalysis(
            index=indices[i],
            start_seconds=starts[i],
            duration_seconds=durations[i],
            frame_timestamps_seconds=timestamps[rows[i]],
            frame_pts=pts[rows[i]],
            time_base=unit,
            damaged_packets=damaged[i],
            num_chunks=num_chunks,
            embedding=None if embeddings is None else embeddings[i],
            frame_embeddings=None if frames is None else frames[rows[i]],
            **found[i],
            **reported,
        )
        for i in range(n)
    )


def parse_details(tensors: Tensors) -> ServerDetails:
    """Return what a server is, from an answer of `server_info`; raises UnexpectedAnswer."""
    for name in ("CHECKPOINT", "WEIGHTS_SHA256"):
        take(tensors, name, (1,), TEXTS)
    return ServerDetails(
        checkpoint=_text(tensors, "CHECKPOINT"),
        checkpoint_note=_text(tensors, "CHECKPOINT_NOTE"),
        weights_sha256=_text(tensors, "WEIGHTS_SHA256"),
        image_size_px=integer(tensors, "IMAGE_SIZE_PX"),
        embedding_dim=integer(tensors, "EMBEDDING_DIM"),
        precision=_text(tensors, "PRECISION"),
        runtime=_text(tensors, "RUNTIME"),
        version=_text(tensors, "VERSION"),
        tag_prompt=_text(tensors, "TAG_PROMPT") if "TAG_PROMPT" in tensors else "{}",
        num_tags=integer(tensors, "NUM_TAGS"),
        num_descriptions=integer(tensors, "NUM_DESCRIPTIONS"),
        findings=strings("FINDINGS", take(tensors, "FINDINGS", (ANY,), TEXTS)),
        scene_modes=strings("SCENE_MODES", take(tensors, "SCENE_MODES", (ANY,), TEXTS)),
        scene_threshold=number(tensors, "SCENE_THRESHOLD"),
        scene_alpha=number(tensors, "SCENE_ALPHA"),
        calibration=_calibration(tensors),
        text_bank_sha256=_text(tensors, "TEXT_BANK_SHA256"),
        ffmpeg_version=_text(tensors, "FFMPEG_VERSION"),
        chunk_seconds=number(tensors, "CHUNK_SECONDS") if "CHUNK_SECONDS" in tensors else None,
        frames_per_chunk=(
            integer(tensors, "FRAMES_PER_CHUNK") if "FRAMES_PER_CHUNK" in tensors else None
        ),
        **_detector(tensors),
    )


def _calibration(tensors: Tensors) -> Calibration | None:
    if "LOGIT_SCALE" not in tensors:  # an older server
        return None
    return Calibration(number(tensors, "LOGIT_SCALE"), number(tensors, "LOGIT_BIAS"))


def _detector(tensors: Tensors) -> Fields:
    """Return the fields of `ServerDetails` of the detector, none from older servers."""
    if "DETECTOR" not in tensors:
        return {}
    return {
        "detector": _text(tensors, "DETECTOR"),
        "detector_note": _text(tensors, "DETECTOR_NOTE"),
        "detector_labels": strings(
            "DETECTOR_LABELS", take(tensors, "DETECTOR_LABELS", (ANY,), TEXTS)
        ),
        "detector_threshold": number(tensors, "DETECTOR_THRESHOLD"),
    }


def parse_timing(tensors: Tensors) -> Timing:
    """Return the server's time by stage; raises UnexpectedAnswer."""
    stages = strings("TIMING_STAGES", take(tensors, "TIMING_STAGES", (ANY,), TEXTS))
    ms = dict(zip(stages, numbers(tensors, "TIMING_MS", len(stages)), strict=True))
    try:
        return Timing(**{f"{stage}_ms": value for stage, value in ms.items()})
    except TypeError as error:
        raise UnexpectedAnswer(f"TIMING_STAGES are {', '.join(stages)}") from error


def parse_plan(tensors: Tensors) -> Plan:
    """Return the plan of chunks in an answer of `frame_extractor`; raises UnexpectedAnswer."""
    starts = numbers(tensors, "PLAN_START_SECONDS", ANY)
    if not starts:
        raise UnexpectedAnswer("the chunk plan is empty")
    return Plan(
        start_seconds=starts,
        duration_seconds=numbers(tensors, "PLAN_DURATION_SECONDS", len(starts)),
        video_duration_seconds=number(tensors, "VIDEO_DURATION_SECONDS"),
    )


def picture_size(tensors: Tensors) -> tuple[int, int] | None:
    """Return the size of a video's picture, None if it is not known; raises UnexpectedAnswer."""
    if "PICTURE_SIZE_PX" not in tensors:
        return None
    width_px, height_px = integers(tensors, "PICTURE_SIZE_PX", 2)
    return (width_px, height_px) if min(width_px, height_px) > 0 else None


def _embeddings(tensors: Tensors, name: str, size: int) -> NDArray[Any] | None:
    return take(tensors, name, (size, ANY), NUMBERS) if name in tensors else None


def _frame_rows(tensors: Tensors, n: int) -> list[slice]:
    """Return the slice of each chunk's frames: for chunks of 3 and 2 frames, 0:3 and 3:5."""
    counts = integers(tensors, "CHUNK_NUM_FRAMES", n)
    if min(counts) < 1:
        raise UnexpectedAnswer(f"the answer has a chunk of {min(counts)} frames")
    f = sum(counts)
    for name in ("TIMESTAMPS", "PTS"):
        check_frames(tensors, name, f)
    return [slice(first, end) for first, end in pairwise(accumulate(counts, initial=0))]


def _text(tensors: Tensors, name: str) -> str:
    """Return the text of a tensor that older servers may not send, then an empty one."""
    return strings(name, take(tensors, name, (1,), TEXTS))[0] if name in tensors else ""


def time_base(tensors: Tensors) -> Fraction:
    """Return the unit of PTS in seconds; raises UnexpectedAnswer."""
    numerator, denominator = integers(tensors, "TIME_BASE", 2)
    if numerator < 1 or denominator < 1:
        raise UnexpectedAnswer(f"the answer's TIME_BASE is {numerator}/{denominator}")
    return Fraction(numerator, denominator)


def _frame_rate(tensors: Tensors) -> Fraction | None:
    if "FRAME_RATE" not in tensors:
        return None
    numerator, denominator = integers(tensors, "FRAME_RATE", 2)
    return Fraction(numerator, denominator) if min(numerator, denominator) > 0 else None
