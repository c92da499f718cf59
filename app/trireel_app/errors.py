# SPDX-License-Identifier: Apache-2.0
"""The errors that this package raises; each has the exit status of a command that it ends.

AppError
├── InvalidOption      an option, a file of options or a source cannot be used: change it
└── LibraryError       the library or the database cannot be read or written
"""

from typing import ClassVar


class AppError(Exception):
    """Base of all errors of this package; its message is one sentence for a person."""

    exit_status: ClassVar[int] = 1
    """Exit status of a command that ends with this error."""


class InvalidOption(AppError):
    """An option, a file of options or a source cannot be used."""

    exit_status = 2


class LibraryError(AppError):
    """The library or the database cannot be read or written."""
