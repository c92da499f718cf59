# SPDX-License-Identifier: Apache-2.0
"""An action repeated in a thread of its own."""

import threading
from collections.abc import Callable


class Every:
    """Calls an action periodically in a thread of its own, until it is closed."""

    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        """Start the thread; the first call comes after `seconds`."""
        self._seconds = seconds
        self._action = action
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="every", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread after a call in flight has finished."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._seconds):
            self._action()
