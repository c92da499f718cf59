# SPDX-License-Identifier: Apache-2.0
"""The log of a server that failed is kept, once."""

import pytest

from trireel_backend.errors import NotReady
from trireel_backend.launch.failed_log import NAME, log_kept_if_failed


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "run").mkdir()
    return tmp_path / "run/triton.log"


def test_the_log_of_a_failure_is_kept_and_named(log, tmp_path):
    kept = tmp_path / "state" / NAME
    for content in ("first", "second"):
        log.write_text(content)
        with pytest.raises(NotReady, match=f"Triton ended\nthe whole log: {kept}"):
            with log_kept_if_failed(log):
                raise NotReady("Triton ended")
        assert kept.read_text() == content
    assert len(list(kept.parent.iterdir())) == 1


def test_a_server_that_ends_well_leaves_no_log(log, tmp_path):
    log.write_text("fine")
    with log_kept_if_failed(log):
        pass
    assert not (tmp_path / "state").exists()


def test_without_a_place_the_error_stays_as_it_is(log, tmp_path, monkeypatch):
    (tmp_path / "state").write_text("a file")
    log.write_text("broken")
    for file in (log, None):
        with pytest.raises(NotReady, match="^Triton ended$"), log_kept_if_failed(file):
            raise NotReady("Triton ended")
