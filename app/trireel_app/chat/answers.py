# SPDX-License-Identifier: Apache-2.0
"""From a question to an answer whose every citation was checked.

    question ─▶ moments that fit ─▶ a model looks at their pictures ─▶ a text model writes
                     │                                                      │
                     none: "I do not see that."        none, or it cites nothing: the moments

The text model's words are held back until its first right citation. So a model that answers
nonsense is not shown, and the pieces together are always the answer.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from enum import StrEnum

from trireel_app.chat.citations import CheckedText, Citation
from trireel_app.chat.limits import ChatLimits, tokens_of
from trireel_app.chat.looking import looked_at
from trireel_app.chat.models import Embedder, Writer
from trireel_app.chat.prompt import Prompt, make_prompt
from trireel_app.chat.question import Question, read_question
from trireel_app.chat.retrieval import sightings_for
from trireel_app.chat.sentences import (
    NO_CITATIONS,
    NO_TEXT_MODEL,
    NOT_SEEN,
    STOPPED,
    answer_from_search,
    is_decline,
)
from trireel_app.chat.sightings import Sighting, mentioned, names_of, videos_of
from trireel_app.index.keeper import Keeper
from trireel_client import ChatTurn, TrireelError

WHOLE = re.compile(r"\b(videos?|clips?|library|footage|everything|overall|summar\w+)\b", re.I)


class Mode(StrEnum):
    """Who wrote an answer."""

    MODEL = "model"
    RETRIEVAL = "retrieval"


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """A question about videos."""

    text: str
    """The question."""
    videos: Mapping[str, str]
    """Name or address of each video that may be searched, by its id."""
    history: tuple[ChatTurn, ...] = ()
    """Earlier questions and answers, oldest first."""
    wishes: str = ""
    """How the reader wants the answer."""


@dataclass(frozen=True)
class FoundMoments:
    """The moments that fit, before anything is written about them."""

    sightings: tuple[Sighting, ...]
    """Moments, best first; empty if nothing fits."""


@dataclass(frozen=True)
class AnswerPiece:
    """A piece of the answer that was checked."""

    text: str
    """Text of the piece."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer."""

    text: str
    """The answer: its pieces one after another."""
    citations: tuple[Citation, ...] = ()
    """Citations in the answer, each once."""
    removed: tuple[str, ...] = ()
    """Citations of the text model that were wrong, and were taken out."""
    backend: str = ""
    """Name of the backend that wrote it, or looked at pictures for it; empty if none did."""
    mode: Mode = Mode.RETRIEVAL
    """Whether a text model wrote it, or it lists what the search found."""
    prompt_tokens: int = 0
    """Estimated number of tokens of all prompts."""
    answer_tokens: int = 0
    """Number of tokens that models wrote."""
    videos: tuple[str, ...] = ()
    """Ids of the videos whose moments the answer was made of."""


ChatEvent = FoundMoments | AnswerPiece | Answer


@dataclass(frozen=True, kw_only=True)
class Chat:
    """What answers questions: a library with its index, two models, and budgets."""

    keeper: Keeper
    """Library and index."""
    embedder: Embedder
    """Text tower that made the library's embeddings."""
    writer: Writer
    """Model that looks at pictures and writes."""
    limits: ChatLimits = field(default_factory=ChatLimits)
    """Budgets."""


async def answer_events(chat: Chat, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
    """Yield the moments that fit, the pieces of the answer, and the whole answer last.

    Closing the generator early cancels what models are doing.

    Raises:
        LibraryError: if the index cannot be read, or the server has another checkpoint.
        TrireelError: if the server does not embed the question.
    """
    names, text = mentioned(names_of(request.videos), request.text)
    question = _resolved(read_question(text), request.history)
    sightings = await _found(chat, question, names)
    yield FoundMoments(sightings)
    if not sightings:
        yield AnswerPiece(NOT_SEEN)
        yield Answer(text=NOT_SEEN)
        return
    if chat.limits.pictures:
        sightings = await looked_at(
            chat.writer, question, sightings, chat.keeper.library.storage.read, chat.limits
        )
    async with aclosing(_written(chat, request, sightings)) as events:
        async for event in events:
            yield event


async def answer_of(chat: Chat, request: ChatRequest) -> Answer:
    """Return the whole answer; raises what `answer_events` raises."""
    async with aclosing(answer_events(chat, request)) as events:
        async for event in events:
            if isinstance(event, Answer):
                return event
    raise AssertionError("the events end with the answer")


def _resolved(question: Question, history: Sequence[ChatTurn]) -> Question:
    """Return a question that looks for something: "And when?" is about the one before."""
    has_aim = question.subject or question.on_screen or question.at_seconds is not None
    if has_aim or WHOLE.search(question.text):
        return question
    for turn in reversed(history):
        earlier = read_question(turn.content) if turn.role == "user" else None
        if earlier and (earlier.subject or earlier.on_screen):
            return replace(question, subject=earlier.subject, on_screen=earlier.on_screen)
    return question


async def _found(chat: Chat, question: Question, names: Mapping[str, str]) -> tuple[Sighting, ...]:
    if not names:
        return ()
    embedding = calibration = None
    if question.subject and question.at_seconds is None:
        embedding, calibration, checkpoint = await chat.embedder.embed(question.subject)
        await asyncio.to_thread(chat.keeper.library.check, checkpoint)
    store = await asyncio.to_thread(chat.keeper.store)
    return await asyncio.to_thread(
        sightings_for, store, question, names, embedding, calibration, chat.limits.moments
    )


async def _written(
    chat: Chat, request: ChatRequest, sightings: tuple[Sighting, ...]
) -> AsyncGenerator[ChatEvent, None]:
    """Yield the pieces and the answer of a text model, or of the search if there is none."""
    prompt = make_prompt(request.text, sightings, request.history, request.wishes, chat.limits)
    writing = _Writing(prompt)
    reason = NO_TEXT_MODEL
    try:
        async with asyncio.timeout(chat.limits.answer_seconds):
            pieces = chat.writer.write(
                prompt.text,
                system=prompt.system,
                history=prompt.history,
                max_tokens=chat.limits.answer_tokens,
            )
            async with aclosing(pieces):
                async for piece in pieces:
                    if text := writing.add(piece.text, piece.backend, piece.num_tokens):
                        yield AnswerPiece(text)
        if text := writing.end():
            yield AnswerPiece(text)
        reason = NO_CITATIONS
    except (TrireelError, TimeoutError):
        if writing.is_shown:
            yield AnswerPiece(writing.stop())
    base = Answer(
        text=writing.text,
        citations=writing.checked.citations,
        removed=writing.checked.removed,
        backend=writing.backend,
        mode=Mode.MODEL,
        prompt_tokens=prompt.tokens + _looked_tokens(sightings),
        answer_tokens=writing.tokens,
        videos=videos_of(sightings),
    )
    if writing.is_shown:
        yield base
        return
    if is_decline(writing.text):
        yield AnswerPiece(NOT_SEEN)
        yield replace(base, text=NOT_SEEN)
        return
    text, citations = answer_from_search(sightings, reason)
    remarks = [remark for sighting in sightings for remark in sighting.remarks]
    backend = remarks[0].backend if remarks else ""
    yield AnswerPiece(text)
    yield replace(base, text=text, citations=citations, backend=backend, mode=Mode.RETRIEVAL)


class _Writing:
    """The text of a model, which is shown from its first right citation on."""

    def __init__(self, prompt: Prompt) -> None:
        self.checked = CheckedText(prompt.sightings)
        self.text = ""
        self.backend = ""
        self.tokens = 0
        self._shown_before = False

    @property
    def is_shown(self) -> bool:
        """True if the reader has seen a piece of it."""
        return bool(self.checked.citations)

    def add(self, piece: str, backend: str, tokens: int) -> str:
        """Take a piece; return the text to show now."""
        self.backend, self.tokens = backend, tokens
        return self._shown(self.checked.add(piece))

    def end(self) -> str:
        """Return the rest of the text to show."""
        return self._shown(self.checked.end())

    def stop(self) -> str:
        """Return the rest of a text that was broken off, and say so."""
        return self.end() + self._shown(f"\n{STOPPED}")

    def _shown(self, text: str) -> str:
        self.text += text
        if not self.checked.citations or self._shown_before:
            return text if self._shown_before else ""
        self._shown_before = True
        self.text = self.text.lstrip()
        return self.text


def _looked_tokens(sightings: Sequence[Sighting]) -> int:
    remarks = [remark for sighting in sightings for remark in sighting.remarks]
    return sum(tokens_of(remark.question) + tokens_of(remark.answer) for remark in remarks)
