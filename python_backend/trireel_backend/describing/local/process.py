# SPDX-License-Identifier: Apache-2.0
"""A model of transformers in a process: started when first needed, ended when idle."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict

from trireel_backend.describing.backend import BackendFailed
from trireel_backend.describing.configuration import BackendConfig
from trireel_backend.describing.local.messages import (
    HEADER,
    Broken,
    WorkerSetup,
    packed,
    question_message,
    sizes,
)
from trireel_backend.describing.question import Piece, Question
from trireel_backend.system.workers import start_worker

WORKER_MODULE = "trireel_backend.describing.local.worker"
PASSED_ON = (
    *("HOME", "HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "TRIREEL_DESCRIBE_THREADS"),
)
"""Environment variables that the process gets: those that transformers loads models by."""
THREADS_VARIABLE = "TRIREEL_DESCRIBE_THREADS"
"""Environment variable: threads of PyTorch in the process, 1 by default as in all models."""
END_SECONDS = 5.0


class LocalBackend:
    """Asks a model in a process of its own; used in one event loop."""

    def __init__(self, config: BackendConfig) -> None:
        """Start nothing yet."""
        self.config = config
        self._worker: _Worker | None = None
        self._starting = asyncio.Lock()
        self._numbers = 0
        self._in_flight = 0
        self._idle: asyncio.TimerHandle | None = None
        self._last_seconds = 0.0

    @property
    def process_id(self) -> int | None:
        """Id of the model's process, None if there is none now."""
        return self._worker.process.pid if self._worker is not None else None

    async def ready(self) -> None:
        """Start the process unless it runs, and wait until its model is loaded."""
        async with self._starting:
            self._last_seconds = time.monotonic()
            self._start_timer()
            if self._worker is not None and self._worker.is_alive:
                return
            await self._end()
            worker = _Worker(self.config)
            try:
                await worker.start()
            except BaseException:
                await worker.end()
                raise
            self._worker = worker
            self._last_seconds = time.monotonic()

    async def pieces(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of an answer; raises BackendFailed."""
        worker = self._worker
        if worker is None:
            raise BackendFailed("is not loaded")
        self._numbers += 1
        number = self._numbers
        self._in_flight += 1
        self._stop_timer()
        try:
            async with contextlib.aclosing(worker.answers(number, question)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._in_flight -= 1
            self._last_seconds = time.monotonic()
            self._start_timer()

    async def close(self) -> None:
        """End the process."""
        self._stop_timer()
        await self._end()

    def _start_timer(self) -> None:
        self._stop_timer()
        if self._in_flight == 0:
            loop = asyncio.get_running_loop()
            # A little later than the time is up, so that it is up for certain.
            self._idle = loop.call_later(self.config.idle_seconds + 0.05, self._begin_unload)

    def _stop_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _begin_unload(self) -> None:
        self._unloading = asyncio.ensure_future(self._unload())  # kept, or it may be collected

    async def _unload(self) -> None:
        async with self._starting:
            idle_seconds = time.monotonic() - self._last_seconds
            if self._in_flight == 0 and idle_seconds >= self.config.idle_seconds:
                await self._end()

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end()


class _Worker:
    """The process, the socket to it, and the questions that it answers."""

    def __init__(self, config: BackendConfig) -> None:
        self._config = config
        self._inboxes: dict[int, asyncio.Queue[dict[str, object] | None]] = {}
        self._loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader: asyncio.Task[None] | None = None
        self.process: subprocess.Popen[bytes]

    @property
    def is_alive(self) -> bool:
        return self._reader is not None and not self._reader.done() and self.process.poll() is None

    async def start(self) -> None:
        """Start the process and wait until its model is loaded; raises BackendFailed."""
        ours, theirs = socket.socketpair()
        config = self._config
        with theirs:
            setup = WorkerSetup(
                socket_fd=theirs.fileno(),
                owner_pid=os.getpid(),
                model=config.model,
                device=config.device,
                dtype=config.dtype,
                bits=config.bits,
                most_batch=config.most_batch,
            )
            self.process = start_worker(
                WORKER_MODULE, json.dumps(asdict(setup)), (setup.socket_fd,), _variables()
            )
        incoming, self._outgoing = await asyncio.open_connection(sock=ours)
        self._reader = asyncio.create_task(self._read(incoming))
        try:
            await asyncio.wait_for(asyncio.shield(self._loaded), config.load_seconds)
        except TimeoutError:
            raise BackendFailed(f"did not load within {config.load_seconds:g} s") from None

    async def answers(self, number: int, question: Question) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of an answer; raises BackendFailed."""
        inbox: asyncio.Queue[dict[str, object] | None] = asyncio.Queue()
        self._inboxes[number] = inbox
        is_complete = False
        try:
            await self._send(question_message(number, question))
            while not is_complete:
                message = await inbox.get() if self.is_alive or inbox.qsize() else None
                if message is None:
                    is_complete = True
                    raise BackendFailed(_how_it_ended(self.process), was_gone=True)
                if "failed" in message:
                    is_complete = True
                    fault = bool(message.get("is_fault"))
                    raise BackendFailed(str(message["failed"]), is_fault=fault)
                piece = _piece(message)
                is_complete = bool(piece.finish)
                yield piece
        finally:
            del self._inboxes[number]
            if not is_complete and self.is_alive:
                self._outgoing.write(packed({"cancel": number}))

    async def _send(self, message: bytes) -> None:
        try:
            self._outgoing.write(message)
            await self._outgoing.drain()
        except OSError as error:
            raise BackendFailed(_how_it_ended(self.process), was_gone=True) from error

    async def _read(self, incoming: asyncio.StreamReader) -> None:
        """Give each message to the question that it belongs to, until the process ends."""
        try:
            while True:
                json_bytes, data_bytes = sizes(await incoming.readexactly(HEADER.size))
                message = json.loads(await incoming.readexactly(json_bytes + data_bytes))
                if "number" in message:
                    inbox = self._inboxes.get(message["number"])
                    if inbox is not None:
                        inbox.put_nowait(message)
                elif not self._loaded.done():
                    self._settle(message)
        except (EOFError, OSError, ValueError, Broken):
            pass
        finally:
            if not self._loaded.done():
                self._loaded.set_exception(BackendFailed(_how_it_ended(self.process)))
            elif not self._loaded.cancelled():
                self._loaded.exception()  # read once, so that asyncio does not report it
            for inbox in self._inboxes.values():
                inbox.put_nowait(None)

    def _settle(self, message: dict[str, object]) -> None:
        if "ready" in message:
            self._loaded.set_result(None)
        else:
            self._loaded.set_exception(BackendFailed(str(message.get("failed"))))

    async def end(self) -> None:
        """End the process, so that all its memory is free."""
        if self._reader is not None:
            self._outgoing.close()
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        self.process.kill()
        end = time.monotonic() + END_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            await asyncio.sleep(0.01)


def _variables() -> dict[str, str]:
    variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    threads = os.environ.get(THREADS_VARIABLE, "1")
    return variables | {
        "OMP_NUM_THREADS": threads,
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def _piece(message: dict[str, object]) -> Piece:
    text, tokens, finish = (message.get(name) for name in ("text", "num_tokens", "finish"))
    if not isinstance(text, str) or type(tokens) is not int or not isinstance(finish, str):
        raise BackendFailed("sent a message of another form")
    return Piece(text, tokens, finish)


def _how_it_ended(process: "subprocess.Popen[bytes]") -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.2)
    status = process.poll()
    if status is None:
        return "closed its connection"
    if status < 0:
        return f"has lost its process ({signal.Signals(-status).name})"
    return f"has lost its process (exit status {status})"
