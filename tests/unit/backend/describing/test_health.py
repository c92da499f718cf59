# SPDX-License-Identifier: Apache-2.0
"""A backend that fails is left out for a while; one that is expensive keeps to its budget."""

from trireel_backend.describing.health import Breaker, Budget


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_backend_is_left_out_after_failures_in_a_row():
    clock = Clock()
    breaker = Breaker(2, 30.0, clock)
    breaker.fail()
    breaker.succeed()
    breaker.fail()
    assert breaker.seconds_left() == 0
    breaker.fail()
    assert breaker.seconds_left() == 30.0
    clock.now += 30.0
    assert breaker.seconds_left() == 0


def test_after_the_pause_one_question_tries_it():
    clock = Clock()
    breaker = Breaker(1, 30.0, clock)
    breaker.fail()
    clock.now += 31.0
    breaker.begin()
    assert breaker.seconds_left() > 0  # for all others
    breaker.fail()
    assert breaker.seconds_left() == 30.0
    clock.now += 31.0
    breaker.begin()
    breaker.succeed()
    assert breaker.seconds_left() == 0


def test_a_trial_without_a_verdict_lets_the_next_try():
    clock = Clock()
    breaker = Breaker(1, 30.0, clock)
    breaker.fail()
    clock.now += 31.0
    breaker.begin()
    breaker.release()
    assert breaker.seconds_left() == 0


def test_a_backend_states_its_own_pause():
    clock = Clock()
    breaker = Breaker(3, 30.0, clock)
    breaker.leave_out(7.0)
    assert breaker.seconds_left() == 7.0


def test_tokens_are_reserved_before_they_are_spent():
    clock = Clock()
    budget = Budget(100, clock)
    entry = budget.reserve(80)
    assert budget.reserve(30) is None
    budget.settle(entry, 10)
    assert budget.reserve(90) is not None
    clock.now += 60.0
    assert budget.reserve(100) is not None


def test_without_a_limit_everything_fits():
    assert Budget(0, Clock()).reserve(10**9) is not None
