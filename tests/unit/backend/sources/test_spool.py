# SPDX-License-Identifier: Apache-2.0
"""The spool: requests share one download, and reuse it while it is fresh."""

import fcntl
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from trireel_backend.errors import InvalidInput, Unavailable
from trireel_backend.sources.limits import Deadline
from trireel_backend.sources.spool import VIDEO_NAME

from .downloads import Source, make_spool, names, soon


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


def test_reuse_keeps_the_modification_time(tmp_path):
    """Decoders stay open as long as the modification time of their file does not change."""
    spool, source = make_spool(tmp_path), Source()
    with spool.fetch("s3://b/k", source, soon()) as video:
        os.utime(video.path, (1.0, 2.0))
    with spool.fetch("s3://b/k", source, soon()) as video:
        state = video.path.stat()
    assert state.st_mtime == 2.0
    assert abs(state.st_atime - time.time()) < 60


def test_a_removed_spool_fails_without_a_wait(tmp_path):
    spool = make_spool(tmp_path / "gone")
    for request in (
        lambda: spool.fetch("s3://b/k", Source(), soon()),
        lambda: spool.upload(b"x", soon()),
    ):
        with pytest.raises(FileNotFoundError):
            request()
