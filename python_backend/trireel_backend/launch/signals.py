# SPDX-License-Identifier: Apache-2.0
"""From a signal to an orderly end."""

import signal
from types import FrameType


class Stopped(SystemExit):
    """The operator wants this process to stop, whatever it is doing."""


def unwind_on_signals(status: int = 0) -> None:
    """Make the first SIGTERM, SIGINT or SIGHUP unwind the stack, so that everything is undone.

    Args:
        status: with which the process then ends; other than 0 where its work is not done.

    A process that is PID 1 of its container gets no signal that it has not asked for like this.
    """
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def unwind(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # a second one must not interrupt the clean-up
            signal.signal(number, signal.SIG_IGN)
        raise Stopped(status)

    for number in numbers:
        signal.signal(number, unwind)
