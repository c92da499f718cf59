# SPDX-License-Identifier: Apache-2.0
"""The log of a server whose start failed is kept."""

import tempfile

import pytest

from trireel_backend.errors import NotReady
from trireel_backend.launch.restarts import KEPT_LOG_PREFIX, KEPT_LOGS, log_kept_if_failed


@pytest.fixture
def log(tmp_path, monkeypatch):
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "kept"))
    return tmp_path / "triton.log"


def test_the_log_of_a_failed_start_is_kept_and_named(log, tmp_path):
    log.write_text("the reason")
    with pytest.raises(NotReady) as raised, log_kept_if_failed(log):
        raise NotReady("Triton ended")
    (kept,) = (tmp_path / "kept").glob(f"{KEPT_LOG_PREFIX}*.log")
    assert str(raised.value) == f"Triton ended\nits log is kept in {kept}"
    assert kept.read_text() == "the reason"


def test_few_logs_are_kept(log, tmp_path):
    log.write_text("the reason")
    for _ in range(KEPT_LOGS + 2):
        with pytest.raises(NotReady), log_kept_if_failed(log):
            raise NotReady("Triton ended")
    assert len(list((tmp_path / "kept").iterdir())) == KEPT_LOGS


def test_a_server_that_ends_well_leaves_no_log(log, tmp_path):
    log.write_text("fine")
    with log_kept_if_failed(log):
        pass
    assert list((tmp_path / "kept").iterdir()) == []


def test_without_a_log_the_error_stays_as_it_is(log):
    with pytest.raises(NotReady, match=r"^Triton ended$"), log_kept_if_failed(None):
        raise NotReady("Triton ended")
    with pytest.raises(NotReady, match="its log could not be kept"), log_kept_if_failed(log):
        raise NotReady("Triton ended")
