# SPDX-License-Identifier: Apache-2.0
"""The cache of open videos: what it keeps between chunks, and when it closes a video."""

import os
from pathlib import Path

import pytest
from support.videos import numbered_frame, write_video

from trireel_backend.errors import NotAVideo, VideoNotFound
from trireel_backend.extraction.cache import SamplerCache
from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.limits import ExtractionLimits
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import HELD_BYTES_PER_PIXEL
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

# The memory of this process counts, and other tests have used it before.
ROOMY = ExtractorOptions(limits=ExtractionLimits(memory_bytes=2**40))
TWO_BYTES = 2 * 64 * 48 * HELD_BYTES_PER_PIXEL  # room for two of the videos


@pytest.fixture
def videos(tmp_path):
    frames = [numbered_frame(i) for i in range(3)]
    return [write_video(tmp_path / f"{name}.mp4", frames) for name in "abc"]


@pytest.fixture
def open_files(tmp_path):
    """Return a function that counts this process's open files in the test's own folder."""

    def count():
        links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
        return sum(str(tmp_path) in os.readlink(link) for link in links if link.is_symlink())

    return count


def in_use(cache, path):
    """Return a video's sampler, with its file open."""
    sampler = cache.sampler(VideoFile(path))
    sampler.sample(Chunk(0, 0.0, 0.1), Sampling(1), View.square(8))
    return sampler


def test_a_video_stays_open_until_others_push_it_out(videos, open_files):
    cache, before = SamplerCache(TWO_BYTES), open_files()
    first = in_use(cache, videos[0])
    assert in_use(cache, videos[0]) is first
    in_use(cache, videos[1])
    in_use(cache, videos[0])
    in_use(cache, videos[2])  # pushes out the second
    assert in_use(cache, videos[0]) is first
    assert len(cache) == 2
    assert open_files() == before + 2


def test_a_file_that_was_replaced_is_opened_anew(videos):
    cache = SamplerCache(TWO_BYTES)
    first = in_use(cache, videos[0])
    os.replace(videos[1], videos[0])
    assert in_use(cache, videos[0]) is not first
    assert len(cache) == 1


def test_a_file_that_is_gone_is_not_kept_open(videos, open_files):
    cache, before = SamplerCache(TWO_BYTES), open_files()
    in_use(cache, videos[0])
    videos[0].unlink()
    in_use(cache, videos[1])
    assert open_files() == before + 1
    cache.forget(videos[1])
    assert open_files() == before


def test_a_file_that_is_gone_is_not_found(tmp_path):
    with pytest.raises(VideoNotFound, match=r"'gone.mp4' has been removed"):
        SamplerCache(TWO_BYTES).sampler(VideoFile(tmp_path / "gone.mp4"))


def test_what_is_no_video_is_not_kept(tmp_path, open_files):
    (tmp_path / "text").write_text("text")
    cache, before = SamplerCache(TWO_BYTES), open_files()
    with pytest.raises(NotAVideo):
        cache.sampler(VideoFile(tmp_path / "text"))
    assert len(cache) == 0
    assert open_files() == before


@pytest.fixture
def long_video(tmp_path):
    """3 s in chunks of 1 s."""
    return write_video(tmp_path / "long.mp4", [numbered_frame(i % 16) for i in range(75)])


def some(path, *starts_seconds, frames=2, keep_open=True):
    return ExtractionTask(
        path,
        1.0,
        Sampling(frames),
        View.square(8),
        starts_seconds=starts_seconds,
        keep_open=keep_open,
    )


def test_a_video_is_closed_with_its_last_chunk(long_video, open_files):
    extractor, before = Extractor(ROOMY), open_files()
    extractor.run(some(long_video, 0.0, 1.0))
    assert open_files() == before + 1
    extractor.run(some(long_video, 2.0))
    assert open_files() == before


def test_a_look_or_another_chunk_keeps_a_video_open(long_video, open_files):
    extractor, before = Extractor(ROOMY), open_files()
    extractor.run(some(long_video, frames=0))
    extractor.run(some(long_video, 2.0, frames=0))
    assert open_files() == before + 1
    extractor.run(some(long_video, 1.0, keep_open=False))
    assert open_files() == before
