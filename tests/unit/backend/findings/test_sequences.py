# SPDX-License-Identifier: Apache-2.0
"""The states of video sequences: kept by correlation id, and released when they are idle."""

import time

import pytest

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.sequences import SequenceStore


class Clock:
    now_seconds = 0.0

    def __call__(self):
        return self.now_seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return SequenceStore(list, idle_seconds=10, clock=clock)


@pytest.mark.parametrize("correlation_id", [7, "a-video"])
def test_a_state_is_kept_from_start_to_end(store, correlation_id):
    assert store.take(correlation_id, start=True, end=False) == []
    store.put(correlation_id, ["one"])
    assert store.take(correlation_id, start=False, end=False) == ["one"]
    assert store.take(correlation_id, start=False, end=True) == ["one"]
    assert len(store) == 0


def test_the_sizes_of_the_states_add_up(store, clock):
    for name, size_bytes in (("a", 5), ("b", 70), ("c", 900), ("a", 6)):
        store.put(name, [name], size_bytes)
    assert store.total_bytes == 976
    store.take("a", start=False, end=False)
    assert store.total_bytes == 976
    store.take("a", start=True, end=False)
    store.take("b", start=False, end=True)
    assert store.total_bytes == 900
    clock.now_seconds = 11
    store.forget_idle()
    assert store.total_bytes == 0


def test_an_integer_and_its_text_are_two_videos(store):
    store.put(7, ["integer"])
    store.put("7", ["text"])
    assert store.take(7, start=False, end=False) == ["integer"]


def test_start_drops_what_was_kept(store):
    store.put("v", ["old"])
    assert store.take("v", start=True, end=False) == []
    with pytest.raises(InvalidInput, match="'v' is not open"):
        store.take("v", start=False, end=False)


def test_unknown_ids_are_refused(store):
    with pytest.raises(InvalidInput, match="'v' is not open: send START"):
        store.take("v", start=False, end=False)


def test_idle_states_are_forgotten_and_touched_ones_kept(store, clock):
    store.put("idle", ["a"])
    clock.now_seconds = 6
    store.put("touched", ["b"])
    clock.now_seconds = 11
    assert store.take("touched", start=False, end=False) == ["b"]
    assert len(store) == 1
    with pytest.raises(InvalidInput, match="after 10 s without"):
        store.take("idle", start=False, end=False)


def test_a_touch_moves_a_state_behind_the_others(store, clock):
    store.put("first", ["a"])
    store.put("second", ["b"])
    clock.now_seconds = 6
    store.put("first", ["c"])
    clock.now_seconds = 12
    assert store.take("first", start=False, end=False) == ["c"]
    assert len(store) == 1


def test_a_step_costs_as_much_beside_many_as_alone(store):
    """Not a look at each: a list of 10,000 made for every step took 0.3 ms of it."""
    for identity in range(10_000):
        store.put(identity, [identity])
    began = time.process_time()
    for identity in range(10_000):
        assert store.take(identity, start=False, end=False) == [identity]
        store.put(identity, [identity])
    assert time.process_time() - began < 0.5


def test_many_that_are_idle_go_at_once_and_are_counted(clock):
    forgotten = []
    store = SequenceStore(list, idle_seconds=10, clock=clock, expired=forgotten.append)
    for identity in range(10_000):
        clock.now_seconds = identity / 1000
        store.put(identity, [])
    clock.now_seconds = 15
    store.forget_idle()
    assert forgotten == [5_000]
    assert 4_999 not in store
    assert 5_000 in store
