# SPDX-License-Identifier: Apache-2.0
"""Answers of `describe`: questions about pictures, by the backends that the operator lists."""

import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trireel_backend.describing.backend import Backend
from trireel_backend.describing.configuration import OPENAI, BackendConfig, load_backends
from trireel_backend.describing.dispatch import Answered, Dispatcher
from trireel_backend.describing.local.process import LocalBackend
from trireel_backend.describing.openai_backend import OpenAIBackend
from trireel_backend.describing.question import read_question
from trireel_backend.errors import Cancelled, Full
from trireel_backend.metrics.family import Family, Kind, Metrics
from trireel_backend.metrics.refusals import REFUSALS, refusals_counted
from trireel_backend.wire.parameters import at_least_one, read_settings
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors, scalar, texts

OUTCOMES = ("answered", "failed", "skipped")
DESCRIBE_BACKENDS = Family(
    "trireel_describe_backends_total",
    "Questions by what became of them at a backend.",
    label="outcome",
    values=OUTCOMES,
)
DESCRIBE_TOKENS = Family("trireel_describe_tokens_total", "Tokens of complete answers.")
DESCRIBE_OPEN = Family("trireel_describe_open", "Questions in flight.", Kind.GAUGE)
DESCRIBE_FAMILIES = (REFUSALS, DESCRIBE_BACKENDS, DESCRIBE_TOKENS, DESCRIBE_OPEN)


@dataclass(frozen=True)
class DescribeSettings:
    """Parameters of the model."""

    backends: str
    """Path of the JSON file that lists the backends."""
    max_requests: int = 64
    """Most questions in flight; a further one is rejected immediately."""


class Describe:
    """Answers questions by the first backend that can."""

    def __init__(self, parameters: Mapping[str, str], metrics: Metrics) -> None:
        """Read the file of backends; raises StartupError if it is not allowed."""
        settings = read_settings(DescribeSettings, parameters)
        self._most = at_least_one("max_requests", settings.max_requests)
        self._configs = load_backends(Path(settings.backends))
        self._metrics = metrics
        self._dispatcher: Dispatcher | None = None
        self._open = 0
        self._lock = threading.Lock()
        self._backends: Sequence[Backend] = [_backend(config) for config in self._configs]

    async def answers(self, request: Request) -> AsyncGenerator[Tensors, None]:
        """Yield each piece of the answer; for another model of this server, the whole answer."""
        with refusals_counted(self._metrics):
            question = read_question(request)
            self._begin()
            try:
                async with aclosing(self._used().answer(question)) as pieces:
                    whole: list[Answered] = []
                    async for piece in pieces:
                        if request.is_cancelled():
                            raise Cancelled("the client has gone away")
                        if piece.piece.finish:
                            self._metrics.add(DESCRIBE_TOKENS, piece.piece.num_tokens)
                        if request.is_inner:
                            whole.append(piece)
                        else:
                            yield _tensors(piece.piece.text, piece)
                    if request.is_inner:
                        yield _tensors("".join(each.piece.text for each in whole), whole[-1])
            finally:
                self._end()

    async def close(self) -> None:
        """End the processes and connections of all backends."""
        if self._dispatcher is not None:
            await self._dispatcher.close()

    def _used(self) -> Dispatcher:
        if self._dispatcher is None:
            self._dispatcher = Dispatcher(self._backends, self._observe)
        return self._dispatcher

    def _observe(self, _name: str, outcome: str) -> None:
        self._metrics.add(DESCRIBE_BACKENDS, value=outcome)

    def _begin(self) -> None:
        with self._lock:
            if self._open >= self._most:
                raise Full(f"describe has {self._open} questions in flight, the most allowed")
            self._open += 1
            self._metrics.set(DESCRIBE_OPEN, self._open)

    def _end(self) -> None:
        with self._lock:
            self._open -= 1
            self._metrics.set(DESCRIBE_OPEN, self._open)


def _backend(config: BackendConfig) -> Backend:
    return OpenAIBackend(config) if config.kind == OPENAI else LocalBackend(config)


def _tensors(text: str, answered: Answered) -> Tensors:
    return {
        "TEXT": texts([text]),
        "BACKEND": texts([answered.backend]),
        "NUM_TOKENS": scalar(answered.piece.num_tokens, np.int32),
        "FINISH": texts([answered.piece.finish]),
    }
