# SPDX-License-Identifier: Apache-2.0
"""Signals of programs that tests start."""

import signal


def heed_ctrl_c() -> None:
    """Let a new process end by SIGINT: a shell that starts the tests with & has them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
