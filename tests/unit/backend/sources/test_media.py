# SPDX-License-Identifier: Apache-2.0
"""Paths, URIs and uploads become local files, or a request is rejected."""

import asyncio
import itertools
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    InvalidInput,
    OutsideMediaFolder,
    SourceRefused,
    SourceTooLarge,
    StartupError,
    Unsupported,
    VideoNotFound,
)
from trireel_backend.extraction.settings import ExtractorSettings
from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import SourceLimits
from trireel_backend.sources.media import MediaFolders, local_video, local_video_beside, resolve
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.wire.parameters import read_settings


@pytest.fixture
def folders(tmp_path):
    for name in ("media/sub", "spool", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "media/a clip.mp4").write_bytes(b"a")
    (tmp_path / "media/sub/b.mp4").write_bytes(b"b")
    (tmp_path / "other/secret").write_bytes(b"s")
    return MediaFolders(tmp_path / "media", tmp_path / "spool")


@pytest.mark.parametrize(
    "reference",
    [
        "a clip.mp4",
        "./a clip.mp4",
        "sub/../a clip.mp4",
        "{root}/a clip.mp4",
        "file://{root}/a%20clip.mp4",
        "file://localhost{root}/a clip.mp4",
    ],
)
def test_paths_and_file_uris_in_the_media_folder_are_found(folders, reference):
    path = resolve(folders, reference.format(root=folders.media_root))
    assert path == folders.media_root / "a clip.mp4"


@pytest.mark.parametrize(
    ("reference", "error", "message"),
    [
        ("", InvalidInput, "VIDEO is empty"),
        ("../other/secret", OutsideMediaFolder, "outside the media folder"),
        ("/etc/passwd", OutsideMediaFolder, "outside the media folder"),
        ("/no/such/file", OutsideMediaFolder, "outside the media folder"),
        ("file:///etc/passwd", OutsideMediaFolder, "outside the media folder"),
        ("file:///%2e%2e/etc/passwd", OutsideMediaFolder, "outside the media folder"),
        ("nothing.mp4", VideoNotFound, "not in the media folder"),
        ("sub", InvalidInput, "not a regular file"),
        ("a\0b", InvalidInput, "not a usable path"),
        ("x" * 4000, InvalidInput, "not a usable path"),
        ("../" * 700_000, InvalidInput, "VIDEO has 2100000 characters"),
        ("gopher://host/x.mp4", Unsupported, "scheme 'gopher'"),
        (" http://host/x.mp4", Unsupported, "scheme ' http'"),
        ("file+http://host/x.mp4", Unsupported, "this server reads file, http, https, s3"),
        ("file://host/x.mp4", InvalidInput, "names host 'host'"),
    ],
)
def test_any_other_reference_is_rejected(folders, reference, error, message):
    with pytest.raises(error, match=message):
        resolve(folders, reference)


def test_a_link_out_of_the_media_folder_is_outside(folders):
    os.symlink(folders.media_root.parent / "other/secret", folders.media_root / "link.mp4")
    with pytest.raises(OutsideMediaFolder):
        resolve(folders, "link.mp4")


def test_an_upload_is_a_file_for_the_length_of_its_request(folders):
    with local_video(folders, None, b"bytes") as path:
        assert path.parent == folders.spool
        assert path.read_bytes() == b"bytes"
        assert resolve(folders, str(path)) == path
    assert list(folders.spool.iterdir()) == []


def test_an_upload_is_removed_when_its_request_fails(folders):
    with pytest.raises(RuntimeError, match="boom"), local_video(folders, None, b"bytes"):
        raise RuntimeError("boom")
    assert list(folders.spool.iterdir()) == []


@pytest.mark.parametrize(
    ("reference", "data", "message"),
    [(None, None, "neither"), ("a", b"b", "both"), (None, b"", "VIDEO_DATA is empty")],
)
def test_exactly_one_source_is_given(folders, reference, data, message):
    with pytest.raises(InvalidInput, match=message), local_video(folders, reference, data):
        pass


def only(folders, **limits):
    return MediaFolders(folders.media_root, folders.spool, SourceLimits(**limits))


def test_an_upload_beyond_the_limit_is_rejected(folders):
    for limits in ({"max_bytes": 5}, {"max_upload_bytes": 5}):
        with pytest.raises(SourceTooLarge, match=r"6 bytes: .* up to 5 bytes; name a larger"):
            local_video(only(folders, **limits), None, b"bytes!").__enter__()


def test_schemes_that_the_operator_left_out_are_rejected(folders):
    no_files = only(folders, schemes=frozenset({"s3"}))
    for reference in ("a clip.mp4", f"{folders.media_root}/a clip.mp4"):
        with pytest.raises(OutsideMediaFolder):
            resolve(no_files, reference)
    for reference in ("file:///a clip.mp4", "http://host/a"):
        with pytest.raises(Unsupported, match="this server reads s3;"):
            local_video(no_files, reference, None).__enter__()
    with local_video(no_files, None, b"bytes") as path:  # one model passes it on to the next
        assert resolve(no_files, str(path)) == path


def test_only_videos_are_read_from_the_spool(folders):
    for name in ("uri-00.json", "part-00", "secret", "video-x"):
        (folders.spool / name).write_bytes(b"x")
        with pytest.raises(OutsideMediaFolder):
            resolve(folders, str(folders.spool / name))


def test_addresses_that_are_not_public_are_rejected(folders):
    for uri in ("http://127.0.0.1:1/a", "HTTP://localhost/a", "https://169.254.169.254/a"):
        with pytest.raises(SourceRefused, match="not public"):
            local_video(folders, uri, None).__enter__()


@pytest.fixture
def beside(folders):
    """Return a function that opens a video in a thread beside the event loop."""
    networks = parse_networks("127.0.0.0/8")
    allowing = only(folders, allowed_networks=networks, timeout_seconds=20.0)
    with ThreadPoolExecutor(2) as executor:
        yield lambda reference, data=None: local_video_beside(executor, allowing, reference, data)


async def test_the_event_loop_continues_during_a_fetch(beside):
    async def tick():
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.01)

    def slowly(handler):
        time.sleep(0.5)
        with_ranges(b"video")(handler)

    ticks = []
    ticking = asyncio.ensure_future(tick())
    with web_server({"/a": slowly}) as server:
        async with beside(server.url("/a")) as path:
            assert path.read_bytes() == b"video"
    ticking.cancel()
    assert max(b - a for a, b in itertools.pairwise(ticks)) < 0.2


async def test_errors_reach_the_caller(beside):
    with pytest.raises(VideoNotFound, match="not in the media folder"):
        await beside("no.mp4").__aenter__()
    with pytest.raises(RuntimeError, match="boom"):
        async with beside(None, b"bytes"):
            raise RuntimeError("boom")


async def test_a_cancelled_fetch_ends_and_leaves_nothing(beside, folders):
    def stuck(handler):
        handler.answer(200, b"x" * 1000, Content_Length=100_000)
        reached.set()
        handler.rfile.read()  # until the client goes

    async def fetch():
        async with beside(server.url("/a")):
            raise AssertionError("it never completes")

    reached = threading.Event()
    with web_server({"/a": stuck}) as server:
        fetching = asyncio.ensure_future(fetch())
        assert await asyncio.to_thread(reached.wait, 10)
        fetching.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        assert time.monotonic() - began < 0.1
        while list(folders.spool.iterdir()):
            assert time.monotonic() - began < 2
            await asyncio.sleep(0.05)


async def test_a_fetch_that_ends_during_its_cancellation_is_closed(beside, folders):
    def slowly(handler):
        reached.set()
        go_on.wait(10)
        with_ranges(b"video")(handler)

    async def fetch():
        async with beside(server.url("/a")):
            raise AssertionError("it was cancelled")

    reached, go_on = threading.Event(), threading.Event()
    open_before = len(os.listdir("/proc/self/fd"))
    with web_server({"/a": slowly}) as server:
        fetching = asyncio.ensure_future(fetch())
        await asyncio.to_thread(reached.wait, 10)
        fetching.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        await asyncio.sleep(1.0)
    assert len(os.listdir("/proc/self/fd")) <= open_before


def test_heavy_libraries_are_imported_only_when_needed():
    code = (
        "import trireel_backend.models.video_analysis, trireel_backend.models.frame_extractor, sys;"
        "import trireel_backend.extraction.process.isolation;"
        "print([m for m in ('av', 'boto3', 'botocore', 'httpx', 'tenacity') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source_schemes": "file,ftp"}, "source_schemes is 'file,ftp'"),
        ({"source_max_bytes": "0"}, "source_max_bytes is 0"),
        ({"source_max_bytes": "9", "spool_max_bytes": "8"}, "give 1 to spool_max_bytes"),
        ({"source_max_bytes": "many"}, "parameter source_max_bytes is 'many'"),
        ({"source_timeout_seconds": "nan"}, "source_timeout_seconds is nan"),
        ({"spool_reuse_seconds": "-1"}, "spool_reuse_seconds -1"),
        ({"allowed_networks": "10.0.0.1/8"}, "give CIDR"),
        ({"media_root": "/no/such/folder"}, "is not a folder"),
    ],
)
def test_a_wrong_parameter_stops_the_start(folders, parameters, message):
    folder = {"media_root": str(folders.media_root), "spool": str(folders.spool)}
    with pytest.raises(StartupError, match=message):
        read_settings(FolderSettings, {**folder, **parameters}).folders()


def test_parameters_become_limits(folders):
    parameters = {
        "media_root": str(folders.media_root),
        "spool": str(folders.spool),
        "source_schemes": "s3, https",
        "allowed_networks": "10.0.0.0/8",
        "s3_buckets": "one, two",
    }
    limits = read_settings(FolderSettings, parameters).folders().limits
    assert limits.schemes == {"s3", "https"}
    assert limits.allowed_networks == parse_networks("10.0.0.0/8")
    assert limits.s3_buckets == {"one", "two"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"decode_on": "gpu"}, "decode_on is 'gpu': give one of cpu, auto"),
        ({"max_video_pixels": "0"}, "every limit has to be more than 0"),
        ({"extract_timeout_seconds": "-1"}, "every limit has to be more than 0"),
        ({"decoder_memory_bytes": "4 GiB"}, "parameter decoder_memory_bytes is '4 GiB'"),
    ],
)
def test_a_wrong_parameter_of_the_extractor_stops_the_start(parameters, message):
    with pytest.raises(StartupError, match=message):
        read_settings(ExtractorSettings, parameters).options()


def test_the_extractors_parameters_become_options():
    parameters = {"decode_on": "auto", "max_frame_pixels": "100", "open_videos_bytes": "7"}
    options = read_settings(ExtractorSettings, parameters).options()
    assert options.on_gpu
    assert options.limits.max_frame_pixels == 100
    assert options.open_videos_bytes == 7
    assert not read_settings(ExtractorSettings, {}).options().on_gpu
