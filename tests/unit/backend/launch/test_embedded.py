# SPDX-License-Identifier: Apache-2.0
"""The start of a server: its needs and its checks, before and after Triton runs."""

import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time

import numpy as np
import pytest
from support.repository import EXPORT

from trireel_backend.artifacts import load_metadata
from trireel_backend.errors import (
    CanaryFailed,
    MissingPart,
    NotReady,
    PortBusy,
    StartupError,
    Unavailable,
)
from trireel_backend.launch import run_folder, server
from trireel_backend.launch.canary import compare
from trireel_backend.launch.children import living_children, reap_orphans
from trireel_backend.launch.embedded import wheel
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.model_options import ModelOptions, parse_parameters
from trireel_backend.launch.ports import Ports, authority, check_ports
from trireel_backend.launch.repository.sizing import Sizing
from trireel_backend.whole_video.admission import Admission
from trireel_schema.pictures import Canary

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
        ports = Ports(http=free_port(), grpc=port, metrics=free_port())
        with pytest.raises(
            PortBusy, match=rf"port {port} \(gRPC\).*choose another port with --grpc-port"
        ):
            check_ports("127.0.0.1", ports)


def test_ports_must_differ():
    with pytest.raises(PortBusy, match="need one each"):
        Ports(9000, 9000, 9001)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_python_without_a_shared_library_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: str(tmp_path))
    monkeypatch.setattr(wheel.sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(wheel.ctypes.util, "find_library", lambda name: None)
    with pytest.raises(MissingPart, match=r"libpython3.* is not there.*--enable-shared"):
        wheel.find_libpython()


def test_a_missing_wheel_is_named(monkeypatch):
    monkeypatch.setattr(wheel.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPart, match="run scripts/setup serve"):
        wheel.find_wheel()


def test_folders_of_killed_runs_are_removed_and_others_stay(monkeypatch, tmp_path):
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


@pytest.mark.parametrize(
    ("end", "starts", "message"),
    [
        ("kill -ABRT $$", server.START_ATTEMPTS, "Triton ended by SIGABRT"),
        ("exit 1", 1, "Triton ended;"),
    ],
)
def test_a_triton_that_aborts_at_its_start_is_restarted_once(tmp_path, end, starts, message):
    (tmp_path / "admission").mkdir()
    ports = Ports.free()
    launch = server.Launch(
        command=["/bin/sh", "-c", f"echo started >> {tmp_path}/starts; {end}"],
        environment=os.environ,
        ports=ports,
        endpoint=Endpoint(authority("127.0.0.1", ports.grpc)),
        export=EXPORT,
        metadata=load_metadata(EXPORT / "metadata.json"),
        run=run_folder.RunFolder(tmp_path),
        admission=Admission(tmp_path / "admission"),
        ready_seconds=30,
        stop_seconds=1,
        exit_seconds=1,
        log=tmp_path / "log",
    )
    with pytest.raises(NotReady, match=message), server.running_server(launch):
        pass
    assert (tmp_path / "starts").read_text().split() == ["started"] * starts
    with launch.admission.video():  # raises if the next start would reject videos
        pass


def test_a_log_excerpt_names_the_errors_first(tmp_path):
    log = tmp_path / "log"
    log.write_text("I1 fine\nE1 first error\nI2 more\nerror: second\nI3 end\n")
    assert server.log_excerpt(log) == "E1 first error\nerror: second"
    log.write_text("E1 CudaDriverHelper has not been initialized.\nI2 more\nE3 no model\n")
    assert server.log_excerpt(log) == "E3 no model"
    log.write_text("I1 fine\nI2 end\n")
    assert server.log_excerpt(log) == "I1 fine\nI2 end"


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("127.0.0.1", "127.0.0.1:8001"),
        ("0.0.0.0", "127.0.0.1:8001"),
        ("::", "[::1]:8001"),
        ("10.1.2.3", "10.1.2.3:8001"),
    ],
)
def test_a_server_is_reached_at_the_address_it_listens_on(address, target):
    assert authority(address, 8001) == target


def test_a_closed_server_rejects_videos_and_waits_for_others(tmp_path):
    launcher, model = Admission(tmp_path), Admission(tmp_path)
    assert launcher.is_idle()
    with model.video(), model.video():
        launcher.close()
        assert not launcher.is_idle()
        with pytest.raises(Unavailable, match="the server is stopping"), model.video():
            pass
        assert not launcher.wait_until_idle(time.monotonic() + 0.2, alive=lambda: True)
        assert not launcher.wait_until_idle(time.monotonic() + 60, alive=lambda: False)
    assert launcher.wait_until_idle(time.monotonic() + 60, alive=lambda: True)


def test_a_wait_ends_with_the_last_video(tmp_path):
    entered, leave = threading.Event(), threading.Event()

    def run():
        with Admission(tmp_path).video():
            entered.set()
            leave.wait(10)

    video = threading.Thread(target=run)
    video.start()
    entered.wait(10)
    launcher = Admission(tmp_path)
    launcher.close()
    threading.Timer(0.3, leave.set).start()
    began = time.monotonic()
    assert launcher.wait_until_idle(began + 60, alive=lambda: True)
    assert 0.2 < time.monotonic() - began < 10
    video.join()


def test_a_video_whose_process_was_killed_is_not_waited_for(tmp_path):
    code = (
        "import sys, time; from pathlib import Path;"
        "from trireel_backend.whole_video.admission import Admission\n"
        "with Admission(Path(sys.argv[1])).video():\n"
        "    print('in flight', flush=True); time.sleep(60)"
    )
    model = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
    assert model.stdout.readline() == b"in flight\n"
    launcher = Admission(tmp_path)
    assert not launcher.is_idle()
    model.kill()
    model.communicate()
    assert launcher.wait_until_idle(time.monotonic() + 10, alive=lambda: True)


ORPHANS = """
import ctypes, os, subprocess, sys, time
from trireel_backend.launch.children import living_children, reap_orphans
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
def children():
    return set(open("/proc/self/task/%d/children" % os.getpid()).read().split())
own = subprocess.Popen(["false"])
reap_orphans(own.pid)  # must leave it alone, running or ended
subprocess.run(["sh", "-c", "sleep 0.1 & sleep 0.1 &"])
time.sleep(0.5)
assert own.poll() == 1, own.returncode
assert len(children()) == 2, children()
assert living_children(os.getpid()) == set()
reap_orphans(own.pid)
assert children() == set(), children()
print("reaped")
"""


def test_orphans_are_collected_and_own_children_are_not():
    """The process plays a container's PID 1: orphans become its children."""
    result = subprocess.run([sys.executable, "-c", ORPHANS], capture_output=True, text=True)
    assert result.stdout == "reaped\n", result.stderr


def test_the_exit_status_of_an_own_child_stays_for_its_wait():
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    while living_children(os.getpid()) & {child.pid}:
        time.sleep(0.01)
    reap_orphans(child.pid)
    assert child.wait() == 7


def test_model_options_become_parameters_and_instances():
    options = ModelOptions(
        allow_network=["10.0.0.0/8", "fd00::/8"],
        max_video_gib=0.5,
        decode_on="auto",
        videos=2,
        towers=3,
        max_waiting_videos=8,
        others={"s3_buckets": "videos"},
        cpus=4,
        memory_bytes=None,
    )
    assert options.parameters() == {
        **Sizing.of(4).parameters(),
        "allowed_networks": "10.0.0.0/8,fd00::/8",
        "source_max_bytes": str(2**29),
        "decode_on": "auto",
        "max_waiting_videos": "8",
        "s3_buckets": "videos",
    }
    counts = {"frame_extractor": 4, "video_analysis": 2, "siglip_vision": 3}
    assert options.instances() == counts | {"clip_encoder": options.sizing.clip_encoders}


def test_parameters_are_read_by_name_and_may_hold_any_text():
    names = frozenset(("s3_buckets", "chunk_seconds"))
    assert parse_parameters(["s3_buckets=a,b=c", "chunk_seconds="], names) == {
        "s3_buckets": "a,b=c",
        "chunk_seconds": "",
    }
    assert parse_parameters(None, names) == {}


@pytest.mark.parametrize("option", ["s3_bucket=x", "s3_buckets", "=x"])
def test_a_parameter_that_no_model_has_is_named(option):
    with pytest.raises(StartupError, match=r"give NAME=VALUE with one of chunk_seconds, s3_bu"):
        parse_parameters([option], frozenset(("s3_buckets", "chunk_seconds")))


def test_the_backend_consists_of_links_and_needs_no_exec(tmp_path):
    triton = wheel.find_wheel()
    wheel.make_backend_folder(triton, tmp_path / "backends")
    parts = list((tmp_path / "backends/python").iterdir())
    assert all(part.is_symlink() and part.is_file() for part in parts)
    assert triton.stub in [part.resolve() for part in parts]
