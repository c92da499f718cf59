# SPDX-License-Identifier: Apache-2.0
"""Envoy as it is deployed, before servers that answer by a script."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.balancing import Balancer, balancer
from unit.client.loopback import SERVERS
from unit.client.scripted import Script, plan, stepped_chunk, stream_of, whole_video

from trireel_backend.launch.ports import Ports
from trireel_client import ServerPath, TrireelClient

VIDEO = ServerPath("a.mp4")
HELD_SECONDS = 20.0


@dataclass
class Scripted:
    """A server of both protocols that answers by a script."""

    ports: Ports
    script: Script = field(repr=False)

    def asked(self, *models: str) -> int:
        return sum(asked.model in models for asked in self.script.asked)

    def hold(self) -> None:
        """Answer for whole videos only once the script is told to go on."""

        def held(asked):
            self.script.go_on.wait(HELD_SECONDS)
            return whole_video()

        self.script.answers["video_analysis"] = held


@contextmanager
def scripted_servers(count: int) -> Iterator[list[Scripted]]:
    with ExitStack() as stack:
        servers = []
        for _ in range(count):
            script = Script()
            script.answers.update(
                video_analysis=lambda asked: whole_video(),
                video_analysis_stream=lambda asked: stream_of(),
                frame_extractor=lambda asked: plan(),
                video_chunk=stepped_chunk,
            )
            urls = [stack.enter_context(SERVERS[name](script)) for name in ("http", "grpc")]
            http, grpc = (int(url.rpartition(":")[2]) for url in urls)
            servers.append(Scripted(Ports(http, grpc, 1), script))
        yield servers


@contextmanager
def running(count: int, folder: Path, change=lambda config: None):
    """Run Envoy before some scripted servers."""
    with (
        scripted_servers(count) as servers,
        balancer([server.ports for server in servers], folder, change) as envoy,
    ):
        yield envoy, servers


def num_chunks(envoy: Balancer, protocol: str) -> int:
    """Ask for a whole video and return how many chunks the answer has."""
    with TrireelClient(envoy.url, protocol=protocol) as client:
        return client.analyze(VIDEO).num_chunks
