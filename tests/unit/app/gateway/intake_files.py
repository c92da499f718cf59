# SPDX-License-Identifier: Apache-2.0
"""Files for tests of uploads."""

import random

HEAD = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"


def film(size_bytes: int = 100_000, seed: int = 1) -> bytes:
    """Return bytes that begin as MP4 does; the rest is noise."""
    return HEAD + random.Random(seed).randbytes(size_bytes - len(HEAD))
