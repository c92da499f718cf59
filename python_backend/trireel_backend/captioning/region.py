# SPDX-License-Identifier: Apache-2.0
"""The region of a video in which captions are looked for: named, or found by a sparse look."""

import numpy as np

from trireel_backend.captioning.job import CaptionJob, CaptionStages, Region, VideoFacts
from trireel_backend.captioning.report import StageTimes
from trireel_backend.captions.regions import caption_region

LOOKS = 16
"""Moments of the video that are looked at to find the region."""
KEYFRAME_SECONDS = (1.0, 10.0)
"""Lengths of a moment, whose first keyframe is looked at; the longer one if it has none."""
SHORT_SECONDS = 120.0
"""Length of a video up to which any frame is looked at, not only keyframes."""
LOOK_WIDTH_PX = 768
"""Width of the pictures that are looked at; captions are large enough for it."""
LEAST_SIDE_PX = 16


async def region_of(
    job: CaptionJob, facts: VideoFacts, stages: CaptionStages, times: StageTimes
) -> Region:
    """Return the region of a request; raises InvalidInput if it is not inside the picture."""
    whole = Region(0, 0, *facts.size_px, facts.size_px)
    if job.finds_region:
        return await _found_region(job, facts, whole, stages, times)
    if job.crop is None:
        return whole
    crop = job.crop.region(*facts.size_px)
    # The extractor makes no picture of a line or two, and no text is that small.
    width, height = (max(side, LEAST_SIDE_PX) for side in (crop.width_px, crop.height_px))
    left = max(0, min(crop.left_px, facts.size_px[0] - width))
    top = max(0, min(crop.top_px, facts.size_px[1] - height))
    return Region(left, top, width, height, facts.size_px)


async def _found_region(
    job: CaptionJob,
    facts: VideoFacts,
    whole: Region,
    stages: CaptionStages,
    times: StageTimes,
) -> Region:
    """Return the band in which text keeps returning; the whole picture if there is none."""
    scale = min(1.0, LOOK_WIDTH_PX / whole.width_px)
    size_px = (max(1, round(whole.width_px * scale)), max(1, round(whole.height_px * scale)))
    step_seconds = facts.duration_seconds / LOOKS
    # A short video has few keyframes, and is decoded quickly.
    keyframes_only = facts.duration_seconds > SHORT_SECONDS
    moments = KEYFRAME_SECONDS if keyframes_only else (1.5 / facts.usual_fps,)
    boxes, seen = [], set[int]()
    for look in range(LOOKS):
        at_seconds = facts.start_seconds + look * step_seconds
        for seconds in moments:
            frames = await stages.extract(
                job, whole, at_seconds, seconds, size_px=size_px, keyframes_only=keyframes_only
            )
            if len(frames.pts) and int(frames.pts[0]) not in seen:
                seen.add(int(frames.pts[0]))
                (text,) = await stages.detect([frames.pixels[0]], size_px[1])
                boxes.append(text.boxes)
                times.count += 1
                break
    band = caption_region(boxes, size_px)
    if band is None:
        return whole
    left, top, right, bottom = np.rint(np.array(band) / scale).astype(int).tolist()
    right, bottom = min(right, whole.width_px), min(bottom, whole.height_px)
    return Region(left, top, right - left, bottom - top, facts.size_px)
