# SPDX-License-Identifier: Apache-2.0
"""What a load test is shown on, where nobody snapshots."""


class Quiet:
    """Shows nothing."""

    def begin(self, load, level):
        pass

    def refresh(self):
        pass

    def end(self, summary):
        pass
