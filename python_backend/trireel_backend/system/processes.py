# SPDX-License-Identifier: Apache-2.0
"""Processes that must not outlive the one that started them."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def end_with_parent(number: signal.Signals) -> None:
    """Let the kernel send a signal to this process when its parent, or that thread of it, ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
