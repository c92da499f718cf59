# SPDX-License-Identifier: Apache-2.0
"""Values of a request become plain Python, or the request is refused."""

import numpy as np
import pytest

from trireel_backend.errors import InvalidInput
from trireel_backend.wire.request import Request


def request_of(**arrays):
    return Request({name: np.asarray(value) for name, value in arrays.items()}.get)


def test_values_come_as_plain_python():
    request = request_of(N=np.array([3], np.int32), F=[0.5], T=np.array([b"text"], object))
    assert request.number("N", int) == 3
    assert request.number("F", float) == 0.5
    assert request.text("T") == "text"
    assert request.texts("T") == ("text",)
    assert request.data("T") == b"text"


def test_what_is_not_there_is_none():
    request = request_of()
    assert request.number("N", int) is None
    assert request.text("T") is None
    assert request.texts("T") is None
    with pytest.raises(InvalidInput, match="the request lacks X"):
        request.required("X")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "T holds 0 texts: send 1 to 1000"),
        ([b"a"] * 1001, "T holds 1001 texts"),
        ([b"a", b" "], r"T\[1\] is blank"),
        ([b"a" * 2001], r"T\[0\] has 2001 characters"),
        ([b"\xff"], "T is not UTF-8 text"),
    ],
)
def test_texts_that_cannot_be_used_are_refused(values, message):
    with pytest.raises(InvalidInput, match=message):
        request_of(T=np.array(values, object)).texts("T")
