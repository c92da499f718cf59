# SPDX-License-Identifier: Apache-2.0
"""The log of a server that failed is kept."""

import tempfile

import pytest

from trireel_backend.errors import NotReady
from trireel_backend.launch.kept_logs import log_kept_if_failed


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return the folder of kept logs."""
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_log_of_a_failure_is_kept_and_named(kept, tmp_path):
    log = tmp_path / "triton.log"
    log.write_text("broken")
    message = f"Triton ended\nthe whole log: {kept}/"
    with pytest.raises(NotReady, match=message), log_kept_if_failed(log):
        raise NotReady("Triton ended")
    assert [file.read_text() for file in kept.iterdir()] == ["broken"]


def test_a_server_that_ends_well_leaves_no_log(kept, tmp_path):
    log = tmp_path / "triton.log"
    log.write_text("fine")
    with log_kept_if_failed(log):
        pass
    assert list(kept.iterdir()) == []


def test_without_a_log_the_error_stays_as_it_is(kept, tmp_path):
    for file in (tmp_path / "missing.log", None):
        with pytest.raises(NotReady, match=r"^Triton ended$"), log_kept_if_failed(file):
            raise NotReady("Triton ended")
