# SPDX-License-Identifier: Apache-2.0
"""What bounds a level: rules on cases."""

import pytest
from unit.client.load_test.made import load, machine

from trireel_client.load_test.judge.evidence import LevelEvidence
from trireel_client.load_test.judge.rules import RULES, find_limits


def evidence(*models, here=True, **values):
    names = ("stages_ms", "held_back", "unanswered")
    parts = {name: values.pop(name) for name in names if name in values}
    return LevelEvidence(models or (load(),), machine(**values), server_is_here=here, **parts)


FULL = {"busy_seconds": 19.5, "queue_seconds": 30.0, "pending": 4.0}  # of 2 instances in 10 s
TOWER = load("siglip_vision", **FULL, rows=1600.0, executions=40.0)
PLACES = {"instances": 4, "slots": 4, "busy_seconds": 39.0, "queue_seconds": 90.0, "pending": 9.0}
LIMITED = {"cpus": 16, "server_cpus": 1.9, "server_cpus_allowed": 2.0}

CASES = {
    "unanswered": (
        evidence(unanswered="no video was answered"),
        "nothing was measured",
        "what the failures say",
    ),
    "client": (evidence(client_cpus=0.9), "the load generator", "a machine of its own"),
    "held back": (evidence(held_back=0.2), "the load generator", "--most-in-flight"),
    "others": (
        evidence(machine_cpu=1.0, server_cpus=1.5),
        "other programs on this machine",
        "machine of its own",
    ),
    "cpu, extraction": (
        evidence(load(**FULL), TOWER, machine_cpu=0.97, server_cpus=3.8),
        "the CPU",
        "--keyframes-only",
    ),
    "cpu, tower": (
        evidence(load(), TOWER, machine_cpu=0.97, server_cpus=3.8),
        "the CPU",
        "`--profile container` or `tensorrt`",
    ),
    "cpu of another machine": (
        evidence(here=False, machine_cpu=0.1, server_machine_cpu=0.95, server_cpus=None),
        "the CPU",
        "another server",
    ),
    "cpu that the server may have": (
        evidence(load(**FULL), **LIMITED, machine_cpu=0.2),
        "the CPU",
        "another server",
    ),
    "gpu": (evidence(gpu=0.97), "the GPU", "--precision bf16"),
    "extractors": (
        evidence(load(**FULL)),
        "the instances of frame_extractor",
        "`--extractors 4` of trireel-serve, trireel-serve-container (now 2)",
    ),
    "towers": (evidence(load(), TOWER), "the instances of siglip_vision", "`--towers 3`"),
    "text": (evidence(load("siglip_text", **FULL)), "the instances of siglip_text", "tags"),
    "decoder": (
        evidence(load("temporal_decoder", **FULL)),
        "the instances of temporal_decoder",
        "another server",
    ),
    "sequences": (
        evidence(live_sequences=250, sequences_limit=256),
        "the open sequences of temporal_decoder",
        "`--parameter max_sequences=` of trireel-serve, trireel-serve-container",
    ),
    "videos": (
        evidence(load(), load("video_analysis", **PLACES)),
        "the videos that video_analysis works on at once",
        "`--videos 8`",
    ),
    "streams": (
        evidence(load(), load("video_analysis_stream", **PLACES)),
        "the videos that video_analysis_stream works on at once",
        "`--parameter videos_in_flight=8`",
    ),
    "source": (
        evidence(stages_ms={"fetch": 600.0, "total": 900.0}),
        "the source of the videos",
        "--max-spool-gib",
    ),
    "clock": (evidence(lag_p99_ms=150.0), "the load generator's clock", "another machine"),
    "nothing": (evidence(), "nothing yet", "more workers"),
    "unknown": (
        LevelEvidence((), machine(server_machine_cpu=None), server_is_here=False),
        "not known",
        "--metrics-url",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_limit_is_named_and_what_to_change(case):
    seen, limit, change = CASES[case]
    first = find_limits(seen)[0]
    assert first.limit == limit
    assert change in " ".join(first.changes)
    assert first.because


def test_numbers_stand_beside_the_limit():
    (finding,) = find_limits(evidence(load(), TOWER))
    assert finding.because == "1.95 of 2 busy, 300 ms queue, 4.0 waiting, batches of 40.0"


@pytest.mark.parametrize(
    "values",
    [
        {"busy_seconds": 19.5, "queue_seconds": 0.5, "pending": 0.1},  # busy, and no request waits
        {
            "busy_seconds": 12.0,
            "queue_seconds": 30.0,
            "pending": 4.0,
        },  # bursts: requests wait at times
        {"instances": None, "slots": None, "busy_seconds": 19.5, "pending": 4.0},
    ],
)
def test_instances_bound_nothing_unless_busy_and_waited_for(values):
    assert find_limits(evidence(load(**values)))[0].limit == "nothing yet"


def test_videos_at_once_matter_while_other_models_have_room():
    places = load("video_analysis", **PLACES)
    limits = [one.limit for one in find_limits(evidence(load(**FULL), places))]
    assert limits == [
        "the instances of frame_extractor",
        "the videos that video_analysis works on at once",
    ]


def test_more_instances_do_not_help_if_the_cpu_is_full():
    places = load("video_analysis", **PLACES)
    seen = evidence(load(**FULL), places, machine_cpu=0.97, server_cpus=3.8)
    (finding,) = find_limits(seen)
    assert finding.limit == "the CPU"
    assert "most of the models' time went into frame_extractor" in finding.because


def test_the_longest_queue_is_named_of_several_full_models():
    tower = load("siglip_vision", **{**FULL, "queue_seconds": 80.0})
    assert "siglip_vision" in find_limits(evidence(load(**FULL), tower))[0].limit


def test_a_full_load_generator_comes_before_the_server():
    limits = [one.limit for one in find_limits(evidence(load(**FULL), client_cpus=1.0))]
    assert limits == ["the load generator", "the instances of frame_extractor"]


@pytest.mark.parametrize("machine_cpu", [0.2, 1.0])
def test_a_server_with_all_the_cpu_it_may_use_is_not_disturbed(machine_cpu):
    (finding,) = find_limits(evidence(**LIMITED, machine_cpu=machine_cpu))
    assert finding.limit == "the CPU"
    assert finding.because.startswith("the server used 1.90 of the 2 CPUs, of this machine's 16,")


def test_a_server_that_lacks_cpu_it_may_have_is_disturbed():
    less = {**LIMITED, "server_cpus": 1.0}
    assert (
        find_limits(evidence(**less, machine_cpu=1.0))[0].limit == "other programs on this machine"
    )
    assert find_limits(evidence(**less, machine_cpu=0.2))[0].limit == "nothing yet"


def test_other_limits_follow_the_one_that_nothing_was_answered():
    seen = evidence(load(**FULL), unanswered="no video was answered")
    assert [one.limit for one in find_limits(seen)] == [
        "nothing was measured",
        "the instances of frame_extractor",
    ]


def test_this_machine_s_cpu_says_nothing_of_a_server_elsewhere():
    assert find_limits(evidence(here=False, machine_cpu=1.0))[0].limit == "nothing yet"


def test_every_rule_is_the_limit_of_some_case():
    first = [
        next((rule for rule in RULES if rule.holds(seen)), None) for seen, _, _ in CASES.values()
    ]
    assert set(RULES) <= set(first)


def test_advice_for_a_model_that_it_does_not_know_is_general():
    (finding,) = find_limits(evidence(load("ocr", **FULL)))
    assert finding.changes == ("more instances in model_repository/ocr/config.pbtxt (now 2)",)
