# SPDX-License-Identifier: Apache-2.0
"""Processes that share a spool: one download, and no files left by a killed process."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import Unavailable
from trireel_backend.sources.limits import Deadline

from .downloads import Source, make_spool, names, soon

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
