# SPDX-License-Identifier: Apache-2.0
"""What the embedded server checks before and after it starts Triton."""

import socket
import sysconfig
import tempfile

import numpy as np
import pytest

from trireel_backend.artifacts import Canary
from trireel_backend.embedded import run_folder, server, wheel
from trireel_backend.embedded.canary import compare
from trireel_backend.errors import CanaryFailed, MissingPart, PortBusy

PICTURES = np.zeros((2, 4, 4, 3), np.uint8)
AXES = np.eye(2, 8, dtype=np.float32)


def test_the_checkpoints_own_embeddings_pass():
    compare(Canary(PICTURES, AXES), AXES)


@pytest.mark.parametrize(
    ("served", "message"),
    [
        (np.zeros((2, 0), np.float32), "NumPy 2"),
        (AXES[[0, 0]], "two different pictures embeddings of cosine 1.0000"),
        (np.zeros((2, 8), np.float32), "cosine 0.0000 to the checkpoint's own"),
        (AXES[[1, 0]], "cosine 0.0000 to the checkpoint's own"),
        (AXES * np.nan, "cosine nan"),
    ],
    ids=["empty", "constant", "zero", "swapped", "nan"],
)
def test_wrong_embeddings_fail_the_canary(served, message):
    with pytest.raises(CanaryFailed, match=message):
        compare(Canary(PICTURES, AXES), served)


def test_a_busy_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = server.Ports(http=free_port(), grpc=port, metrics=free_port())
        with pytest.raises(
            PortBusy, match=rf"port {port} \(gRPC\).*choose another with --grpc-port"
        ):
            server._check_ports(ports)


def test_ports_must_differ():
    with pytest.raises(PortBusy, match="need one each"):
        server.Ports(9000, 9000, 9001)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_python_without_a_shared_library_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: str(tmp_path))
    monkeypatch.setattr(wheel.sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(wheel.ctypes.util, "find_library", lambda name: None)
    with pytest.raises(MissingPart, match=r"libpython3.* is not there.*--enable-shared"):
        wheel.find_libpython()


def test_a_missing_wheel_is_named(monkeypatch):
    monkeypatch.setattr(wheel.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPart, match=r"pip install 'trireel-backend\[embedded\]'"):
        wheel.find_wheel()


def test_what_killed_runs_left_is_swept_and_the_living_are_left_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(run_folder, "SHARED_MEMORY", tmp_path)
    dead = tmp_path / f"{run_folder.FOLDER_PREFIX}dead"
    dead.mkdir()
    (dead / run_folder.LOCK_FILE).touch()
    region = tmp_path / "trireel_serve_dead_region"
    region.touch()
    with run_folder.run_folder() as alive:
        assert not dead.exists()
        assert not region.exists()
        run_folder.sweep_abandoned()
        assert alive.path.exists()
        (tmp_path / f"{alive.shm_prefix}1").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_log_excerpt_names_the_errors_first(tmp_path):
    log = tmp_path / "log"
    log.write_text("I1 fine\nE1 first error\nI2 more\nerror: second\nI3 end\n")
    assert server._log_excerpt(log) == "E1 first error\nerror: second"
    log.write_text("I1 fine\nI2 end\n")
    assert server._log_excerpt(log) == "I1 fine\nI2 end"
