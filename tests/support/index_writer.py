# SPDX-License-Identifier: Apache-2.0
"""A process that puts records into a library, one after another: ROOT FIRST COUNT.

It prints the number of each record that was put. Every fourth record is of one shared video.
"""

import sys

from support.records import record
from trireel_app.index import keeper as keeper_module
from trireel_app.index.keeper import Keeper
from trireel_app.library import Library

SHARED = "/clips/shared.mp4"
SHARED_EVERY = 4
MAINTAINED_EVERY = 5  # so that indexes and merges are among the writes


def uri_of(number: int) -> str:
    """Return the address of the video of a record."""
    return SHARED if number % SHARED_EVERY == 0 else f"/clips/{number}.mp4"


if __name__ == "__main__":
    root, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    keeper_module.MAINTAINED_EVERY = MAINTAINED_EVERY
    keeper = Keeper(Library(root))
    for number in range(first, first + count):
        keeper.put(record(uri_of(number), number))
        print(number, flush=True)
