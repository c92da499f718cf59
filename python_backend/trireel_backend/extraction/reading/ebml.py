# SPDX-License-Identifier: Apache-2.0
"""Elements of a Matroska or WebM file (RFC 8794), as far as they lie in its first bytes."""

from collections.abc import Iterator

LONGEST_ID_BYTES, LONGEST_SIZE_BYTES = 4, 8


def elements(data: bytes, wanted: int) -> Iterator[bytes]:
    """Yield what the elements of an identifier hold, of those side by side in `data`.

    The last one may be cut off; one of unknown size holds all that follows.
    """
    at = 0
    while at < len(data):
        id_bytes = _length(data[at])
        size_at = at + id_bytes
        if id_bytes > LONGEST_ID_BYTES or size_at >= len(data):
            return
        size_bytes = _length(data[size_at])
        if size_bytes > LONGEST_SIZE_BYTES:
            return
        begin = size_at + size_bytes
        unknown = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(data[size_at:begin]) & unknown
        end = len(data) if size == unknown else begin + size
        if int.from_bytes(data[at:size_at]) == wanted:
            yield data[begin:end]
        at = end


def first_number(data: bytes, wanted: int, default: int) -> int:
    """Return the number in the first element of an identifier."""
    return next((int.from_bytes(value) for value in elements(data, wanted)), default)


def _length(first: int) -> int:
    """Return how many bytes a number takes, by the zeros that its first byte begins with."""
    return 9 - first.bit_length()
