# SPDX-License-Identifier: Apache-2.0
"""Figures beside the pipeline on Ray Serve."""

import pytest

from benchmarks.common.levels import levels, quantile
from benchmarks.peer_ray_serve.goals import goals
from benchmarks.peer_ray_serve.headlines import headlines
from benchmarks.peer_ray_serve.rounds import compare
from benchmarks.peer_ray_serve.table import SECTIONS, page

CONCURRENCIES = {"trireel": (1, 4, 16, 64), "ray_serve": (1, 4, 16)}


def level(concurrency, per_second, cpu_seconds):
    count = round(per_second * 10)
    return {
        "concurrency": concurrency,
        "latencies_ms": [1000 * concurrency / per_second] * count,
        "errors": [],
        "window_seconds": 10.0,
        "cpu_seconds": cpu_seconds * count,
        "client_cpu_seconds": 0.0,
        "others_cpu_seconds": 1.0,
        "pss_mib": {"median": 500 * cpu_seconds, "most": 1000 * cpu_seconds},
    }


def system(name, per_second, cpu_seconds):
    return {
        "start_seconds": 10 * cpu_seconds,
        "pss_mib_at_start": 100.0,
        "processes": 3,
        "levels": [level(c, per_second, cpu_seconds) for c in CONCURRENCIES[name]],
        "tower": {"frames_per_second": 96.0},
    }


@pytest.fixture
def report():
    """Three rounds, the middle one of which is the median."""
    rounds = [
        {
            "systems": {
                "trireel": system("trireel", 9.0 + shift, 0.2),
                "ray_serve": system("ray_serve", 3.0, 0.6),
            },
            "parts": {
                "extraction_cpu_seconds": [0.1, 0.2],
                "session_cpu_seconds": [0.05, 0.05],
                "session_frames_per_second": 100.0,
            },
            "agreement": {"chunks": 16, "worst_cosine": 0.999, "same_first_tag": 16},
        }
        for shift in (-2.0, 0.0, 1.0)
    ]
    return {
        "tower": "tiny",
        "tower_engine": "onnxruntime",
        "store": "file",
        "machine": {"cores": ["a core"] * 2, "commit": "abc"},
        "peer_packages": {"ray": "1"},
        "rounds": rounds,
    }


def test_quantile_is_a_value_that_was_measured():
    assert [quantile(list(range(1, 101)), percent) for percent in (50, 95, 99)] == [50, 95, 99]
    assert quantile([7.0], 99) == 7.0


def test_levels_are_medians_over_the_rounds(report):
    found = levels(report, "trireel")
    assert [found[c].per_second for c in (1, 4, 16, 64)] == [9.0] * 4
    assert found[4].cpu_seconds == pytest.approx(0.2)
    assert found[4].requests == 70 + 90 + 100


def test_goals_compare_medians(report):
    found = {figure.what: figure for figure in goals(report)}
    assert found["Throughput at concurrency 4 in onnxruntime fp32"].ratio == 3.0
    assert found["CPU a request"].ratio == pytest.approx(1.0)
    assert found["Memory"].ratio == pytest.approx(1 / 3)
    assert all(figure.met for figure in found.values())


def test_a_failed_request_misses_its_goal(report):
    report["rounds"][1]["systems"]["trireel"]["levels"][3]["errors"].append("refused")
    missed = [figure.what for figure in goals(report) if not figure.met]
    assert missed == ["Failed requests, all levels"]


def test_the_page_has_a_section_for_every_file(report):
    text = page({section.file: report for section in SECTIONS})
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        section.title for section in SECTIONS
    ]
    assert "| 4 | Trireel | 260 / 70 | 9.00 | 444 | 444 | 444 | 0 |" in text


def test_every_section_names_both_engines(report):
    bf16 = report | {"tower": "base", "tower_engine": "openvino-bf16"}
    text = page({"base.json": report | {"tower": "base"}, "bf16.json": bf16})
    fp32, reduced = text.split("\n## ")[1:]
    assert "**Trireel in onnxruntime fp32, Ray Serve in onnxruntime fp32.**" in fp32
    assert "**Trireel in OpenVINO bf16, Ray Serve in onnxruntime fp32.**" in reduced
    for section, engine in ((fp32, "onnxruntime fp32"), (reduced, "OpenVINO bf16")):
        assert (
            f"- Throughput at concurrency 4 in {engine}: 3.00 x Ray Serve in onnxruntime fp32,"
            " wanted at least 2: met"
        ) in section


def test_what_few_requests_stand_behind_is_left_out(report):
    for found in report["rounds"]:
        found["systems"]["ray_serve"]["levels"][1]["latencies_ms"] = [1500.0] * 19
    lines = page({"tiny.json": report}).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("| 4 | Trireel"))
    assert "| 57 / 19 | 1.90 | 1500 | \u2013 | \u2013 | 0 |" in lines[at + 1]
    assert "| 0.30 | \u2013 | \u2013 |  |" in lines[at + 2]


def test_the_command_has_the_rounds_that_ran(report):
    command = SECTIONS[0].command(report)
    assert command.startswith("python -m benchmarks.peer_ray_serve --rounds 3 --output ")


def test_headlines_have_the_figures_that_goals_are_for(report):
    whole, tuned, *_ = headlines({section.file: report for section in SECTIONS})
    assert whole.headlines == tuple(goals(report))
    first = whole.headlines[0]
    assert first.what == "Throughput at concurrency 4 in onnxruntime fp32"
    assert (first.value, first.unit) == (9.0, "requests/s")
    assert (first.beside, first.usual) == ("Ray Serve in onnxruntime fp32", 3.0)
    assert {headline.goal for headline in tuned.headlines} == {None}
    assert [headline.ratio for headline in tuned.headlines] == [3.0] * 3


def chunks(*embeddings, tag="park"):
    return {"chunks": [[{"tag": tag, "embedding": embedding} for embedding in embeddings]]}


def test_systems_that_say_the_same_agree():
    found = compare({"trireel": chunks([1.0, 0.0]), "ray_serve": chunks([1.0, 0.0])})
    assert found["worst_cosine"] == 1.0
    assert found["same_first_tag"] == 1


def test_other_work_is_not_compared():
    with pytest.raises(RuntimeError, match="other first tags"):
        compare({"trireel": chunks([1.0, 0.0]), "ray_serve": chunks([0.0, 1.0], tag="gym")})
    with pytest.raises(RuntimeError, match="different numbers of chunks"):
        compare({"trireel": chunks([1.0], [1.0]), "ray_serve": chunks([1.0])})
