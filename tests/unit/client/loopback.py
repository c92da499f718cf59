# SPDX-License-Identifier: Apache-2.0
"""A loopback server as a test sees it."""

from dataclasses import dataclass
from pathlib import Path

from unit.client.loopback_grpc import grpc_server
from unit.client.loopback_http import http_server
from unit.client.scripted import Script

from trireel_client import Retry, Timeout, Tls, TrireelClient

SERVERS = {"grpc": grpc_server, "http": http_server}
QUICK = Retry(attempts=3, first_wait_seconds=0.001)


@dataclass
class Loopback:
    """A running loopback server."""

    url: str
    protocol: str
    script: Script
    tls: Tls | None = None
    """How a client talks with it."""

    def client(self, **options) -> TrireelClient:
        """Make a client of it, one that does not wait long."""
        defaults = {"timeout": Timeout(5.0, 10.0), "retries": QUICK, "tls": self.tls}
        return TrireelClient(self.url, protocol=self.protocol, **{**defaults, **options})


def folder_of(path: Path) -> dict[str, str]:
    """Return what a server that reads from a folder of this machine says of it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    status = path.stat()
    return {"media_root_id": f"{boot}:{status.st_dev}:{status.st_ino}"}
