# SPDX-License-Identifier: Apache-2.0
"""States as JSON and raw arrays: every value comes back bit for bit, and no type is guessed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trireel_backend.findings.codec import Misfit, Reader, Writer, layout, size_bytes
from trireel_backend.findings.registry import FINDINGS, state_types


@dataclass(frozen=True)
class Inner:
    rows: NDArray[np.float32] | None = None
    name: str = ""


@dataclass(frozen=True)
class Everything:
    floats: tuple[float, ...]
    pair: tuple[int, bool]
    inner: Inner
    by_name: Mapping[str, Inner]
    either: int | str | None
    mode: Literal["fast", "exact"]
    pixels: NDArray[np.uint8]


def returned(value, hint):
    writer = Writer()
    tree = json.loads(json.dumps(writer.write(value, hint)))
    reader = Reader(memoryview(b"".join(writer.arrays)))
    read = reader.read(tree, hint)
    reader.end()
    return read


def same(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        return one.tobytes() == other.tobytes()
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, n), getattr(other, n)) for n in one.__dataclass_fields__)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, tuple):
        return all(same(a, b) for a, b in zip(one, other, strict=True))
    return repr(one) == repr(other)  # tells -0.0 from 0.0, and NaN equals itself


@given(
    floats=st.lists(st.floats(), max_size=4).map(tuple),
    number=st.integers(-(2**63), 2**63 - 1),
    text=st.text(),
    shape=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    either=st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=3)),
)
def test_every_value_comes_back_bit_for_bit(floats, number, text, shape, either):
    rng = np.random.default_rng(3)
    rows = np.asfortranarray(rng.normal(size=shape).astype(np.float32))
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    inner = Inner(rows, text)
    value = Everything(
        floats, (number, True), inner, {text: inner, "b": Inner()}, either, "fast", pixels
    )
    read = returned(value, Everything)
    expected = Everything(
        floats, (number, True), inner, type(read.by_name)(value.by_name), either, "fast", pixels
    )
    assert same(expected, read)


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_state_of_every_finding_can_be_written(finding):
    assert layout(state_types()[finding])


@pytest.mark.parametrize("hint", [Any, list[int], NDArray[Any], set, Mapping[str, object]])
def test_a_state_of_another_type_is_rejected_when_the_server_starts(hint):
    with pytest.raises(TypeError):
        layout(hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (np.float32(1.5), float),
        (np.float64(1.5), float),
        (True, int),
        (1, float),
        (np.zeros(2), NDArray[np.float32]),
        ([1.0], tuple[float, ...]),
        ("a", int | None),
        ("slow", Literal["fast", "exact"]),
    ],
)
def test_a_value_that_is_not_exactly_of_its_type_is_not_written(value, hint):
    with pytest.raises(Misfit):
        Writer().write(value, hint)


def test_what_is_read_must_be_one_of_the_allowed_texts():
    assert Reader(memoryview(b"")).read("fast", Literal["fast", "exact"]) == "fast"
    for other in ("slow", 1, None, ["fast"]):
        with pytest.raises(Misfit):
            Reader(memoryview(b"")).read(other, Literal["fast", "exact"])


def test_a_layout_changes_with_any_field_below():
    @dataclass(frozen=True)
    class Outer:
        inner: Inner

    @dataclass(frozen=True)
    class OtherOuter:
        inner: tuple[Inner, ...]

    assert "rows" in layout(Everything)
    assert layout(Inner) != layout(Everything)
    assert "float" in layout(tuple[float, ...])
    assert layout(tuple[float, ...]) != layout(tuple[float])


@pytest.mark.parametrize("shape", [[-1], [2**70], [True], ["2"], [1] * 9, {}, [0, 2**62], [3]])
def test_a_hostile_shape_allocates_nothing(shape):
    with pytest.raises(Misfit):
        Reader(memoryview(bytes(8))).read(shape, NDArray[np.float32])


def test_the_size_of_a_state_is_about_its_memory():
    inner = Inner(np.zeros((100, 10), np.float32), "a" * 1000)
    assert 5000 < size_bytes(inner) < 5500
    assert size_bytes({"a": inner, "b": inner}) > 10000
    texts = np.array([b"a" * 500, b"b" * 500], object)
    assert size_bytes(texts) > 1000
