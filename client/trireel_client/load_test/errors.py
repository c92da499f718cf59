# SPDX-License-Identifier: Apache-2.0
"""The errors of a load test, beside the client's own.

TrireelError
└── LoadTestError        nothing was measured
    ├── InvalidPlan      the value of an option cannot be used: change it
    ├── MissingExtra     packages of the extra `load-test` are not installed
    └── NothingToWatch   the metrics or the process to watch are not there
"""

from trireel_client._errors import TrireelError


class LoadTestError(TrireelError):
    """Nothing was measured; the message says why."""


class InvalidPlan(LoadTestError):
    """A value of the test's options cannot be used."""


class MissingExtra(LoadTestError):
    """A package that only load tests need is not installed."""


class NothingToWatch(LoadTestError):
    """The metrics or the process to watch cannot be read."""
