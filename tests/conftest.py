# SPDX-License-Identifier: Apache-2.0
"""What tests that run beside each other, in several processes, must not share."""

import os

import hypothesis
import pytest
from support.ports import free_ports

from trireel_backend.launch.ports import Ports

# How long an example takes is a property of the machine and what else runs on it.
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")


@pytest.fixture(scope="session", autouse=True)
def ports_of_its_own():
    """Keep a free port from being taken by another worker before a server listens on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ports, "free", free_ports)
        yield


@pytest.fixture(autouse=True)
def ordinary_scheduling():
    """Undo what the AV1 encoder does as root: its thread, and all children, become real-time.

    A real-time process that computes leaves nothing of a CPU to the others.
    """
    yield
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
