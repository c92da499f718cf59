# SPDX-License-Identifier: Apache-2.0
"""What a load test raises on purpose, beside the client's own errors.

TrireelError
└── LoadTestError        nothing was measured
    ├── InvalidPlan      an option's value cannot be used: change it
    ├── MissingExtra     packages of the extra `load-test` are not installed
    └── NothingToWatch   metrics or a process that were asked for are not there
"""

from trireel_client._errors import TrireelError


class LoadTestError(TrireelError):
    """Nothing was measured; the message says why."""


class InvalidPlan(LoadTestError):
    """A value of the test's options cannot be used."""


class MissingExtra(LoadTestError):
    """A package that only load tests need is not installed."""


class NothingToWatch(LoadTestError):
    """The metrics or the process that were asked for cannot be had."""
