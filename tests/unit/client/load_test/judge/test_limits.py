# SPDX-License-Identifier: Apache-2.0
"""What bounds a level: rules on cases."""

import pytest
from unit.client.load_test.made import load, machine

from trireel_client.load_test.judge.limits import Picture, find_limits


def picture(*models, here=True, **values):
    names = ("stages_ms", "held_back", "unanswered")
    parts = {name: values.pop(name) for name in names if name in values}
    return Picture(models or (load(),), machine(**values), server_is_here=here, **parts)


FULL = {"busy_seconds": 19.5, "queue_seconds": 30.0, "pending": 4.0}  # of 2 instances in 10 s
TOWER = load("siglip_vision", **FULL, rows=1600.0, executions=40.0)
PLACES = {"instances": 4, "slots": 4, "busy_seconds": 39.0, "queue_seconds": 90.0, "pending": 9.0}
LIMITED = {"cpus": 16, "server_cpus": 1.9, "server_cpus_allowed": 2.0}

CASES = {
    "unanswered": (
        picture(unanswered="no video was answered"),
        "nothing was measured",
        "what the failures say",
    ),
    "client": (picture(client_cpus=0.9), "the load generator", "a machine of its own"),
    "held back": (picture(held_back=0.2), "the load generator", "--most-in-flight"),
    "others": (
        picture(machine_cpu=1.0, server_cpus=1.5),
        "other programs on this machine",
        "machine of its own",
    ),
    "cpu, extraction": (
        picture(load(**FULL), TOWER, machine_cpu=0.97, server_cpus=3.8),
        "the CPU",
        "--keyframes-only",
    ),
    "cpu, tower": (
        picture(load(), TOWER, machine_cpu=0.97, server_cpus=3.8),
        "the CPU",
        "`--profile container` or `tensorrt`",
    ),
    "cpu of another machine": (
        picture(here=False, machine_cpu=0.1, server_machine_cpu=0.95, server_cpus=None),
        "the CPU",
        "another server",
    ),
    "cpu that the server may have": (
        picture(load(**FULL), **LIMITED, machine_cpu=0.2),
        "the CPU",
        "another server",
    ),
    "gpu": (picture(gpu=0.97), "the GPU", "--precision bf16"),
    "extractors": (
        picture(load(**FULL)),
        "the instances of frame_extractor",
        "`--extractors 4` of trireel-serve, trireel-serve-container (now 2)",
    ),
    "towers": (picture(load(), TOWER), "the instances of siglip_vision", "`--towers 3`"),
    "text": (picture(load("siglip_text", **FULL)), "the instances of siglip_text", "tags"),
    "decoder": (
        picture(load("temporal_decoder", **FULL)),
        "the instances of temporal_decoder",
        "another server",
    ),
    "sequences": (
        picture(live_sequences=250, sequences_limit=256),
        "the open sequences of temporal_decoder",
        "`--parameter max_sequences=` of trireel-serve, trireel-serve-container",
    ),
    "videos": (
        picture(load(), load("video_analysis", **PLACES)),
        "the videos that video_analysis works on at once",
        "`--videos 8`",
    ),
    "streams": (
        picture(load(), load("video_analysis_stream", **PLACES)),
        "the videos that video_analysis_stream works on at once",
        "`--parameter videos_in_flight=8`",
    ),
    "source": (
        picture(stages_ms={"fetch": 600.0, "total": 900.0}),
        "the source of the videos",
        "--max-spool-gib",
    ),
    "clock": (picture(lag_p99_ms=150.0), "the load generator's clock", "another machine"),
    "nothing": (picture(), "nothing yet", "more workers"),
    "unknown": (
        Picture((), machine(server_machine_cpu=None), server_is_here=False),
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
    (finding,) = find_limits(picture(load(), TOWER))
    assert finding.because == "1.95 of 2 busy, 300 ms queue, 4.0 waiting, batches of 40.0"


@pytest.mark.parametrize(
    "values",
    [
        {"busy_seconds": 19.5, "queue_seconds": 0.5, "pending": 0.1},  # busy, and nobody waits
        {"busy_seconds": 12.0, "queue_seconds": 30.0, "pending": 4.0},  # bursts: they wait at times
        {"instances": None, "slots": None, "busy_seconds": 19.5, "pending": 4.0},
    ],
)
def test_instances_bound_nothing_unless_busy_and_waited_for(values):
    assert find_limits(picture(load(**values)))[0].limit == "nothing yet"


def test_places_for_videos_matter_only_where_the_models_behind_have_room():
    places = load("video_analysis", **PLACES)
    limits = [one.limit for one in find_limits(picture(load(**FULL), places))]
    assert limits == [
        "the instances of frame_extractor",
        "the videos that video_analysis works on at once",
    ]


def test_more_instances_do_not_help_where_the_cpu_is_full():
    places = load("video_analysis", **PLACES)
    seen = picture(load(**FULL), places, machine_cpu=0.97, server_cpus=3.8)
    (finding,) = find_limits(seen)
    assert finding.limit == "the CPU"
    assert "most of the models' time went into frame_extractor" in finding.because


def test_the_longest_queue_is_named_of_several_full_models():
    tower = load("siglip_vision", **{**FULL, "queue_seconds": 80.0})
    assert "siglip_vision" in find_limits(picture(load(**FULL), tower))[0].limit


def test_a_load_generator_that_is_full_comes_before_the_server():
    limits = [one.limit for one in find_limits(picture(load(**FULL), client_cpus=1.0))]
    assert limits == ["the load generator", "the instances of frame_extractor"]


@pytest.mark.parametrize("machine_cpu", [0.2, 1.0])
def test_a_server_that_has_all_the_cpu_it_may_have_is_not_disturbed(machine_cpu):
    (finding,) = find_limits(picture(**LIMITED, machine_cpu=machine_cpu))
    assert finding.limit == "the CPU"
    assert finding.because.startswith("the server used 1.90 of the 2 CPUs, of this machine's 16,")


def test_a_server_that_lacks_cpu_it_may_have_is_disturbed():
    less = {**LIMITED, "server_cpus": 1.0}
    assert (
        find_limits(picture(**less, machine_cpu=1.0))[0].limit == "other programs on this machine"
    )
    assert find_limits(picture(**less, machine_cpu=0.2))[0].limit == "nothing yet"


def test_what_was_full_stands_behind_the_word_that_nothing_was_answered():
    seen = picture(load(**FULL), unanswered="no video was answered")
    assert [one.limit for one in find_limits(seen)] == [
        "nothing was measured",
        "the instances of frame_extractor",
    ]


def test_this_machine_s_cpu_says_nothing_of_a_server_elsewhere():
    assert find_limits(picture(here=False, machine_cpu=1.0))[0].limit == "nothing yet"
