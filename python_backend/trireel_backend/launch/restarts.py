# SPDX-License-Identifier: Apache-2.0
"""Keep a server running: start Triton again if it ended by itself, a bounded number of times."""

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from trireel_backend.errors import CanaryFailed, NotReady
from trireel_backend.launch.kept_logs import keep_log, log_kept_if_failed
from trireel_backend.launch.server import Launch, RunningServer, running_server, watch

RESTARTS = 5
RESTART_WINDOW_SECONDS = 600.0
FIRST_PAUSE_SECONDS = 0.5
MOST_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class RestartPolicy:
    """How often Triton may be started again."""

    restarts: int = RESTARTS
    """Number of restarts within `window_seconds`; 0 for none."""
    window_seconds: float = RESTART_WINDOW_SECONDS
    """Seconds after which a restart no longer counts."""
    first_pause_seconds: float = FIRST_PAUSE_SECONDS
    """Seconds before the first restart of a window; each next pause is twice as long, up to 2 s."""


def keep_serving(
    launch: Launch,
    report_ready: Callable[[RunningServer], None],
    each_time: Callable[[RunningServer], None] = lambda _: None,
    policy: RestartPolicy | None = None,
) -> NoReturn:
    """Run a server; if it ends by itself, tell why, keep its log and start it again.

    Args:
        report_ready: called whenever the server is ready.
        each_time: called between two checks of the running server.
        policy: None for the default.

    Raises:
        StartupError: if the first start fails.
        NotReady: if the server ended by itself more often than the policy allows.
    """
    policy = policy or RestartPolicy()
    with log_kept_if_failed(launch.log):
        reason = _serve_once(launch, report_ready, each_time)
    restarts: deque[float] = deque()
    while True:
        log = _log_advice(launch.log)
        while restarts and time.monotonic() - restarts[0] > policy.window_seconds:
            restarts.popleft()
        if len(restarts) >= policy.restarts:
            raise NotReady(f"{reason}, after {len(restarts)} restarts; {log}")
        pause_seconds = min(policy.first_pause_seconds * 2 ** len(restarts), MOST_PAUSE_SECONDS)
        restarts.append(time.monotonic())
        print(
            f"Trireel: {reason}; it starts again in {pause_seconds:g} s (restart {len(restarts)} of"
            f" {policy.restarts} within {policy.window_seconds:g} s); {log}",
            file=sys.stderr,
            flush=True,
        )
        time.sleep(pause_seconds)
        try:
            reason = _serve_once(launch, report_ready, each_time)
        except (NotReady, CanaryFailed) as error:
            reason = str(error)


def _serve_once(
    launch: Launch,
    report_ready: Callable[[RunningServer], None],
    each_time: Callable[[RunningServer], None],
) -> str:
    """Run a server until it ends by itself; return a sentence that says how."""
    # A server that was killed leaves regions, and a stop that it did not ask for closed admission.
    launch.run.remove_regions()
    launch.admission.open()
    with running_server(launch) as server:
        report_ready(server)
        try:
            watch(server, lambda: each_time(server))
        except NotReady as ended:
            return str(ended)


def _log_advice(log: Path | None) -> str:
    if log is None:
        return "its log, above, says more"
    try:
        return f"its log is kept in {keep_log(log)}"
    except OSError as error:
        return f"its log could not be kept: {error}"
