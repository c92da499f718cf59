# SPDX-License-Identifier: Apache-2.0
"""The command `trireel app`: server, worker and gateway on one machine, with one address."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.options import Urls
from trireel_app.commands.run import termination_as_interrupt
from trireel_app.commands.supervise import Part, PartLost, Supervisor
from trireel_app.errors import AppError, InvalidOption

DEFAULT_PORT = 8080
LOOPBACK = "127.0.0.1"
READY_SECONDS = 300.0
LOOK_SECONDS = 0.2
OWNER = "me"
SERVER = "trireel-serve"


class NotStarted(AppError):
    """A part did not become ready."""


@dataclass(frozen=True)
class Place:
    """The folder of all files."""

    folder: Path

    @property
    def videos(self) -> Path:
        """Folder of uploaded videos, which the server reads."""
        return self.folder / "videos"

    @property
    def library(self) -> Path:
        """Folder of the results."""
        return self.folder / "library"

    @property
    def database(self) -> Path:
        """Database of jobs, keys and events."""
        return self.folder / "trireel.sqlite"

    @property
    def key(self) -> Path:
        """File of the key, for this user alone."""
        return self.folder / "key"

    def log(self, name: str) -> Path:
        """Return the file of a part's output."""
        return self.folder / "log" / f"{name}.log"


def default_folder() -> Path:
    """Return the folder in this user's home."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(data) / "trireel/app"


def app(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 for any free one.")
    ] = DEFAULT_PORT,
    folder: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder of all files; by default one in your home."),
    ] = None,
    url: Urls = None,
    export: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Output folder of trireel-export to serve."),
    ] = None,
    describe: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="JSON file of the models that describe scenes: docs/describe.md.",
        ),
    ] = None,
    keep_days: Annotated[
        float, typer.Option(min=0, help="Days for which videos are kept; 0 to keep them.")
    ] = 30.0,
) -> None:
    """Start everything on this machine, and print the address of the page; Ctrl-C ends it.

    A server, a worker and a gateway run behind it. With --url, servers that run already are used.
    """
    with errors_as_sentences():
        os.umask(0o077)  # videos, results and logs are for this user alone
        place = Place((folder or default_folder()).resolve())
        with _locked(place), termination_as_interrupt():
            key = _key(place)
            served = _served(export, describe)
            parts, address = _parts(place, port, tuple(url or ()), served, keep_days)
            supervisor = Supervisor(parts, _tell)
            try:
                _start(supervisor, parts, address)
                typer.echo(f"{address}/#key={key}")
                _tell(f"files: {place.folder}; end with Ctrl-C")
                while True:
                    supervisor.look()
                    time.sleep(LOOK_SECONDS)
            except KeyboardInterrupt:
                _tell("ends")
            except PartLost as error:
                raise NotStarted(str(error)) from error
            finally:
                supervisor.stop()


def _parts(
    place: Place, port: int, urls: tuple[str, ...], served: list[object], keep_days: float
) -> tuple[list[Part], str]:
    """Return the parts in the order of their start, and the address of the page.

    Args:
        served: options of the server about its models.
    """
    parts: list[Part] = []
    if not urls:
        http, grpc, metrics = _free_ports(3)
        urls = (f"{LOOPBACK}:{grpc}",)
        ports = ["--http-port", http, "--grpc-port", grpc, "--metrics-port", metrics]
        command = [_server(), *ports, "--media", place.videos, "--stop-seconds", 5]
        command += ["--log", place.log("triton"), *served]
        parts.append(_part(place, "server", command, 30.0))
    servers = [word for url in urls for word in ("--url", url)]
    trireel = [sys.executable, "-m", "trireel_client"]
    shared = [*servers, "--database", place.database]
    worker = [*trireel, "worker", *shared, "--drain-seconds", 5, "--wait-seconds", 900]
    parts.append(_part(place, "worker", worker, 20.0))
    port = port or _free_ports(1)[0]
    gateway = [*trireel, "gateway", *shared, "--port", port, "--library", place.library]
    gateway += ["--uploads", place.videos, "--keep-days", keep_days]
    gateway += ["--audit-file", place.folder / "log/audit.jsonl"]
    parts.append(_part(place, "gateway", gateway, 15.0))
    return parts, f"http://{LOOPBACK}:{port}"


def _served(export: Path | None, describe: Path | None) -> list[object]:
    """Return the server's options for the models that it serves."""
    files = {"--export": export, "--describe": describe}
    return [word for option, path in files.items() if path is not None for word in (option, path)]


def _part(place: Place, name: str, command: list[object], stop_seconds: float) -> Part:
    return Part(name, [str(word) for word in command], place.log(name), stop_seconds)


def _start(supervisor: Supervisor, parts: list[Part], address: str) -> None:
    """Start the parts, and wait until they work; raises NotStarted."""
    from trireel_client import TrireelClient

    gateway, server = parts[-1], parts[0]
    _tell("starts")
    for part in parts:
        supervisor.start(part)
    _wait(supervisor, gateway, lambda: _answers(f"{address}/readyz"))
    if server.name == "server":
        grpc = server.command[server.command.index("--grpc-port") + 1]
        with TrireelClient(f"{LOOPBACK}:{grpc}") as client:
            _wait(supervisor, server, lambda: client.is_ready("video_analysis"))


def _wait(supervisor: Supervisor, part: Part, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        if part.process is not None and part.process.poll() is not None:
            lines = part.log.read_text(errors="replace").splitlines()[-3:]
            raise NotStarted(f"the {part.name} has ended: {' | '.join(lines)}")
        if time.monotonic() > deadline:
            raise NotStarted(f"the {part.name} is not ready after {READY_SECONDS:g} s: {part.log}")
        supervisor.look()
        time.sleep(LOOK_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _key(place: Place) -> str:
    """Return the key of this folder's owner; it is made once, so that a bookmark stays good."""
    from trireel_app.engine.database import open_database
    from trireel_app.gateway.access.keys import SCOPES, KeyStore
    from trireel_app.jobs.store import JobStore

    database = open_database(str(place.database))
    JobStore(database)  # makes the tables
    keys = KeyStore(database)
    try:
        kept = place.key.read_text().strip() if place.key.exists() else ""
        if kept and keys.access_of(kept) is not None:
            return kept
        key = keys.create(OWNER, SCOPES, note="trireel app")
        descriptor = os.open(place.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key)
        return key
    finally:
        database.dispose()


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    """Be the one app of a folder; raises InvalidOption, OSError."""
    for folder in (place.folder, place.videos, place.folder / "log"):
        folder.mkdir(parents=True, exist_ok=True)
    with (place.folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidOption(
                f"an app with the folder {str(place.folder)!r} runs already: end it, or give"
                " another --folder"
            ) from error
        yield


def _server() -> str:
    """Return the path of the server's command; raises InvalidOption."""
    beside = Path(sys.executable).parent / SERVER
    found = str(beside) if beside.exists() else shutil.which(SERVER)
    if found is None:
        raise InvalidOption("there is no trireel-serve here: use scripts/app, or give --url")
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _tell(text: str) -> None:
    typer.echo(f"trireel app: {text}", err=True)
