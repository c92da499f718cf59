# SPDX-License-Identifier: Apache-2.0
"""Questions to the served model `describe`, one stream for each client."""

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from numpy.typing import NDArray

Pictures = NDArray[np.uint8] | None
PATIENCE_SECONDS = 120
INPUT_TYPES = {"MAX_TOKENS": "INT32", "SEED": "INT32", "TEMPERATURE": "FP32"}
NUMPY = {"INT32": np.int32, "FP32": np.float32}


@dataclass(frozen=True)
class Piece:
    """One response."""

    text: str
    backend: str
    num_tokens: int
    finish: str


class Refused(Exception):
    """The server returned an error; the message is the server's."""


class Describer:
    """A client of `describe`."""

    def __init__(self, url: str) -> None:
        self._client = triton.InferenceServerClient(url)
        self._answers: queue.Queue[tuple[object, object]] = queue.Queue()
        self._client.start_stream(lambda result, error: self._answers.put((result, error)))

    def pieces(self, prompt: str, pictures: Pictures = None, **options: object) -> Iterator[Piece]:
        """Yield the pieces of an answer; raises Refused."""
        inputs = [_texts("PROMPT", prompt)]
        if pictures is not None:
            inputs.append(triton.InferInput("IMAGES", list(pictures.shape), "UINT8"))
            inputs[-1].set_data_from_numpy(np.ascontiguousarray(pictures))
        for name, value in options.items():
            kind = INPUT_TYPES.get(name)
            inputs.append(_texts(name, str(value)) if kind is None else _number(name, kind, value))
        self._client.async_stream_infer("describe", inputs, enable_empty_final_response=True)
        while True:
            result, error = self._answers.get(timeout=PATIENCE_SECONDS)
            if error is not None:
                raise Refused(str(error))
            if result.as_numpy("TEXT") is None:  # type: ignore[attr-defined]
                return
            yield _piece(result)

    def ask(self, prompt: str, pictures: Pictures = None, **options: object) -> str:
        """Return a whole answer; raises Refused."""
        return "".join(piece.text for piece in self.pieces(prompt, pictures, **options))

    def close(self) -> None:
        """End the stream."""
        self._client.stop_stream(cancel_requests=True)
        self._client.close()


def ask_all(url: str, questions: Sequence[tuple[Pictures, str]], clients: int = 8) -> list[str]:
    """Return the answers to questions from several clients at once, in order."""

    def ask_some(offset: int) -> list[str]:
        with closing(Describer(url)) as describer:
            return [describer.ask(text, images) for images, text in questions[offset::clients]]

    with ThreadPoolExecutor(clients) as threads:
        parts = list(threads.map(ask_some, range(clients)))
    return [parts[i % clients][i // clients] for i in range(len(questions))]


def resident_bytes(process_id: int) -> int:
    """Return the memory of a process and of all processes that it started."""
    total, waiting = 0, [process_id]
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        try:
            status = (folder / "status").read_text()
            for task in (folder / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:  # it has ended
            continue
        lines = [line for line in status.splitlines() if line.startswith("RssAnon:")]
        total += sum(int(line.split()[1]) * 1024 for line in lines)
    return total


def _texts(name: str, text: str) -> triton.InferInput:
    tensor = triton.InferInput(name, [1], "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode()], np.object_))
    return tensor


def _number(name: str, kind: str, value: object) -> triton.InferInput:
    tensor = triton.InferInput(name, [1], kind)
    tensor.set_data_from_numpy(np.array([value], NUMPY[kind]))
    return tensor


def _piece(result: object) -> Piece:
    def item(name: str) -> object:
        return result.as_numpy(name).item()  # type: ignore[attr-defined]

    text, backend, finish = (item(name).decode() for name in ("TEXT", "BACKEND", "FINISH"))  # type: ignore[attr-defined]
    return Piece(text, backend, int(item("NUM_TOKENS")), finish)  # type: ignore[call-overload]
