# SPDX-License-Identifier: Apache-2.0
"""The limits of the spool: files in use stay, and a full spool or disk is reported."""

import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from trireel_backend.errors import SourceTooLarge, Unavailable
from trireel_backend.sources import spool as spool_module
from trireel_backend.sources.spool import VIDEO_NAME, Version

from .downloads import Source, make_spool, names, soon


def test_a_changed_video_may_use_the_space_of_the_old_one(tmp_path):
    spool = make_spool(tmp_path, spool_reuse_seconds=0.0, max_bytes=100, spool_max_bytes=150)
    source = Source()
    for _ in range(3):
        spool.fetch("s3://b/k", source, soon()).close()
    assert source.downloads == 3
    assert names(tmp_path) == ["uri", "video"]


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
