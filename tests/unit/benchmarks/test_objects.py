# SPDX-License-Identifier: Apache-2.0
"""Objects beside a detection pipeline, and all findings in one request."""

import pytest

from benchmarks.objects.agreement import compare, iou, matches
from benchmarks.objects.figures import cost, figures
from benchmarks.objects.headlines import headlines
from benchmarks.objects.rounds import FIND
from benchmarks.objects.table import SECTIONS, goal_lines, page

FILES = [section.file for section in SECTIONS]
COSTS = {"tags": 0.2, "caption": 0.2, "scenes": 0.3, "objects": 0.4}
PERSON = {"label": "person", "score": 0.9, "box": [0.1, 0.1, 0.5, 0.5]}
CAR = {"label": "car", "score": 0.8, "box": [0.6, 0.6, 0.9, 0.9]}


def levels(per_second, cpu_seconds):
    count = round(per_second * 10)
    return [
        {
            "concurrency": concurrency,
            "latencies_ms": [1000 * concurrency / per_second] * count,
            "errors": [],
            "window_seconds": 10.0,
            "cpu_seconds": cpu_seconds * count,
            "client_cpu_seconds": 0.0,
            "others_cpu_seconds": 1.0,
            "pss_mib": {"median": 100.0, "most": 200.0},
        }
        for concurrency in (1, 4)
    ]


def costs(together):
    each = {**COSTS, "tags, caption, scenes": 0.35, "all four": together}
    return {
        name: {"cpu_seconds": 4 * each[name], "latencies_ms": [100.0 * each[name]] * 4}
        for name in FIND
    }


@pytest.fixture
def report():
    """Three rounds, the middle one of which is the median."""
    modes = ("chunked", "combined")
    rounds = [
        {
            "systems": {
                **{f"trireel {mode}": {"levels": levels(9.0 + shift, 0.2)} for mode in modes},
                **{f"ray_serve {mode}": {"levels": levels(3.0, 0.6)} for mode in modes},
            },
            "costs": costs(0.55 + shift / 10),
            "agreement": {mode: {"frames": 48, "objects": 100, "same": 98} for mode in modes},
            "parts": {
                "scaler_cpu_seconds": [0.02, 0.02],
                "detector_cpu_seconds": [0.1, 0.14],
                "tracker_cpu_seconds": [0.01, 0.01],
            },
        }
        for shift in (-2.0, 0.0, 1.0)
    ]
    return {
        "machine": {"cores": ["a core"] * 2, "commit": "abc"},
        "peer_packages": {"ray": "1"},
        "detector": {"checkpoint": "toy", "width_px": 256, "height_px": 256},
        "rounds": rounds,
    }


def test_figures_are_medians_of_the_rounds(report):
    found = {figure.what: figure for figure in figures(report)}
    assert found["Throughput at concurrency 4, chunked"].ratio == pytest.approx(3.0)
    assert found["Throughput at concurrency 4, combined"].met
    assert cost(report, "all four") == pytest.approx(0.55)


def test_one_request_is_compared_with_parts_and_with_four(report):
    parts, singles = (f for f in figures(report) if f.what.startswith("CPU of all four"))
    assert parts.usual == pytest.approx(0.35 + 0.15)
    assert (parts.ratio, parts.met) == (pytest.approx(1.1), True)
    assert singles.usual == pytest.approx(1.1)


def test_a_missed_goal_is_said(report):
    for found in report["rounds"]:
        found["costs"] = costs(0.7)
    lines = list(goal_lines(report))
    assert any(line.endswith("wanted at most 1.15: not met") for line in lines)


def test_the_page_holds_both_comparisons(report):
    text = page({SECTIONS[0].file: report})
    assert "| chunked | 4 | Trireel | 260 / 70 | 9.00 |" in text
    assert "| all four | 0.550 | 55 |" in text
    assert "588 of 600 objects are the same" in " ".join(text.split())
    both, fitted = (dict.fromkeys(files, report) for files in (FILES, FILES[1:]))
    assert len(list(headlines(both))) == 2
    (run,) = headlines(fitted)
    throughput = [f for f in run.headlines if f.what.startswith("Throughput")]
    assert [figure.goal for figure in throughput] == [None, None]


def test_an_object_matches_one_of_its_label():
    shifted = {**PERSON, "box": [0.12, 0.1, 0.52, 0.5]}
    assert iou(PERSON["box"], PERSON["box"]) == pytest.approx(1.0)
    assert matches([PERSON, CAR], [shifted]) == 1
    assert matches([PERSON, PERSON], [shifted]) == 1
    assert matches([PERSON], [{**shifted, "label": "car"}]) == 0


def test_systems_that_do_other_work_are_noticed():
    frame = {"timestamp": 0.25, "objects": [PERSON]}
    other = {"timestamp": 0.25, "objects": [CAR]}
    assert compare([[frame]], [[frame]]) == {"frames": 1, "objects": 2, "same": 2}
    with pytest.raises(RuntimeError, match="looked at 1 and 2 frames"):
        compare([[frame]], [[frame, frame]])
    with pytest.raises(RuntimeError, match="0 of 2 objects"):
        compare([[frame]], [[other]])
