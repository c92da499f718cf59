# SPDX-License-Identifier: Apache-2.0
"""Which questions share a batch, and how its tokens become pieces."""

import threading
import time

from trireel_backend.describing.local.answers import RowAnswer
from trireel_backend.describing.local.batches import WINDOW_SECONDS, Batches, Waiting
from trireel_backend.describing.local.memory import rows_that_fit
from trireel_backend.describing.question import Question

WORDS = {1: "Grü", 2: "ße ", 3: "an ", 4: "alle", 5: "\ufffd"}
END = 9


def waiting(number, **fields):
    return Waiting(number, Question("What?", **fields))


def numbers(batch):
    return [each.number for each in batch]


def test_questions_that_wait_share_a_batch():
    batches = Batches(3)
    for number in range(5):
        batches.add(waiting(number))
    assert [numbers(batches.next()) for _ in range(2)] == [[0, 1, 2], [3, 4]]


def test_other_settings_need_another_batch():
    batches = Batches(8)
    batches.add(waiting(0))
    batches.add(waiting(1, temperature=0.5))
    batches.add(waiting(2))
    assert [numbers(batches.next()) for _ in range(2)] == [[0, 2], [1]]


def test_a_question_with_a_seed_is_alone():
    batches = Batches(8)
    for number in range(2):
        batches.add(waiting(number, temperature=0.5, seed=1))
    assert numbers(batches.next()) == [0]


def test_one_client_alone_does_not_wait():
    batches = Batches(8)
    batches.add(waiting(0))
    begin = time.monotonic()
    batches.next()
    assert time.monotonic() - begin < WINDOW_SECONDS


def test_a_batch_waits_for_as_many_as_before():
    batches = Batches(8)
    for number in range(2):
        batches.add(waiting(number))
    batches.next()
    batches.add(waiting(2))
    late = threading.Timer(WINDOW_SECONDS / 4, batches.add, [waiting(3)])
    late.start()
    assert numbers(batches.next()) in ([2, 3], [2])  # the timer may be late on a busy machine
    late.join()


def test_a_cancelled_question_leaves_the_line():
    batches = Batches(8)
    batches.add(waiting(0))
    batches.add(waiting(1))
    batches.cancel(0)
    batch = batches.next()
    assert numbers(batch) == [1]
    batches.cancel(1)
    assert batches.is_cancelled(1)
    batches.done(batch)
    assert not batches.is_cancelled(1)


def test_a_batch_fits_into_the_free_memory():
    assert rows_that_fit(1000, 100, 16) == 8
    assert rows_that_fit(1000, 100, 4) == 4
    assert rows_that_fit(10, 100, 16) == 1


def answer(tokens, max_tokens=10):
    """Return the pieces that tokens become; every token is sent at once."""
    pieces = []
    row = RowAnswer(
        lambda tokens: "".join(WORDS[token] for token in tokens),
        frozenset([END]),
        max_tokens,
        pieces.append,
    )
    for token in tokens:
        row.add(token)
        time.sleep(0.04)
    return pieces


def test_tokens_become_pieces():
    pieces = answer([1, 2, 3, 4, END, 4])
    assert [piece.text for piece in pieces] == ["Grü", "ße ", "an ", "alle", ""]
    assert [piece.finish for piece in pieces] == ["", "", "", "", "stop"]
    assert pieces[-1].num_tokens == 4


def test_an_answer_ends_at_its_longest():
    pieces = answer([1, 2, 3], max_tokens=2)
    assert (pieces[-1].text, pieces[-1].finish) == ("ße ", "length")


def test_half_a_character_is_not_sent():
    pieces = answer([1, 5, END])
    assert [piece.text for piece in pieces] == ["Grü", "\ufffd"]
