# SPDX-License-Identifier: Apache-2.0
"""File names of any bytes, also in a Python whose file system encoding is ASCII."""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from support.videos import numbered_frame, write_video

from trireel_backend.errors import InvalidInput, StartupError
from trireel_backend.extraction.process.isolation import IsolatedExtractor
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions
from trireel_backend.extraction.view import View
from trireel_backend.launch.embedded.wheel import make_ascii_python, server_environment
from trireel_backend.launch.run_folder import run_folder
from trireel_backend.plan import Sampling
from trireel_backend.sources.media import MediaFolders, kept_video, local_video, resolve
from trireel_backend.system.paths import native_path, path_text

SIZE_PX = 48
NAMES = [
    unicodedata.normalize("NFC", "café ü.mp4").encode(),
    unicodedata.normalize("NFD", "café ü.mp4").encode(),
    b'it\'s a "clip".mp4',
    b"two\nlines.mp4",
    "👩\u200d💻 録.mp4".encode(),
    "Screen Recording 9.41.00\u202fAM.mp4".encode(),
    b"caf\xe9.mp4",
    b"100%25 # ?.mp4",
]
# The environment of a Python as in Triton's stub: its file system encoding is ASCII.
ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
RESOLVES = """
import json, sys
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.sources.media import resolve
from trireel_backend.wire.request import Request
from trireel_backend.system.paths import path_text
import numpy as np
assert sys.getfilesystemencoding() != "utf-8"
media, spool, names = json.loads(sys.stdin.read())
folders = FolderSettings(media, spool).folders()
for name in names:
    data = np.array([bytes.fromhex(name)], object)
    path = resolve(folders, Request(array={"VIDEO": data}.get).reference("VIDEO"))
    assert path.read_bytes() == bytes.fromhex(name)
    print(path_text(path).encode("utf-8", "surrogateescape").hex())
"""


@pytest.fixture
def folders(tmp_path):
    """Folders with names that are not ASCII, and a file per name that contains the name."""
    media, spool = tmp_path / "vidéo 's", tmp_path / "ü spool"
    for folder in (media, spool):
        folder.mkdir()
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(media) + b"/" + name)).write_bytes(name)
    return MediaFolders(media, spool)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_bytes_is_found_by_path_and_by_uri(folders, name):
    reference = name.decode("utf-8", "surrogateescape")
    uri = "file://" + quote_from_bytes(os.fsencode(folders.media_root) + b"/" + name)
    for text in (reference, path_text(folders.media_root / os.fsdecode(name)), uri):
        assert resolve(folders, text).read_bytes() == name


def test_names_are_found_by_a_python_that_is_ascii(folders):
    arguments = [str(folders.media_root), str(folders.spool), [name.hex() for name in NAMES]]
    result = subprocess.run(
        [sys.executable, "-c", RESOLVES],
        input=json.dumps(arguments),
        env={**os.environ, **ASCII},
        capture_output=True,
        text=True,
    )
    assert result.stderr == ""
    root = os.fsencode(folders.media_root)
    assert result.stdout.split() == [(root + b"/" + name).hex() for name in NAMES]


def test_text_and_path_convert_both_ways():
    for name in NAMES:
        text = name.decode("utf-8", "surrogateescape")
        assert path_text(native_path(text)) == text
        assert os.fsencode(native_path(text)) == name


def test_a_uri_that_is_not_utf8_is_rejected(folders):
    for uri in ("http://host/caf\udce9", "s3://bucket/caf\udce9"):
        with pytest.raises(InvalidInput, match="is not UTF-8: percent-encode"):
            local_video(folders, uri, None).__enter__()
        with pytest.raises(InvalidInput, match="is not UTF-8: percent-encode"):
            kept_video(folders, uri)


def test_a_decoder_opens_names_of_any_bytes(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", [numbered_frame(i) for i in range(25)])
    extractor = IsolatedExtractor(ExtractorOptions(), 16 * SIZE_PX**2 * 3)
    try:
        for name in NAMES:
            path = tmp_path / os.fsdecode(name)
            shutil.copy(clip, path)
            task = ExtractionTask(path, 10.0, Sampling(2), View.square(SIZE_PX))
            assert len(extractor.run(task).pixels) == 2
    finally:
        extractor.close()


@pytest.mark.parametrize("name", ["a b", "it's", 'a"b', "ü", "$(x)", "a;b"])
def test_a_temporary_folder_that_triton_cannot_use_is_rejected(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
    with pytest.raises(StartupError, match=r"the temporary folder is .* set TMPDIR to another"):
        run_folder().__enter__()
    assert list((tmp_path / name).iterdir()) == []


def test_a_python_for_the_stubs_has_the_same_packages(tmp_path, monkeypatch):
    package = tmp_path / "ü"
    package.mkdir()
    (package / "from_umlaut.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(package))
    programs = make_ascii_python(tmp_path / "python")
    monkeypatch.delenv("PYTHONPATH")
    code = "import from_umlaut, numpy, trireel_backend, sys; print(ascii(sys.path))"
    result = subprocess.run(
        [programs / "python3", "-c", code], env=ASCII, capture_output=True, text=True, check=True
    )
    assert "\\xfc" not in result.stdout
    assert "\\udc" not in result.stdout


def test_stubs_use_that_python_if_a_package_folder_needs_it(tmp_path, monkeypatch):
    from trireel_backend.launch.embedded.wheel import find_wheel

    bin_folder = str(Path(sys.executable).parent)
    for entry, programs in ((str(tmp_path / "u"), bin_folder), (str(tmp_path / "ü"), None)):
        monkeypatch.setattr(sys, "path", [*sys.path, entry])
        environment = server_environment(find_wheel(), tmp_path / "python")
        first = environment["PATH"].split(os.pathsep)[0]
        assert first == (programs or str(tmp_path / "python/bin"))
