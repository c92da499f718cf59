# SPDX-License-Identifier: Apache-2.0
"""The errors that this package raises; each has the exit status of a command that it ends.

AppError
├── InvalidOption      an option, a file of options or a source cannot be used: change it
├── LibraryError       the library or the database cannot be read or written
├── NoSession          a chat has no such session: begin another
└── SessionSpent       a session of a chat has used up its tokens: begin another
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


class NoSession(AppError):
    """A chat has no session of this id, or it is another owner's."""


class SessionSpent(AppError):
    """A session of a chat has used up its tokens."""
