# SPDX-License-Identifier: Apache-2.0
"""Sampling in this process, in one call."""

import numpy as np

from trireel_backend.extraction.limits import ExtractionLimits
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import Crop, View
from trireel_backend.plan import Chunk, Sampling


def look(path, *, stream_index=None, **limits):
    """Return what a file says of its video."""
    sampler = VideoSampler(VideoFile(path, stream_index, limits=ExtractionLimits(**limits)))
    sampler.close()
    return sampler.info


def whole(info):
    """Return all of a video as one chunk."""
    return Chunk(0, info.start_seconds, info.duration_seconds)


def sample_chunk(path, chunk, num_frames, size_px, *, crop=None, stream_index=None, **sampling):
    """Sample one chunk of a file."""
    sampler = VideoSampler(VideoFile(path, stream_index))
    try:
        sampling = Sampling(num_frames, **sampling)
        return sampler.sample(chunk, sampling, View.square(size_px, crop and Crop(*crop)))
    finally:
        sampler.close()


def slot_middles(start_seconds, duration_seconds, num_frames):
    """Return the middles of equal slots."""
    return start_seconds + (np.arange(num_frames) + 0.5) * (duration_seconds / num_frames)
