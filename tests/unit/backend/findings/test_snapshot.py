# SPDX-License-Identifier: Apache-2.0
"""States as bytes: one clear sentence for all that cannot be used, in bounded memory."""

import hashlib
import json
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.snapshot import (
    DIGEST_BYTES,
    FORMAT,
    LARGEST_STATE_BYTES,
    LENGTH,
    Checkpoint,
    Snapshots,
)

MINE = Checkpoint("tiny", "a" * 64)


@dataclass(frozen=True)
class Mean:
    rows: NDArray[np.float32]
    weight: float
    names: tuple[str, ...] = ()


TYPES = {"chunks": int, "mean": Mean}
SNAPSHOTS = Snapshots("decoder", MINE, TYPES)
STATE = {"chunks": 3, "mean": Mean(np.arange(6, dtype=np.float32).reshape(2, 3), 0.1)}
PACKED = SNAPSHOTS.pack(STATE)


def sealed(tree, arrays=b""):
    """Return bytes with a right checksum, as somebody who means harm would."""
    head = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    content = LENGTH.pack(len(head)) + head + arrays
    return FORMAT + hashlib.sha256(content).digest() + content


def tree_of(packed):
    content = packed[len(FORMAT) + DIGEST_BYTES :]
    (length,) = LENGTH.unpack(content[: LENGTH.size])
    return json.loads(content[LENGTH.size : LENGTH.size + length])


def refused(packed, snapshots=SNAPSHOTS):
    with pytest.raises(InvalidInput) as raised:
        snapshots.unpack(packed)
    message = str(raised.value)
    assert message.startswith("START_STATE ")
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_a_state_comes_back():
    parts = SNAPSHOTS.unpack(PACKED)
    assert parts["chunks"] == 3
    np.testing.assert_array_equal(parts["mean"].rows, STATE["mean"].rows)
    assert SNAPSHOTS.pack(parts) == PACKED


def test_a_state_may_hold_some_of_the_parts():
    assert SNAPSHOTS.unpack(SNAPSHOTS.pack({"chunks": 1})) == {"chunks": 1}


def test_a_state_that_is_cut_off_anywhere_is_refused():
    for length in range(len(PACKED)):
        assert "not a state" in (text := refused(PACKED[:length])) or "is cut off" in text


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_a_state_with_any_byte_changed_is_refused(position, difference):
    changed = bytearray(PACKED)
    changed[position] ^= difference
    refused(bytes(changed))


@given(st.binary(max_size=200))
def test_bytes_of_anything_are_refused(data):
    refused(data)
    refused(FORMAT + data)
    refused(sealed(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(JSON, JSON, st.binary(max_size=40))
def test_hostile_json_with_a_right_checksum_is_refused(chunks, mean, arrays):
    tree = tree_of(PACKED)
    refused(sealed(mean, arrays))
    refused(sealed({**tree, "layouts": chunks}, arrays))
    refused(sealed({**tree, "checkpoint": chunks}, arrays))
    if type(mean) is not list or len(mean) != 3:
        refused(sealed({**tree, "state": {"chunks": 3, "mean": mean}}, arrays))


@pytest.mark.parametrize(
    "head",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 100_000,
        b"\xff",
        b"",
        b"[" + b"[]," * 10**6 + b"0]",
    ],
    ids=["deep lists", "deep objects", "a long number", "not UTF-8", "nothing", "many lists"],
)
def test_hostile_json_takes_bounded_memory(head):
    packed = sealed(head)
    tracemalloc.start()
    refused(packed)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 100 * 2**20


def test_an_array_larger_than_the_state_is_not_allocated():
    tree = tree_of(PACKED)
    tree["state"]["mean"][0] = [2**40, 2**20]
    assert "is cut off or changed" in refused(sealed(tree))


def test_a_state_that_is_too_large_is_not_read():
    assert f"up to {LARGEST_STATE_BYTES}" in refused(bytes(LARGEST_STATE_BYTES + 1))
    large = {"mean": Mean(np.zeros((5000, 1000), np.float32), 1.0)}
    with pytest.raises(InvalidInput, match="without RETURN_STATE"):
        SNAPSHOTS.pack(large)
    with pytest.raises(InvalidInput, match="without RETURN_STATE"):
        SNAPSHOTS.pack({"mean": Mean(np.zeros((0, 0), np.float32), 1.0, ("a" * 5 * 2**20,))})


def test_a_state_of_another_place_says_which():
    other = Snapshots("decoder", Checkpoint("large", "b" * 64), TYPES).pack(STATE)
    assert "of another checkpoint or bank of texts ('large'): this server has 'tiny'" in (
        refused(other)
    )
    model = Snapshots("detector", MINE, TYPES).pack(STATE)
    assert "of the model 'detector': this is decoder" in refused(model)
    version = PACKED.replace(FORMAT, b"trireel-state 2\n")
    assert "of another version of Trireel" in refused(version)
    changed = Snapshots("decoder", MINE, {**TYPES, "chunks": float}).pack({"chunks": 3.0})
    assert "holds 'chunks' as another version of Trireel does" in refused(changed)
    more = Snapshots("decoder", MINE, {**TYPES, "new": int}).pack({"new": 3})
    assert "holds 'new' as another version" in refused(more)


def test_bytes_left_over_are_refused():
    tree = tree_of(PACKED)
    assert "is cut off or changed" in refused(sealed(tree, bytes(25)))
