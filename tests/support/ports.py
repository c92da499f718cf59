# SPDX-License-Identifier: Apache-2.0
"""Ports for servers that are started in a moment, while other tests start theirs."""

import itertools
import os
import random
import socket

from trireel_backend.launch.ports import LOOPBACK, Ports

FIRST_PORT, PORTS_PER_WORKER, WORKERS = 16_000, 1_000, 16  # below those the system gives away
INDEX = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
BEGIN = FIRST_PORT + INDEX % WORKERS * PORTS_PER_WORKER
PORTS = range(BEGIN, BEGIN + PORTS_PER_WORKER)
# From anywhere in it, as the tests of another checkout may run on this machine.
_candidates = itertools.islice(itertools.cycle(PORTS), random.randrange(PORTS_PER_WORKER), None)


def free_ports() -> Ports:
    """Return ports of loopback that nobody listens on, nor is told of in another worker."""
    return Ports(*(next(port for port in _candidates if _is_free(port)) for _ in range(3)))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
