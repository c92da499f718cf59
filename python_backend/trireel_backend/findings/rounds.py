# SPDX-License-Identifier: Apache-2.0
"""Calls of other models for a chunk, and further calls that need their answers."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from trireel_backend.errors import Unavailable
from trireel_backend.findings.chunk import Answers
from trireel_backend.findings.finding import Calls, ModelCall
from trireel_backend.wire.tensors import Tensors


class CallModel(Protocol):
    """Calls a model of this server: `adapter.call_model`."""

    async def __call__(
        self,
        model_name: str,
        inputs: Tensors,
        outputs: Sequence[str],
        *,
        is_decoupled: bool = False,
    ) -> Tensors:
        """Return the outputs by name."""


async def answered(
    calls: Calls, call_model: CallModel, more: Callable[[Answers], Calls]
) -> Answers:
    """Make calls, and then those that need their answers; return all answers by finding.

    Args:
        more: returns the calls that are needed beside those with answers.
    """
    answers: dict[str, Sequence[Tensors]] = {}
    while calls:
        for name, needed in calls.items():
            called = (_called(call, call_model) for call in needed)
            answers[name] = (*answers.get(name, ()), *await asyncio.gather(*called))
        calls = more(answers)
    return answers


async def _called(call: ModelCall, call_model: CallModel) -> Tensors:
    """Return the answer to a call, or what the finding uses if there is none."""
    options = {"is_decoupled": True} if call.is_decoupled else {}
    try:
        return await call_model(call.model, call.inputs, call.outputs, **options)
    except Unavailable:
        if call.otherwise is None:
            raise
        return call.otherwise
