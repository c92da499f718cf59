# SPDX-License-Identifier: Apache-2.0
"""What tests that run beside each other, in several processes, must not share."""

import pytest
from support.ports import free_ports

from trireel_backend.launch.ports import Ports


@pytest.fixture(scope="session", autouse=True)
def ports_of_its_own():
    """Keep a free port from being taken by another worker before a server listens on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ports, "free", free_ports)
        yield
