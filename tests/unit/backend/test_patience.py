# SPDX-License-Identifier: Apache-2.0
import time

import pytest

from trireel_backend.errors import Full, InvalidInput, Unavailable
from trireel_backend.patience import patient


class Model:
    """Answers after so many refusals."""

    def __init__(self, *refusals):
        self.refusals = list(refusals)
        self.asked = []

    async def call(self, name, *, turn=None):
        self.asked.append((name, turn))
        if self.refusals:
            raise self.refusals.pop(0)
        return f"answer of {name}"


async def test_a_full_queue_is_asked_again_until_it_has_room():
    model = Model(*[Full("Exceeds maximum queue size")] * 5)
    assert await patient(model.call)("frame_extractor", turn=7) == "answer of frame_extractor"
    assert model.asked == [("frame_extractor", 7)] * 6


@pytest.mark.parametrize("error", [Unavailable("the spool is full"), InvalidInput("no video")])
async def test_nothing_else_is_asked_again(error):
    model = Model(error)
    with pytest.raises(type(error), match=str(error)):
        await patient(model.call)("frame_extractor")
    assert len(model.asked) == 1


async def test_patience_has_an_end():
    model = Model(*[Full("Exceeds maximum queue size")] * 1000)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"full for 0\.2 s: ask again later.*maximum queue") as it:
        await patient(model.call, seconds=0.2)("frame_extractor")
    assert time.monotonic() - began < 1
    assert not isinstance(it.value, Full)  # nor will whoever called ask again
    assert len(model.asked) > 2
