# SPDX-License-Identifier: Apache-2.0
"""How long a video is, by its samples; what stands still costs one chunk."""

from itertools import pairwise

import numpy as np
import pytest
from support.extraction import look
from support.full_decode import assert_sampled_as_decoded, decode_fully, plan
from support.odd_files import ffmpeg, state_duration, write_clip
from support.videos import numbered_frame, write_video

from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

CODECS = {
    "mp4": ("-c:v", "libx264", "-bf", "2"),
    "mov": ("-c:v", "mpeg4"),
    "mkv": ("-c:v", "libx264"),
    "webm": ("-c:v", "libvpx"),
    "ts": ("-c:v", "libx264"),
}


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize("seconds", [0, 1, 600])
def test_the_samples_decide_not_the_header(tmp_path, suffix, seconds):
    path = write_clip(tmp_path / f"lies.{suffix}", 3, *CODECS[suffix], "-g", "20")
    state_duration(path, seconds)
    info = look(path)
    assert info.duration_seconds == pytest.approx(3.0, abs=0.1)
    assert info.is_complete
    assert_sampled_as_decoded(path, decode_fully(path))


@pytest.mark.parametrize("suffix", list(CODECS))
def test_one_picture_stands_as_long_as_the_sound(tmp_path, suffix):
    sound = ("-f", "lavfi", "-i", "sine=d=30:r=48000")
    path = write_clip(tmp_path / f"song.{suffix}", 0.04, *CODECS[suffix], more=sound)
    assert look(path).duration_seconds == pytest.approx(30.0, abs=0.1)
    assert len(plan(path, 10.0)) == len(plan(path, 0.5)) == 1
    assert_sampled_as_decoded(path, decode_fully(path))


def test_the_last_picture_stands_while_the_sound_goes_on(tmp_path):
    sound = ("-f", "lavfi", "-i", "sine=d=20:r=48000")
    path = write_clip(tmp_path / "short.mp4", 2, *CODECS["mp4"], more=sound)
    assert look(path).duration_seconds == pytest.approx(20.0, abs=0.1)
    assert len(plan(path, 1.0)) == 3


def slides(path, seconds, codec="libx264"):
    """Write pictures at the given seconds; the last stands as long as the one before."""
    frames = [numbered_frame(number) for number in range(len(seconds))]
    return write_video(path, frames, [round(s * 1000) for s in seconds], codec=codec)


@pytest.mark.parametrize("chunk_seconds", [0.5, 1.0, 10.0, 60.0])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(
    "seconds",
    [[0, 7200], [0, 33, 34, 35, 4000, 4000.04, 9000], [0, 0.04, 0.08, 36000, 36000.04]],
    ids=["two", "seven", "leap"],
)
def test_no_file_makes_more_chunks_than_frames(tmp_path, suffix, seconds, chunk_seconds):
    path = slides(tmp_path / f"slides.{suffix}", seconds)
    info, chunks = look(path), plan(path, chunk_seconds)
    assert len(chunks) <= len(seconds) + 1  # an end that is not stated may be a short chunk
    assert chunks[0].start_seconds == info.start_seconds
    for before, after in pairwise(chunks):
        assert after.start_seconds == pytest.approx(before.end_seconds)
    assert info.end_seconds - chunks[-1].end_seconds < 0.5
    assert_sampled_as_decoded(path, decode_fully(path), [chunk_seconds])


@pytest.mark.parametrize(
    ("sampling", "count"), [(Sampling(16), 16), (Sampling(fps=0.5), 5)], ids=["number", "rate"]
)
def test_a_still_is_sampled_as_often_as_one_chunk(tmp_path, sampling, count):
    path = slides(tmp_path / "slides.mkv", [0, 7200, 7200.04])
    task = ExtractionTask(path, 10.0, sampling, View.square(16), with_plan=True)
    extracted = Extractor(ExtractorOptions()).run(task)
    assert extracted.chunks[0].duration_seconds == 7200
    assert extracted.plan[0] == extracted.chunks[0]
    assert extracted.frames[0].pts.tolist() == [0] * count


def test_a_chunk_that_is_asked_for_is_the_one_of_the_plan(tmp_path):
    path = slides(tmp_path / "slides.mkv", [0, 0.04, 33, 500, 500.04, 507])
    for planned in plan(path, 10.0):
        starts = (planned.start_seconds,)
        task = ExtractionTask(path, 10.0, Sampling(2), View.square(16), starts_seconds=starts)
        (chunk,) = Extractor(ExtractorOptions()).run(task).chunks
        assert chunk.duration_seconds == pytest.approx(planned.duration_seconds)


def test_an_ordinary_video_is_planned_by_its_length_alone(tmp_path):
    path = write_clip(tmp_path / "even.mp4", 3, *CODECS["mp4"])
    assert plan(path, 1.0) == tuple(Chunk(i, float(i), 1.0) for i in range(3))


def test_an_empty_packet_shows_the_frame_before_it_again(tmp_path):
    """Theora writes one for a frame that is as the last."""
    path = tmp_path / "repeats.ogv"
    source = ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2")
    hold = ("-vf", "fps=5,fps=25", "-c:v", "libtheora", "-pix_fmt", "yuv420p")
    ffmpeg(*source, *hold, path)
    decoded = decode_fully(path)
    assert len(decoded.seconds) < 50
    assert np.max(np.diff(decoded.seconds)) > 0.1
    assert look(path).duration_seconds == pytest.approx(2.0, abs=0.3)
    assert_sampled_as_decoded(path, decoded)
