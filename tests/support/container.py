# SPDX-License-Identifier: Apache-2.0
"""The container's command, with the wheel's Triton in a folder laid out like the image's."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from trireel_backend.launch.embedded.wheel import (
    find_wheel,
    make_backend_folder,
    server_environment,
)
from trireel_backend.launch.ports import Ports
from trireel_backend.launch.run_folder import FOLDER_PREFIX, SHARED_MEMORY, RunFolder

ROOT = Path(__file__).parents[2]
SERVE = Path(sys.executable).parent / "trireel-serve-container"
HEALTH = Path(sys.executable).parent / "trireel-health"
READY_SECONDS = 90
GONE_SECONDS = 60


def lay_out_triton(folder: Path) -> Path:
    """Make a folder like the image's /opt/tritonserver; return it."""
    wheel = find_wheel()
    (folder / "bin").mkdir()
    (folder / "bin/tritonserver").symlink_to(wheel.server)
    make_backend_folder(wheel, folder / "backends")
    return folder


def environment(
    triton: Path, ports: Ports, folder: Path, media: Path = ROOT / "media", **settings: str
) -> dict[str, str]:
    """Return the environment of a container: options as variables, and where Python is."""
    for name in ("spool", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    return {
        **server_environment(find_wheel()),
        "TMPDIR": str(folder / "tmp"),
        "TRIREEL_TRITON": str(triton),
        "TRIREEL_PROFILE": "embedded",
        "TRIREEL_LISTEN": "127.0.0.1",
        "TRIREEL_HTTP_PORT": str(ports.http),
        "TRIREEL_GRPC_PORT": str(ports.grpc),
        "TRIREEL_METRICS_PORT": str(ports.metrics),
        "TRIREEL_EXPORT": str(ROOT / "export/tiny/model"),
        "TRIREEL_MODELS": str(ROOT / "model_repository"),
        "TRIREEL_MEDIA": str(media),
        "TRIREEL_SPOOL": str(folder / "spool"),
        "TRIREEL_HTTP_MAX_INPUT_MIB": "",  # as Compose hands on what is not set
        **settings,
    }


class Launched:
    """A running `trireel-serve-container`, and what it writes."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", log: Path, ports: Ports, settings: dict[str, str]
    ) -> None:
        self.process, self.ports, self.settings = process, ports, settings
        self._log = log
        self.grpc_url = f"127.0.0.1:{ports.grpc}"
        self.http_url = f"http://127.0.0.1:{ports.http}"

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def run_folder(self) -> RunFolder:
        (folder,) = Path(self.settings["TMPDIR"]).glob(f"{FOLDER_PREFIX}*")
        return RunFolder(folder)

    def members(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def triton(self) -> psutil.Process:
        (triton,) = [member for member in self.members() if member.name() == "tritonserver"]
        return triton

    def wait_for(self, line: str, seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while line not in self.log():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(GONE_SECONDS)

    def health(self, *options: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(part) for part in (HEALTH, *options)],
            env=self.settings,
            capture_output=True,
            text=True,
            timeout=GONE_SECONDS,
        )


@contextmanager
def launched(
    triton: Path, folder: Path, media: Path = ROOT / "media", **settings: str
) -> Iterator[Launched]:
    """Run the command in a folder of its own until it is ready, and stop it afterwards."""
    ports = Ports.free()
    log = folder / "container.log"
    variables = environment(triton, ports, folder, media, **settings)
    with log.open("wb") as output:
        process = subprocess.Popen([SERVE], env=variables, stdout=output, stderr=output)
    server = Launched(process, log, ports, variables)
    try:
        server.wait_for("Trireel is ready")
        yield server
    finally:
        if process.poll() is None:
            server.stop()


def left_over(run: RunFolder) -> list[Path]:
    """Return what a run that has ended left behind."""
    return [*run.path.parent.iterdir(), *SHARED_MEMORY.glob(f"{run.shm_prefix}*")]
