# SPDX-License-Identifier: Apache-2.0
"""The spool: one download for all who ask, used again while it is fresh."""

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
        spool.fetched("s3://b/k", source, soon()) as one,
        spool.fetched("s3://b/k", source, soon()) as other,
    ):
        assert one.path == other.path
        assert one.path.stat().st_size == 100
        assert VIDEO_NAME.fullmatch(one.path.name)
    assert source.downloads == 1
    assert names(tmp_path) == ["uri", "video"]
    with spool.fetched("s3://b/other", source, soon()) as third:
        assert third.path != one.path


def test_many_who_ask_at_once_wait_for_one_download(tmp_path):
    source = Source(seconds=0.3)

    def ask(_):
        with make_spool(tmp_path).fetched("s3://b/k", source, soon()) as video:
            return video.path, video.path.stat().st_size

    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(ask, range(12)))) == 1
    assert source.downloads == 1


def test_a_video_gets_its_name_while_nobody_counts(tmp_path):
    """Whoever lists the folder during the rename would count neither name of the file."""
    counting = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    source, downloaded = Source(), threading.Event()

    def download(part, known):
        version = source(part, known)
        fcntl.flock(counting, fcntl.LOCK_EX)
        downloaded.set()
        return version

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(make_spool(tmp_path).fetched, "s3://b/k", download, soon())
        assert downloaded.wait(10)
        with pytest.raises(TimeoutError):
            asked.result(0.2)
        assert names(tmp_path) == ["part", "uri"]
        os.close(counting)
        asked.result().close()
    assert names(tmp_path) == ["uri", "video"]


def test_who_waits_too_long_is_told(tmp_path):
    source, spool = Source(seconds=1.0), make_spool(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(spool.fetched, "s3://b/k", source, soon())
        time.sleep(0.3)
        with pytest.raises(Unavailable, match=r"not fetched in 0.2 s"):
            spool.fetched("s3://b/k", source, Deadline(0.2))
        first.result().close()


def test_who_gives_up_waiting_leaves_at_once(tmp_path):
    source, spool, stop = Source(seconds=1.0), make_spool(tmp_path), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(spool.fetched, "s3://b/k", source, soon())
        time.sleep(0.2)
        second = pool.submit(spool.fetched, "s3://b/k", source, Deadline(10.0, stop.is_set))
        time.sleep(0.2)
        stop.set()
        with pytest.raises(Unavailable, match="given up"):
            second.result(timeout=0.4)
        first.result().close()


def test_a_failed_download_is_begun_anew_by_the_next(tmp_path):
    def failing(part, known):
        part.write_at(0, b"half")
        raise InvalidInput("no")

    spool = make_spool(tmp_path)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="no"):
            spool.fetched("s3://b/k", failing, soon())
        assert names(tmp_path) == []
    spool.fetched("s3://b/k", Source(), soon()).close()


def test_a_stale_video_is_confirmed_by_its_source(tmp_path):
    spool, source = make_spool(tmp_path, spool_reuse_seconds=0.0), Source()
    spool.fetched("s3://b/k", source, soon()).close()
    source.unchanged = True
    with spool.fetched("s3://b/k", source, soon()) as video:
        assert video.path.stat().st_size == 100
    assert source.downloads == 1


def test_a_changed_video_leaves_the_old_one_to_who_uses_it(tmp_path):
    spool, source = make_spool(tmp_path, spool_reuse_seconds=0.0), Source()
    with spool.fetched("s3://b/k", source, soon()) as old:
        source.size = 50
        with spool.fetched("s3://b/k", source, soon()) as new:
            assert old.path.stat().st_size == 100
            assert new.path.stat().st_size == 50
    spool.fetched("s3://b/k", source, soon()).close()
    assert source.downloads == 3


def test_a_confirmed_video_that_has_just_gone_is_fetched_again(tmp_path):
    spool, source = make_spool(tmp_path, spool_reuse_seconds=0.0), Source()
    spool.fetched("s3://b/k", source, soon()).close()

    def confirm(part, known):
        if known is None:
            return source(part, known)
        next(tmp_path.glob("video-*")).unlink()
        return None

    with spool.fetched("s3://b/k", confirm, soon()) as video:
        assert video.path.stat().st_size == 100
    assert source.downloads == 2


def test_a_clock_set_back_is_no_reason_to_reuse_for_ever(tmp_path, monkeypatch):
    spool, source = make_spool(tmp_path), Source()
    spool.fetched("s3://b/k", source, soon()).close()
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    spool.fetched("s3://b/k", source, soon()).close()
    assert source.downloads == 2


def test_a_broken_record_is_no_record(tmp_path):
    spool, source = make_spool(tmp_path), Source()
    spool.fetched("s3://b/k", source, soon()).close()
    for text in ("", "{", "[]", "{}", '{"file": "video-x", "version": 3, "asked_at": 1}'):
        next(tmp_path.glob("uri-*.json")).write_text(text)
        spool.fetched("s3://b/k", source, soon()).close()
    assert source.downloads == 6


def test_a_video_used_again_looks_unchanged(tmp_path):
    """Open decoders are kept for as long as its file has the same time."""
    spool, source = make_spool(tmp_path), Source()
    with spool.fetched("s3://b/k", source, soon()) as video:
        os.utime(video.path, (1.0, 2.0))
    with spool.fetched("s3://b/k", source, soon()) as video:
        state = video.path.stat()
    assert state.st_mtime == 2.0
    assert abs(state.st_atime - time.time()) < 60


def test_a_spool_that_was_removed_is_not_waited_for(tmp_path):
    spool = make_spool(tmp_path / "gone")
    for ask in (
        lambda: spool.fetched("s3://b/k", Source(), soon()),
        lambda: spool.upload(b"x", soon()),
    ):
        with pytest.raises(FileNotFoundError):
            ask()
