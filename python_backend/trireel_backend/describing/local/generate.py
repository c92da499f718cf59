# SPDX-License-Identifier: Apache-2.0
"""A model of transformers: loading it, and answering a batch of questions with it."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, StoppingCriteriaList
from transformers.generation import StoppingCriteria
from transformers.generation.streamers import BaseStreamer

from trireel_backend.describing.local.answers import RowAnswer, end_tokens_of
from trireel_backend.describing.local.memory import RowCost, free_memory, rows_that_fit
from trireel_backend.describing.local.messages import WorkerSetup
from trireel_backend.describing.question import Piece, Question

Send = Callable[[int, Piece], None]
"""Sends a piece of the answer to the question at a position of the batch."""
NOT_FOR_GENERATE = ("labels",)
NOTHING_TO_PAD = ("max_length",)


class CannotLoad(Exception):
    """The model does not load; the message completes the sentence "backend X ..."."""


class TooLarge(Exception):
    """The batch does not fit into memory."""


@dataclass(frozen=True)
class Loaded:
    """A model with its processor."""

    model: Any
    processor: Any

    @property
    def tokenizer(self) -> Any:
        """The processor's tokenizer."""
        return getattr(self.processor, "tokenizer", self.processor)


def load(setup: WorkerSetup) -> Loaded:
    """Load a model; raises CannotLoad."""
    device = _device(setup.device)
    options: dict[str, Any] = {"dtype": setup.dtype}
    if setup.bits:
        options["quantization_config"] = _quantization(setup.bits, device)
        options["device_map"] = {"": device}
    try:
        model = AutoModelForImageTextToText.from_pretrained(setup.model, **options)
        if not setup.bits:
            model = model.to(device)
        processor = AutoProcessor.from_pretrained(setup.model)
    except Exception as error:  # whatever files of another shape cause deep inside transformers
        raise CannotLoad(f"does not load {setup.model}: {_first_line(error)}") from error
    loaded = Loaded(model.eval(), processor)
    loaded.tokenizer.padding_side = "left"
    return loaded


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise CannotLoad(f"has device {name!r}, which PyTorch does not know") from error


def _quantization(bits: int, device: torch.device) -> Any:
    if device.type != "cuda":
        raise CannotLoad(f"has bits {bits}, which need a GPU: leave bits out on this machine")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise CannotLoad(f"has bits {bits}, which need bitsandbytes: pip install bitsandbytes")
    from transformers import BitsAndBytesConfig

    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]


class Model:
    """Answers batches."""

    def __init__(self, loaded: Loaded) -> None:
        """Use a loaded model."""
        self._loaded = loaded
        self._device = loaded.model.device
        self._free = free_memory(self._device, torch)
        self._cost = RowCost(loaded.model.config)
        self._ends = end_tokens_of(loaded.model, loaded.tokenizer)

    def rows_that_fit(self, questions: Sequence[Question], most: int) -> int:
        """Return how many of these questions fit into the free memory together."""
        tokens = max(question.cost_tokens for question in questions)
        return rows_that_fit(self._free(), self._cost.row_bytes(tokens), most)

    def answer(
        self, questions: Sequence[Question], send: Send, is_cancelled: Callable[[int], bool]
    ) -> None:
        """Answer questions of one group together.

        Args:
            send: gets each piece.
            is_cancelled: returns whether the question at a position needs no more tokens.

        Raises:
            TooLarge: if memory runs out before the first piece.
        """
        rows = [
            RowAnswer(self._decode, self._ends, question.max_tokens, _sender(send, index))
            for index, question in enumerate(questions)
        ]
        watch = _Watch(rows, is_cancelled)
        try:
            self._generate(questions, watch)
        except torch.OutOfMemoryError as error:
            self._cost.failed()
            torch.cuda.empty_cache()
            if watch.has_begun or len(questions) == 1:
                raise
            raise TooLarge from error
        for row in rows:
            row.end()

    def _generate(self, questions: Sequence[Question], watch: "_Watch") -> None:
        inputs = self._inputs(questions)
        first = questions[0]
        sampling = (
            {"do_sample": True, "temperature": first.temperature}
            if first.temperature > 0
            else {"do_sample": False}
        )
        if first.seed is not None:
            torch.manual_seed(first.seed)
        is_cuda = self._device.type == "cuda"
        if is_cuda:
            torch.cuda.reset_peak_memory_stats(self._device)
            before = torch.cuda.memory_allocated(self._device)
        with torch.inference_mode():
            self._loaded.model.generate(
                **inputs,
                max_new_tokens=max(question.max_tokens for question in questions),
                streamer=watch,
                stopping_criteria=StoppingCriteriaList([_Stop(watch)]),
                pad_token_id=self._loaded.tokenizer.pad_token_id,
                **sampling,
            )
        if is_cuda:
            peak = torch.cuda.max_memory_allocated(self._device) - before
            self._cost.measured(peak, len(questions), inputs["input_ids"].shape[1])

    def _inputs(self, questions: Sequence[Question]) -> dict[str, Any]:
        processor = self._loaded.processor
        prompts = [self._prompt(question) for question in questions]
        pictures = [[*question.images] for question in questions if question.images is not None]
        inputs = processor(
            text=prompts,
            **({"images": pictures} if pictures else {}),
            padding=True,
            return_tensors="pt",
        )
        return {
            name: value.to(self._device)
            for name, value in inputs.items()
            if name not in NOT_FOR_GENERATE
        }

    def _prompt(self, question: Question) -> str:
        images = () if question.images is None else question.images
        content = [*({"type": "image"} for _ in images), {"type": "text", "text": question.prompt}]
        messages: list[dict[str, Any]] = [
            *([_message("system", question.system)] if question.system else []),
            *(_message(turn.role, turn.content) for turn in question.history),
            {"role": "user", "content": content},
        ]
        prompt = self._loaded.processor.apply_chat_template(messages, add_generation_prompt=True)
        return str(prompt)

    def _decode(self, tokens: Sequence[int]) -> str:
        text = self._loaded.tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(text)


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _sender(send: Send, index: int) -> Callable[[Piece], None]:
    return lambda piece: send(index, piece)


class _Watch(BaseStreamer):  # type: ignore[misc]
    """Gets the tokens of all rows, step by step; the first call holds the prompts."""

    def __init__(self, rows: Sequence[RowAnswer], is_cancelled: Callable[[int], bool]) -> None:
        self.rows = rows
        self._is_cancelled = is_cancelled
        self._calls = 0

    @property
    def has_begun(self) -> bool:
        """True after the first token."""
        return self._calls > 1

    def put(self, value: torch.Tensor) -> None:
        """Take the next token of each row."""
        self._calls += 1
        if self._calls == 1:
            return
        for index, (row, token) in enumerate(zip(self.rows, value.tolist(), strict=True)):
            if self._is_cancelled(index):
                row.drop()
            row.add(token)

    def end(self) -> None:
        """Do nothing: the rows know their end."""


class _Stop(StoppingCriteria):  # type: ignore[misc]
    """Stops each row when its answer is complete."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        done = [row.is_done for row in self._watch.rows]
        return torch.tensor(done, device=input_ids.device)
