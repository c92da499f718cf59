# SPDX-License-Identifier: Apache-2.0
"""How many CPUs and how much memory there are for a process, and who goes by it."""

import os
from pathlib import Path

import pytest

from trireel_backend.system.resources import available_cpus, available_memory_bytes
from trireel_backend.towers import sessions as tower_sessions
from trireel_backend.towers.sessions import CPU_PROVIDER, load_session
from trireel_backend.towers.settings import TowerSettings

TOWER = Path(__file__).parents[4] / "export/tiny/model/text.onnx"


@pytest.mark.parametrize(
    ("cpu_max", "cpus"),
    [("max 100000", 8), ("150000 100000", 2), ("10000 100000", 1), ("6400000 100000", 8), ("", 8)],
)
def test_a_containers_quota_counts(tmp_path, monkeypatch, cpu_max, cpus):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "cpu.max").write_text(cpu_max)
    assert available_cpus(tmp_path) == cpus


def test_without_control_groups_the_affinity_counts(tmp_path):
    assert available_cpus(tmp_path) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("memory_max", "limit_bytes"), [("max\n", None), ("17179869184\n", 16 * 2**30), ("", None)]
)
def test_a_containers_memory_is_known_where_it_is_bounded(tmp_path, memory_max, limit_bytes):
    assert available_memory_bytes(tmp_path) is None
    (tmp_path / "memory.max").write_text(memory_max)
    assert available_memory_bytes(tmp_path) == limit_bytes


@pytest.mark.parametrize(("threads", "lanes"), [(0, 3), (2, 2)])
def test_a_tower_whose_threads_nobody_says_takes_what_there_is(monkeypatch, threads, lanes):
    monkeypatch.setattr(tower_sessions, "available_cpus", lambda: 3)
    assert load_session(TOWER, TowerSettings(threads, CPU_PROVIDER)).lanes == lanes
