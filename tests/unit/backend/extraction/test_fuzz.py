# SPDX-License-Identifier: Apache-2.0
"""Damaged files of every format end in frames or in one clear error."""

import numpy as np
import pytest
from support.damage import FORMATS, mutate, whole_file

from trireel_backend.errors import RequestError
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Sampling, plan_chunks

MUTANTS = 25


@pytest.mark.parametrize("suffix", FORMATS)
def test_damage_never_surprises(tmp_path, suffix):
    whole = whole_file(tmp_path, suffix)
    rng = np.random.default_rng(99)
    path = tmp_path / f"mutant.{suffix}"
    messages = []
    for _ in range(MUTANTS):
        path.write_bytes(mutate(whole, rng))
        try:
            sample_some(path)
        except RequestError as error:
            messages.append(str(error))
    assert 0 < len(messages) < MUTANTS  # some are beyond repair, some are not
    assert all(len(message.splitlines()) == 1 for message in messages)


def sample_some(path):
    sampler = VideoSampler(VideoFile(path))
    try:
        info = sampler.info
        for chunk in plan_chunks(info.start_seconds, info.duration_seconds, 1.0)[:3]:
            frames = sampler.sample(chunk, Sampling(4), View.square(24))
            assert frames.pixels.shape == (4, 24, 24, 3)
            assert np.isfinite(frames.timestamps_seconds).all()
    finally:
        sampler.close()
