# SPDX-License-Identifier: Apache-2.0
"""Turn a signal into an orderly end of the process."""

import signal
from types import FrameType


class Stopped(SystemExit):
    """The operator wants this process to stop, whatever it is doing."""


def unwind_on_signals(status: int = 0) -> None:
    """Make the first SIGTERM, SIGINT or SIGHUP unwind the stack, so that contexts clean up.

    The kernel delivers a signal to PID 1 of a container only if the process has set a handler.

    Args:
        status: exit status of the process; other than 0 if its work is not finished.
    """
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def unwind(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # a second signal must not interrupt the clean-up
            signal.signal(number, signal.SIG_IGN)
        raise Stopped(status)

    for number in numbers:
        signal.signal(number, unwind)
