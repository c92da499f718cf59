# SPDX-License-Identifier: Apache-2.0
"""Connections to several servers of one checkpoint: one is used until it is lost, then the next."""

from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from typing import Any, Generic, Protocol, TypeVar

from trireel_client._calls import Infer, ServerCall
from trireel_client._errors import SequenceLost, ServerUnavailable
from trireel_client._options import Tensors
from trireel_client._transports.wire import Transport


class AsyncTransport(Protocol):
    """A connection to a server, for event loops."""

    async def answer(self, call: ServerCall) -> Any:
        """Make a call and return its answer; raises TrireelError."""

    def stream(self, call: Infer, within_seconds: float) -> AsyncGenerator[Tensors, None]:
        """Run a model that answers many times; closing early cancels the request."""

    async def close(self) -> None:
        """Close the connections."""


One = TypeVar("One", Transport, AsyncTransport)


class _InTurn(Generic[One]):
    """The connections, and which of them is used."""

    def __init__(self, transports: Sequence[One]) -> None:
        self.transports: Sequence[One] = transports
        self._current = 0

    @contextmanager
    def current(self) -> Iterator[One]:
        """Give the connection to use; leave it for the next one if its server is lost.

        The error is raised all the same: only the caller knows whether to send the request again.
        A server that does not know a sequence is there, so it is not left.
        """
        used = self._current
        try:
            yield self.transports[used]
        except SequenceLost:
            raise
        except ServerUnavailable:
            if self._current == used:  # otherwise another request has left it
                self._current = (used + 1) % len(self.transports)
            raise


class SeveralTransports:
    """Blocking connections to several servers."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        self._in_turn = _InTurn[Transport](transports)
        self._first = transports[0]
        self.streams = all(transport.streams for transport in transports)

    def answer(self, call: ServerCall) -> Any:
        """Make a call and return its answer; raises TrireelError."""
        with self._in_turn.current() as transport:
            return transport.answer(call)

    def one_stream(self) -> AbstractContextManager[None]:
        """Reject other callers' streams in the meantime; raises ClientBusy."""
        return self._first.one_stream()

    def stream(self, call: Infer, within_seconds: float) -> Generator[Tensors, None, None]:
        """Run a model that answers many times; closing early cancels the request."""
        with self._in_turn.current() as transport:
            yield from transport.stream(call, within_seconds)

    def close(self) -> None:
        """Close all connections."""
        for transport in self._in_turn.transports:
            transport.close()


class AsyncSeveralTransports:
    """Connections to several servers, for event loops."""

    def __init__(self, transports: Sequence[AsyncTransport]) -> None:
        self._in_turn = _InTurn[AsyncTransport](transports)

    async def answer(self, call: ServerCall) -> Any:
        """Make a call and return its answer; raises TrireelError."""
        with self._in_turn.current() as transport:
            return await transport.answer(call)

    async def stream(self, call: Infer, within_seconds: float) -> AsyncGenerator[Tensors, None]:
        """Run a model that answers many times; closing early cancels the request."""
        with self._in_turn.current() as transport:
            async with aclosing(transport.stream(call, within_seconds)) as answers:
                async for answer in answers:
                    yield answer

    async def close(self) -> None:
        """Close all connections."""
        for transport in self._in_turn.transports:
            await transport.close()
