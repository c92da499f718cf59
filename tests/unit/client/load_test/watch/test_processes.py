# SPDX-License-Identifier: Apache-2.0
"""What processes use, on real ones."""

import math
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest

from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch
from trireel_client.load_test.watch.processes import (
    ServerProcesses,
    cpus_allowed,
    listening_process,
    machine,
    quota_cpus,
)

# A parent whose child uses the CPU for a while and has 64 MiB.
PARENT = """
import subprocess, sys
CHILD = '''
import sys, time
memory = bytearray(64 * 2**20)
while time.process_time() < 0.5: pass
print("done", flush=True)
sys.stdin.read()
'''
subprocess.run([sys.executable, "-c", CHILD])
print("over", flush=True)
sys.stdin.read()
"""


def test_children_count_and_stay_counted_when_they_have_ended():
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        watched = ServerProcesses(process.pid)
        assert process.stdout.readline() == "done\n"
        use = watched.use()
        assert 0.4 < use.cpu_seconds < 2.0
        assert use.memory_bytes > 64 * 2**20
        process.stdin.close()
        assert process.stdout.readline() == "over\n"
        time.sleep(0.1)
        later = watched.use()
        assert later.cpu_seconds >= use.cpu_seconds
        assert later.memory_bytes < use.memory_bytes
    assert watched.use().memory_bytes == 0


def test_a_process_that_is_not_there_is_told():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with pytest.raises(NothingToWatch, match=f"process {process.pid} cannot be watched"):
        ServerProcesses(process.pid)


def test_whoever_listens_is_found_on_this_machine_alone():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert listening_process(Address("127.0.0.1", port)) == os.getpid()
        assert listening_process(Address("192.0.2.1", port)) is None
    assert listening_process(Address("127.0.0.1", port)) is None


def test_a_process_may_have_the_cpus_of_its_affinity():
    here = os.sched_getaffinity(0)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        child = psutil.Process(process.pid)
        assert 0 < cpus_allowed(child) <= len(here)
        child.cpu_affinity([min(here)])
        assert 0 < cpus_allowed(child) <= 1
        assert ServerProcesses(process.pid).use().cpus_allowed == cpus_allowed(child)


@pytest.mark.parametrize(
    ("groups", "cpus"),
    [
        ("0::/\n", math.inf),
        ("0::/pod\n", 2.0),
        ("12:cpu,cpuacct:/other\n0::/pod/container\n", 1.5),
        ("0::/pod/container/inner\n", 1.5),
        ("0::/pod/container/removed\n", 1.5),
        ("0::/../other\n", math.inf),  # of another container
        ("4:cpu,cpuacct:/pod\n", math.inf),
        ("", math.inf),
    ],
)
def test_the_lowest_quota_on_the_way_to_a_control_group_counts(tmp_path, groups, cpus):
    root = tmp_path / "cgroup"
    (root / "pod/container/inner").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (root / "pod/cpu.max").write_text("200000 100000\n")
    (root / "pod/container/cpu.max").write_text("150000 100000\n")
    (root / "pod/container/inner/cpu.max").write_text("max 100000\n")
    (tmp_path / "other/cpu.max").write_text("50000 100000\n")
    assert quota_cpus(groups, root) == cpus


def test_a_machine_s_time_is_all_its_cpus():
    before = machine()
    began = time.perf_counter()
    time.sleep(0.5)
    after, seconds = machine(), time.perf_counter() - began
    total = after.total_seconds - before.total_seconds
    assert total == pytest.approx(after.cpus * seconds, rel=0.3)
    assert 0 <= after.busy_seconds - before.busy_seconds <= total
