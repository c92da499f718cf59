# SPDX-License-Identifier: Apache-2.0
"""The decoder's own process: killed, stopped, starved, and left alone."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from PIL import Image
from support.videos import number_of, numbered_frame, write_video

from trireel_backend.errors import (
    Cancelled,
    DecoderCrashed,
    InvalidInput,
    MissingPart,
    NotAVideo,
    StageFailed,
    TooMuchWork,
    Unavailable,
    VideoNotFound,
)
from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.limits import ExtractionLimits
from trireel_backend.extraction.process import isolation
from trireel_backend.extraction.process.isolation import IsolatedExtractor
from trireel_backend.extraction.reading.opening import gpu_decodes
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions
from trireel_backend.extraction.view import Crop, View
from trireel_backend.plan import Sampling

SIZE_PX = 48
ROOM_BYTES = 16 * SIZE_PX**2 * 3


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, [numbered_frame(i % 256) for i in range(100)])


@pytest.fixture
def start():
    """Return a function that starts an extractor in a process of its own."""
    started = []

    def start(**limits):
        options = ExtractorOptions(limits=ExtractionLimits(**limits))
        started.append(IsolatedExtractor(options, ROOM_BYTES))
        return started[-1]

    yield start
    for extractor in started:
        extractor.close()


@pytest.fixture
def isolated(start):
    return start()


def task(path, frames=8, **changes):
    return ExtractionTask(path, 2.0, Sampling(frames), View.square(SIZE_PX), **changes)


def workers():
    """Return the workers of this process, which may have other children."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            found += [child] if isolation.WORKER_MODULE in child.cmdline() else []
    return found


def the_worker():
    """Return the one worker of this process, once it is more than a copy of its owner."""
    for _ in range(200):
        found = workers()
        if len(found) == 1:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"there is not exactly one worker: {found}")


def while_stopped(extractor, path, do):
    """Give a worker that has been stopped a task, and do something to it meanwhile."""
    extractor.run(task(path))
    worker = the_worker()
    worker.suspend()
    timer = threading.Timer(0.2, do, [worker])
    timer.start()
    try:
        return extractor.run(task(path))
    finally:
        timer.join()


def test_its_answers_are_those_of_this_process(isolated, clip):
    here = Extractor(ExtractorOptions())
    crop = Crop(0.25, 0.0, 0.5, 1.0)
    for wanted in (
        task(clip),
        task(clip, starts_seconds=(1.3,), stream_index=0),
        task(clip, frames=3, starts_seconds=(0.0, 2.0, 3.5)),
        ExtractionTask(clip, 3.0, Sampling(fps=2.5), View.square(SIZE_PX, crop), keep_open=False),
        ExtractionTask(clip, 3.0, Sampling(5, keyframes_only=True), View.square(SIZE_PX)),
        ExtractionTask(clip, 3.0, Sampling(0), View.square(SIZE_PX)),
    ):
        there, expected = isolated.run(wanted), here.run(wanted)
        np.testing.assert_array_equal(there.pixels, expected.pixels)
        np.testing.assert_array_equal(there.frames[0].pts, expected.frames[0].pts)
        assert there.frames[0].time_base == expected.frames[0].time_base
        assert (there.info, there.chunks) == (expected.info, expected.chunks)
        assert there.decoder == expected.decoder == "h264"
        assert 0 < there.ended_ns - there.began_ns < 10e9


def test_it_goes_first_when_memory_runs_out(isolated, clip):
    isolated.run(task(clip))
    assert Path(f"/proc/{the_worker().pid}/oom_score_adj").read_text() == "1000\n"


def test_an_answer_stays_as_it_was_when_the_next_is_made(isolated, clip):
    first = isolated.run(task(clip))
    before = first.pixels.copy()
    isolated.run(task(clip, starts_seconds=(1.9,)))
    np.testing.assert_array_equal(first.pixels, before)


def test_refusals_come_through(isolated, clip, tmp_path):
    (tmp_path / "text").write_text("text")
    with pytest.raises(NotAVideo, match="not a video"):
        isolated.run(task(tmp_path / "text"))
    with pytest.raises(VideoNotFound, match="'gone' has been removed"):
        isolated.run(task(tmp_path / "gone"))
    with pytest.raises(InvalidInput, match="STREAM_INDEX is 7: the file's video streams are 0"):
        isolated.run(task(clip, stream_index=7))
    assert len(isolated.run(task(clip)).pixels) == 8


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL])
def test_a_crash_costs_one_request(isolated, clip, how):
    def crash(worker):
        worker.send_signal(how)
        worker.resume()

    with pytest.raises(DecoderCrashed, match=f"process died \\({how.name}\\) of this video"):
        while_stopped(isolated, clip, crash)
    assert len(isolated.run(task(clip)).pixels) == 8


def test_a_worker_killed_at_work_is_worth_another_try(isolated, clip):
    with pytest.raises(Unavailable, match="was killed while it worked on the video"):
        while_stopped(isolated, clip, psutil.Process.kill)
    assert len(isolated.run(task(clip)).pixels) == 8


def test_a_worker_killed_at_rest_is_replaced_unnoticed(isolated, clip):
    isolated.run(task(clip))
    worker = the_worker()
    worker.kill()
    worker.wait()
    assert len(isolated.run(task(clip)).pixels) == 8


def test_time_is_bounded_whatever_the_decoder_does(start, clip):
    extractor = start(timeout_seconds=1.0)
    began = time.monotonic()
    with pytest.raises(TooMuchWork, match="not there after 1 s: request shorter chunks"):
        while_stopped(extractor, clip, lambda worker: None)
    assert time.monotonic() - began < 4
    assert len(extractor.run(task(clip)).pixels) == 8


def test_nobody_works_for_a_client_that_has_gone(isolated, clip):
    isolated.run(task(clip))
    the_worker().suspend()
    with pytest.raises(Cancelled, match="has gone away"):
        isolated.run(task(clip), is_cancelled=lambda: True)
    assert len(isolated.run(task(clip)).pixels) == 8


def test_an_answer_to_a_task_that_was_given_up_is_not_taken_for_the_next(isolated, clip, tmp_path):
    def fail():
        raise RuntimeError("boom")

    other = write_video(tmp_path / "other.mp4", [numbered_frame(200)] * 50)
    isolated.run(task(clip))
    the_worker().suspend()
    with pytest.raises(RuntimeError, match="boom"):
        isolated.run(task(clip), is_cancelled=fail)
    assert {number_of(pixels) for pixels in isolated.run(task(other)).pixels} == {200}


ROGUES = [
    *("endless", "null", "list", "deep", "earlier", "no chunks", "many frames", "nan", "no time"),
    "huge pts",
]


@pytest.fixture
def rogue(monkeypatch, start):
    """An extractor whose worker is not to be trusted."""
    monkeypatch.setattr(isolation, "WORKER_MODULE", "support.rogue_worker")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[4]))
    return start(timeout_seconds=3.0)


@pytest.mark.parametrize("kind", ROGUES)
def test_a_worker_that_was_taken_over_harms_nobody(rogue, clip, tmp_path, kind):
    path = tmp_path / f"{kind}.mp4"
    path.write_bytes(clip.read_bytes())
    with pytest.raises(DecoderCrashed, match="damaged or hostile"):
        rogue.run(task(path))
    assert len(rogue.run(task(clip)).pixels) == 8


def test_half_an_answer_is_not_waited_for_beyond_the_time(rogue, clip, tmp_path):
    path = tmp_path / "half.mp4"
    path.write_bytes(clip.read_bytes())
    began = time.monotonic()
    with pytest.raises(TooMuchWork, match="not there after 3 s"):
        rogue.run(task(path))
    assert time.monotonic() - began < 6
    assert len(rogue.run(task(clip)).pixels) == 8


def test_a_worker_that_leaves_by_itself_has_crashed(rogue, clip, tmp_path):
    path = tmp_path / "exit.mp4"
    path.write_bytes(clip.read_bytes())
    with pytest.raises(DecoderCrashed, match=r"process died \(exit status 3\)"):
        rogue.run(task(path))


def test_shared_memory_cannot_be_shortened(rogue, clip, tmp_path):
    path = tmp_path / "shrink.mp4"
    path.write_bytes(clip.read_bytes())
    assert len(rogue.run(task(path)).pixels) == 8
    assert os.fstat(rogue._pixels_fd).st_size == ROOM_BYTES


def test_an_error_of_its_own_invention_is_an_internal_one(rogue, clip, tmp_path):
    path = tmp_path / "not an error.mp4"
    path.write_bytes(clip.read_bytes())
    with pytest.raises(StageFailed, match="x"):
        rogue.run(task(path))


def test_a_worker_that_does_not_start_is_told_at_the_start(monkeypatch):
    monkeypatch.setattr(isolation, "WORKER_MODULE", "no.such.module")
    with pytest.raises(MissingPart, match="the decoder's process does not start"):
        IsolatedExtractor(ExtractorOptions(), ROOM_BYTES)
    assert workers() == []


def test_a_worker_that_does_not_start_again_is_nobodys_fault(monkeypatch, isolated, clip):
    isolated.run(task(clip))
    worker = the_worker()
    monkeypatch.setattr(isolation, "WORKER_MODULE", "no.such.module")
    worker.kill()
    worker.wait()
    with pytest.raises(Unavailable, match="does not start"):
        isolated.run(task(clip))
    monkeypatch.undo()
    with contextlib.suppress(Unavailable):  # the next one had been started already
        isolated.run(task(clip))
    assert len(isolated.run(task(clip)).pixels) == 8


def test_a_look_at_many_chunks_gets_no_more_time_than_one(start, clip):
    extractor = start(timeout_seconds=1.0)
    extractor.run(task(clip))
    the_worker().suspend()
    began = time.monotonic()
    with pytest.raises(TooMuchWork, match="not there after 1 s"):
        extractor.run(task(clip, frames=0, starts_seconds=(0.0,) * 100))
    assert time.monotonic() - began < 4


def growing(path, size_px):
    """Write a stream that states a small picture and goes on with large ones."""
    parts = [
        write_video(path.with_suffix(f".{side}.ts"), [numbered_frame(1, side, side)] * 6,
                    options={"x264-params": "ref=4:bframes=0"})
        for side in (64, size_px)
    ]  # fmt: skip
    with av.open(str(path), "w") as output:
        stream = None
        for index, part in enumerate(parts):
            with av.open(str(part)) as source:
                stream = stream or output.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.pts is not None:
                        packet.pts += index * 90000
                        packet.dts += index * 90000
                        packet.stream = stream
                        output.mux(packet)
    return path


def test_videos_that_hide_their_size_take_no_memory_from_others(start, clip, tmp_path):
    extractor = start(memory_bytes=400_000_000)
    expected = extractor.run(task(clip)).pixels
    source = growing(tmp_path / "growing.ts", 2048)
    for index in range(8):
        path = Path(shutil.copy(source, tmp_path / f"{index}.ts"))  # to the extractor, another file
        with contextlib.suppress(TooMuchWork, NotAVideo):
            extractor.run(task(path))
        np.testing.assert_array_equal(extractor.run(task(clip)).pixels, expected)


def test_a_removed_file_is_let_go_soon(isolated, clip, tmp_path):
    path = tmp_path / "upload.mp4"
    path.write_bytes(clip.read_bytes())
    isolated.run(task(path))
    files = Path(f"/proc/{the_worker().pid}/fd")
    assert any("upload.mp4" in os.readlink(file) for file in files.iterdir())
    path.unlink()
    time.sleep(2.5)
    assert not any("upload.mp4" in os.readlink(file) for file in files.iterdir())


def test_memory_is_bounded(start, clip, tmp_path):
    path = tmp_path / "large.png"
    Image.fromarray(np.zeros((8000, 8000, 3), np.uint8)).save(path)
    extractor = start(memory_bytes=250_000_000)
    assert len(extractor.run(task(clip)).pixels) == 8
    with pytest.raises(TooMuchWork, match="more memory than one may have"):
        extractor.run(task(path, frames=1))
    assert len(extractor.run(task(clip)).pixels) == 8


def test_without_a_gpu_it_decodes_on_the_cpu_and_says_so(clip, capfd):
    if gpu_decodes():
        pytest.skip("there is a GPU")
    extractor = IsolatedExtractor(ExtractorOptions(on_gpu=True), ROOM_BYTES)
    try:
        extracted = extractor.run(task(clip))
    finally:
        extractor.close()
    assert extracted.decoder == "h264"
    expected = Extractor(ExtractorOptions()).run(task(clip))
    np.testing.assert_array_equal(extracted.pixels, expected.pixels)
    assert "no GPU to decode on: decoding on the CPU" in capfd.readouterr().err


def test_a_worker_sees_no_credentials(monkeypatch, start, clip):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    start().run(task(clip))
    environment = the_worker().environ()
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "PATH" in environment


def test_nothing_is_left(clip):
    fds_before = len(os.listdir("/proc/self/fd"))
    extractor = IsolatedExtractor(ExtractorOptions(), ROOM_BYTES)
    extractor.run(task(clip))
    for _ in range(5):
        the_worker().kill()
        with pytest.raises(Unavailable, match="try again"):
            while_stopped(extractor, clip, psutil.Process.kill)
    extractor.close()
    assert workers() == []
    assert len(os.listdir("/proc/self/fd")) <= fds_before


def test_a_worker_ends_with_its_owner_even_in_the_middle_of_its_work(clip):
    code = (
        "import sys, time;"
        "from pathlib import Path;"
        "from trireel_backend.extraction.process.isolation import IsolatedExtractor;"
        "from trireel_backend.extraction.task import ExtractorOptions;"
        "extractor = IsolatedExtractor(ExtractorOptions(), 1000);"
        "print(extractor._process.pid, flush=True);"
        "time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with owner:
        worker = psutil.Process(int(owner.stdout.readline()))
        while "trireel_backend.extraction.process.worker" not in worker.cmdline():
            time.sleep(0.02)  # not yet past fork
        time.sleep(1.0)  # now it waits for a task
        worker.suspend()  # as if it were busy in C
        owner.kill()
        owner.wait()
        _, alive = psutil.wait_procs([worker], timeout=5)
    assert [process.pid for process in alive] == []
    assert Path(f"/proc/{worker.pid}").exists() is False
