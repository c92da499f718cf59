# SPDX-License-Identifier: Apache-2.0
"""Child processes that are started, started again a bounded number of times, and ended in order."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MOST_RESTARTS = 5
WITHIN_SECONDS = 600.0
FIRST_PAUSE_SECONDS = 1.0
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class PartLost(Exception):
    """A part has ended so often that it is not started again."""


@dataclass
class Part:
    """One child process."""

    name: str
    """Name for people."""
    command: Sequence[str]
    """Command with its arguments."""
    log: Path
    """File of its output."""
    stop_seconds: float
    """Seconds that it has to end after SIGTERM."""
    process: subprocess.Popen[bytes] | None = None
    """The process; None before the first start."""
    deaths: list[float] = field(default_factory=list)
    """Times on the monotonic clock at which it ended unasked, of the last ten minutes."""
    starts_at: float = 0.0
    """Time before which it is not started again."""

    def start(self) -> None:
        """Start the process; raises OSError."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C ends the parts in their order
                preexec_fn=_end_with_parent,
            )

    @property
    def is_running(self) -> bool:
        """True while the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds: float | None = None) -> None:
        """End the process and its children, by force after some seconds."""
        if self.process is None:
            return
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(self.stop_seconds if seconds is None else seconds)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Parts that run together; they are started in their order, and ended in the reverse."""

    def __init__(self, parts: Sequence[Part], tell: Callable[[str], None]) -> None:
        self._parts = parts
        self._tell = tell

    def start(self, part: Part) -> None:
        """Start a part for the first time; raises OSError."""
        part.start()

    def look(self) -> None:
        """Start parts again that have ended; raises PartLost, OSError."""
        now = time.monotonic()
        for part in self._parts:
            if part.process is None or part.is_running:
                continue
            if not part.starts_at:
                part.deaths = [at for at in part.deaths if now - at < WITHIN_SECONDS] + [now]
                if len(part.deaths) > MOST_RESTARTS:
                    raise PartLost(f"{part.name} has ended {len(part.deaths)} times: {part.log}")
                pause_seconds = FIRST_PAUSE_SECONDS * 2 ** (len(part.deaths) - 1)
                part.starts_at = now + pause_seconds
                status = part.process.returncode
                self._tell(f"{part.name} has ended ({status}) and is started again")
            elif now >= part.starts_at:
                part.starts_at = 0.0
                part.stop(0)  # what its children have left
                part.start()

    def stop(self) -> None:
        """End all parts; a second Ctrl-C meanwhile ends them by force."""
        seconds: float | None = None
        for part in reversed(self._parts):
            try:
                part.stop(seconds)
            except KeyboardInterrupt:
                seconds = 0.0
                part.stop(seconds)


def _end_with_parent() -> None:
    """Let a child get SIGTERM when its parent is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
