# SPDX-License-Identifier: Apache-2.0
"""From the tokens of a batch, step by step, to the pieces of each answer."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from trireel_backend.describing.question import LENGTH, STOP, Piece

SEND_SECONDS = 0.03  # pieces of an answer that come faster are joined
UNFINISHED = "\ufffd"  # what a decoder makes of the first bytes of a character


class RowAnswer:
    """The answer to one question of a batch."""

    def __init__(
        self,
        decode: Callable[[Sequence[int]], str],
        end_tokens: frozenset[int],
        max_tokens: int,
        send: Callable[[Piece], None],
    ) -> None:
        """Begin an answer.

        Args:
            decode: returns the text of tokens.
            end_tokens: tokens that end an answer.
            max_tokens: most tokens of the answer.
            send: sends a piece.
        """
        self._decode, self._send = decode, send
        self._end_tokens, self._max_tokens = end_tokens, max_tokens
        self._tokens: list[int] = []
        self._prefix = 0  # tokens before it are no longer decoded
        self._sent = 0  # tokens that are part of a piece
        self._text = ""
        self._sent_seconds = 0.0
        self.is_done = False

    def add(self, token: int) -> None:
        """Take the next token; a token after the end is ignored."""
        if self.is_done:
            return
        if token in self._end_tokens:
            self._finish(STOP)
            return
        self._tokens.append(token)
        if len(self._tokens) >= self._max_tokens:
            self._finish(LENGTH)
        elif time.monotonic() - self._sent_seconds >= SEND_SECONDS:
            text = self._new_text()
            if text:
                self._sent_seconds = time.monotonic()
                self._send(Piece(text, len(self._tokens)))

    def end(self) -> None:
        """End an answer that the model has ended without a token for it."""
        if not self.is_done:
            self._finish(LENGTH)

    def drop(self) -> None:
        """End an answer that nobody waits for."""
        self.is_done = True

    def _finish(self, reason: str) -> None:
        self.is_done = True
        self._send(Piece(self._new_text(is_last=True), len(self._tokens), reason))

    def _new_text(self, *, is_last: bool = False) -> str:
        """Return the text of the tokens that are not sent yet.

        Tokens before them are decoded along: some tokenizers put a space between words only.
        """
        before = self._decode(self._tokens[self._prefix : self._sent])
        whole = self._decode(self._tokens[self._prefix :])
        if not is_last and (whole.endswith(UNFINISHED) or len(whole) <= len(before)):
            return ""
        text = whole[len(before) :]
        self._prefix, self._sent = self._sent, len(self._tokens)
        if not self._text:
            text = text.lstrip()
        self._text += text
        return text


def end_tokens_of(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens with which a model ends an answer."""
    ends = model.generation_config.eos_token_id
    ids = ends if isinstance(ends, list) else [ends]
    return frozenset(i for i in [*ids, tokenizer.eos_token_id] if i is not None)
