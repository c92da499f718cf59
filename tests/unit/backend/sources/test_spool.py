# SPDX-License-Identifier: Apache-2.0
"""The spool: requests share a download, used files stay, and nothing is left behind."""

import fcntl
import os
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import InvalidInput, SourceTooLarge, Unavailable
from trireel_backend.sources import spool as spool_module
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.spool import VIDEO_NAME, Spool, Version


class Source:
    """Gives every URI a video of `size` bytes, and counts downloads."""

    def __init__(self, size=100, seconds=0.0):
        self.size = size
        self.seconds = seconds
        self.downloads = 0
        self.unchanged = False

    def __call__(self, part, known_version):
        if self.unchanged:
            assert known_version == Version("v1")
            return None
        self.downloads += 1
        part.reserve(self.size)
        time.sleep(self.seconds)
        part.write_at(0, bytes(self.size))
        return Version("v1")


def make_spool(folder, **limits):
    return Spool(folder, SourceLimits(**limits))


def soon():
    return Deadline(10.0)


def names(folder):
    return sorted(path.name.partition("-")[0] for path in folder.iterdir())


def test_a_video_is_fetched_once_and_used_again(tmp_path):
    spool, source = make_spool(tmp_path), Source()
    with (
        spool.fetch("s3://b/k", source, soon()) as video,
        spool.fetch("s3://b/k", source, soon()) as again,
    ):
        assert video.path == again.path
        assert video.path.stat().st_size == 100
        assert VIDEO_NAME.fullmatch(video.path.name)
    assert source.downloads == 1
    assert names(tmp_path) == ["uri", "video"]
    with spool.fetch("s3://b/other", source, soon()) as other:
        assert other.path != video.path


def test_requests_at_the_same_time_share_one_download(tmp_path):
    source = Source(seconds=0.3)

    def fetch(_):
        with make_spool(tmp_path).fetch("s3://b/k", source, soon()) as video:
            return video.path, video.path.stat().st_size

    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(fetch, range(12)))) == 1
    assert source.downloads == 1


def test_a_video_is_not_renamed_while_the_folder_is_counted(tmp_path):
    """A process that lists the folder during the rename could miss the file under both names."""
    counting = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    source, downloaded = Source(), threading.Event()

    def download(part, known_version):
        version = source(part, known_version)
        fcntl.flock(counting, fcntl.LOCK_EX)
        downloaded.set()
        return version

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(make_spool(tmp_path).fetch, "s3://b/k", download, soon())
        assert downloaded.wait(10)
        with pytest.raises(TimeoutError):
            result.result(0.2)
        assert names(tmp_path) == ["part", "uri"]
        os.close(counting)
        result.result().close()
    assert names(tmp_path) == ["uri", "video"]


def test_a_wait_beyond_the_deadline_is_unavailable(tmp_path):
    source, spool = Source(seconds=1.0), make_spool(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(spool.fetch, "s3://b/k", source, soon())
        time.sleep(0.3)
        with pytest.raises(Unavailable, match=r"not fetched in 0.2 s"):
            spool.fetch("s3://b/k", source, Deadline(0.2))
        first.result().close()


def test_a_cancelled_wait_ends_at_once(tmp_path):
    source, spool, stop = Source(seconds=1.0), make_spool(tmp_path), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(spool.fetch, "s3://b/k", source, soon())
        time.sleep(0.2)
        second = pool.submit(spool.fetch, "s3://b/k", source, Deadline(10.0, stop.is_set))
        time.sleep(0.2)
        stop.set()
        with pytest.raises(Unavailable, match="no request waits for it"):
            second.result(timeout=0.4)
        first.result().close()


def test_a_failed_download_is_restarted_by_the_next_request(tmp_path):
    def failing(part, known_version):
        part.write_at(0, b"half")
        raise InvalidInput("no")

    spool = make_spool(tmp_path)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="no"):
            spool.fetch("s3://b/k", failing, soon())
        assert names(tmp_path) == []
    spool.fetch("s3://b/k", Source(), soon()).close()


def test_a_stale_video_is_confirmed_by_its_source(tmp_path):
    spool, source = make_spool(tmp_path, spool_reuse_seconds=0.0), Source()
    spool.fetch("s3://b/k", source, soon()).close()
    source.unchanged = True
    with spool.fetch("s3://b/k", source, soon()) as video:
        assert video.path.stat().st_size == 100
    assert source.downloads == 1


def test_a_changed_video_leaves_an_old_one_in_use(tmp_path):
    spool, source = make_spool(tmp_path, spool_reuse_seconds=0.0), Source()
    with spool.fetch("s3://b/k", source, soon()) as old:
        source.size = 50
        with spool.fetch("s3://b/k", source, soon()) as new:
            assert old.path.stat().st_size == 100
            assert new.path.stat().st_size == 50
    spool.fetch("s3://b/k", source, soon()).close()
    assert source.downloads == 3


def test_a_changed_video_may_use_the_space_of_the_old_one(tmp_path):
    spool = make_spool(tmp_path, spool_reuse_seconds=0.0, max_bytes=100, spool_max_bytes=150)
    source = Source()
    for _ in range(3):
        spool.fetch("s3://b/k", source, soon()).close()
    assert source.downloads == 3
    assert names(tmp_path) == ["uri", "video"]


def test_a_confirmed_video_that_was_removed_is_fetched_again(tmp_path):
    spool, source = make_spool(tmp_path, spool_reuse_seconds=0.0), Source()
    spool.fetch("s3://b/k", source, soon()).close()

    def confirm(part, known_version):
        if known_version is None:
            return source(part, known_version)
        next(tmp_path.glob("video-*")).unlink()
        return None

    with spool.fetch("s3://b/k", confirm, soon()) as video:
        assert video.path.stat().st_size == 100
    assert source.downloads == 2


def test_a_clock_that_is_set_back_ends_the_reuse(tmp_path, monkeypatch):
    spool, source = make_spool(tmp_path), Source()
    spool.fetch("s3://b/k", source, soon()).close()
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    spool.fetch("s3://b/k", source, soon()).close()
    assert source.downloads == 2


def test_a_broken_record_is_ignored(tmp_path):
    spool, source = make_spool(tmp_path), Source()
    spool.fetch("s3://b/k", source, soon()).close()
    for text in ("", "{", "[]", "{}", '{"file": "video-x", "version": 3, "asked_at": 1}'):
        next(tmp_path.glob("uri-*.json")).write_text(text)
        spool.fetch("s3://b/k", source, soon()).close()
    assert source.downloads == 6


def test_the_least_recently_used_goes_first(tmp_path):
    spool, source = make_spool(tmp_path, max_bytes=100, spool_max_bytes=300), Source()

    def fetch(key):
        with spool.fetch(f"s3://b/{key}", source, soon()) as video:
            time.sleep(0.01)  # file systems tell times in ticks
            return video.path

    a, b, c = (fetch(key) for key in "abc")
    assert fetch("a") == a  # used again: b is the oldest now
    fetch("d")
    assert [path.exists() for path in (a, b, c)] == [True, False, True]
    assert source.downloads == 4
    assert names(tmp_path) == ["uri"] * 3 + ["video"] * 3


def test_reuse_keeps_the_modification_time(tmp_path):
    """Decoders stay open as long as the modification time of their file does not change."""
    spool, source = make_spool(tmp_path), Source()
    with spool.fetch("s3://b/k", source, soon()) as video:
        os.utime(video.path, (1.0, 2.0))
    with spool.fetch("s3://b/k", source, soon()) as video:
        state = video.path.stat()
    assert state.st_mtime == 2.0
    assert abs(state.st_atime - time.time()) < 60


def test_the_end_of_a_download_counts_as_use(tmp_path):
    spool, source = make_spool(tmp_path, max_bytes=100, spool_max_bytes=200), Source()

    def slow(part, known_version):
        time.sleep(0.01)  # file systems tell times in ticks
        spool.fetch("s3://b/other", source, soon()).close()
        time.sleep(0.01)
        return source(part, known_version)

    with spool.fetch("s3://b/slow", slow, soon()) as video:
        pass
    spool.fetch("s3://b/third", source, soon()).close()
    assert video.path.exists()


def test_the_number_of_videos_is_limited_however_small(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_module, "MOST_VIDEOS", 3)
    spool, source = make_spool(tmp_path), Source(size=1)
    with spool.fetch("s3://b/0", source, soon()) as first:
        for number in range(1, 9):
            spool.fetch(f"s3://b/{number}", source, soon()).close()
            time.sleep(0.01)  # file systems tell times in ticks
        assert first.path.exists()  # in use all the time
        assert names(tmp_path) == ["uri"] * 3 + ["video"] * 3
        for number in (8, 7):
            spool.fetch(f"s3://b/{number}", source, soon()).close()
        assert source.downloads == 9


def test_more_videos_than_the_limit_may_be_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr(spool_module, "MOST_VIDEOS", 2)
    spool, source = make_spool(tmp_path), Source(size=1)
    with ExitStack() as videos:
        for number in range(5):
            videos.enter_context(spool.fetch(f"s3://b/{number}", source, soon()))
        assert names(tmp_path) == ["uri"] * 5 + ["video"] * 5
    spool.fetch("s3://b/5", source, soon()).close()
    assert names(tmp_path) == ["uri"] * 2 + ["video"] * 2


def test_a_video_in_use_stays_and_a_full_spool_is_unavailable(tmp_path):
    spool, source = make_spool(tmp_path, max_bytes=100, spool_max_bytes=250), Source()
    with spool.fetch("s3://b/a", source, soon()) as a:
        with (
            spool.fetch("s3://b/b", source, soon()),
            pytest.raises(Unavailable, match=r"spool is full: 100 bytes are needed, 200 of 250"),
        ):
            spool.fetch("s3://b/c", source, soon())
        spool.fetch("s3://b/c", source, soon()).close()  # b is free now
        assert a.path.exists()


def test_a_download_in_flight_counts_with_its_final_size(tmp_path):
    slow = Source(seconds=0.5)
    spool = make_spool(tmp_path, max_bytes=100, spool_max_bytes=150)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(spool.fetch, "s3://b/a", slow, soon())
        time.sleep(0.2)
        with pytest.raises(Unavailable, match="spool is full"):
            spool.fetch("s3://b/b", Source(), soon())
        first.result().close()


def test_an_upload_counts_and_is_removed_afterwards(tmp_path):
    spool = make_spool(tmp_path, max_bytes=100, spool_max_bytes=150)
    with spool.upload(bytes(100), soon()) as upload:
        assert VIDEO_NAME.fullmatch(upload.path.name)
        with pytest.raises(Unavailable, match="spool is full"):
            spool.upload(bytes(60), soon())
    assert names(tmp_path) == []
    with pytest.raises(SourceTooLarge, match=r"101 bytes or more.*up to 100 bytes"):
        spool.upload(bytes(101), soon())
    assert names(tmp_path) == []


def test_a_video_of_unknown_length_reserves_as_it_grows(tmp_path):
    def growing(part, known_version):
        for start in range(0, 1000, 100):
            part.write_at(start, bytes(100))
        return Version()

    limits = {"max_bytes": 1000, "spool_max_bytes": 1500}
    spool = make_spool(tmp_path, **limits)
    with spool.fetch("http://h/a", growing, soon()) as video:
        assert video.path.stat().st_size == 1000
        with pytest.raises(Unavailable, match="spool is full"):
            spool.fetch("http://h/b", growing, soon())


def test_a_full_disk_is_unavailable(tmp_path):
    spool = make_spool(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        with pytest.raises(Unavailable, match="disk is full"):
            spool.upload(bytes(100), soon())
        with pytest.raises(Unavailable, match="disk is full"):
            spool.fetch("s3://b/k", Source(), soon())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == []


def test_a_removed_spool_fails_without_a_wait(tmp_path):
    spool = make_spool(tmp_path / "gone")
    for request in (
        lambda: spool.fetch("s3://b/k", Source(), soon()),
        lambda: spool.upload(b"x", soon()),
    ):
        with pytest.raises(FileNotFoundError):
            request()


CHILD = """
import sys, time
from pathlib import Path
from trireel_backend.sources.media import MediaFolders, local_video
from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import SourceLimits
folder, uri = sys.argv[1:3]
limits = SourceLimits(allowed_networks=parse_networks("127.0.0.0/8"))
with local_video(MediaFolders(Path(folder), Path(folder), limits), uri, None) as path:
    print(path, path.stat().st_size, flush=True)
    sys.stdin.read()
"""


def child(folder, uri):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), uri],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_share_one_download(tmp_path):
    video = with_ranges(bytes(100_000))

    def slowly(handler):
        time.sleep(2.0)  # until all of them are waiting
        video(handler)

    with web_server({"/a": slowly}) as server:
        children = [child(tmp_path, server.url("/a")) for _ in range(4)]
        answers = [process.communicate()[0] for process in children]
        assert len(server.requests) == 1
    assert len(set(answers)) == 1
    assert answers[0].split()[1] == "100000"
    assert [process.returncode for process in children] == [0] * 4


def test_files_and_locks_of_a_killed_process_are_released(tmp_path):
    def stuck(handler):
        handler.answer(200, bytes(1000), Content_Length=100_000)
        handler.server.reached.set()
        time.sleep(30)

    with web_server({"/a": stuck}) as server:
        server.reached = threading.Event()
        killed = child(tmp_path, server.url("/a"))
        assert server.reached.wait(20)
        time.sleep(0.3)
        assert names(tmp_path) == ["part", "uri"]
        killed.kill()
        killed.communicate()
        spool = make_spool(tmp_path)
        # A fetch of the same URI, whose lock was held, also sweeps the folder.
        spool.fetch(server.url("/a"), Source(), soon()).close()
    assert names(tmp_path) == ["uri", "video"]


def test_a_killed_process_no_longer_uses_its_video(tmp_path):
    with web_server({"/a": with_ranges(bytes(100))}) as server:
        holder = child(tmp_path, server.url("/a"))
        path = holder.stdout.readline().split()[0]
        spool = make_spool(tmp_path, max_bytes=100, spool_max_bytes=150)
        with pytest.raises(Unavailable, match="spool is full"):
            spool.fetch("s3://b/k", Source(), soon())
        assert os.path.exists(path)
        holder.kill()
        holder.communicate()
        spool.fetch("s3://b/k", Source(), soon()).close()
        assert not os.path.exists(path)


def test_many_requests_share_a_small_spool(tmp_path):
    """Eviction, reuse and waits at once: every returned video exists and is complete."""
    source = Source(size=100, seconds=0.002)

    def fetch(number):
        spool = make_spool(tmp_path, max_bytes=100, spool_max_bytes=900)
        with spool.fetch(f"s3://b/{number % 13}", source, Deadline(30.0)) as video:
            size = video.path.stat().st_size
            time.sleep(0.001)
            return size, video.path.exists()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(fetch, range(600))) == {(100, True)}
    assert 13 <= source.downloads < 600
    assert sum(path.stat().st_size for path in tmp_path.glob("video-*")) <= 900
