# SPDX-License-Identifier: Apache-2.0
"""The page and the headlines of the captions benchmark, and how raw numbers are added up."""

from pathlib import Path

import pytest

from benchmarks.captions.__main__ import is_wanted, scaled_up
from benchmarks.captions.headlines import headlines
from benchmarks.captions.table import page
from benchmarks.captions.totals import FOUND_REGION, REGION, costs, groups, lengths, parts, scores

MACHINE = {"cores": 2, "processor": "P", "python": "3.11", "commit": "abc", "packages": {"a": "1"}}


def video(group, extents, exact, wrong=0, **false):
    return {
        "group": group, "extents": extents, "exact": exact, "exact_ends": 2 * exact[0],
        "characters": 100, "characters_found": 80, "wrong": wrong, "false": false,
    }  # fmt: skip


REPORT = {
    "machine": MACHINE,
    "fps": 10.0,
    "videos": {
        "test-real-plain-0, region": video("plain", [4, 0, 0], [4, 0, 0], wrong=2),
        "test-real-plain-0, found region": video("plain", [3, 1, 1], [3, 1, 1], logo=1),
        "test-drawn-fades-0, region": video("fades", [3, 1, 1], [2, 2, 2], other=1),
        "tune-real-plain-0, region": video("plain", [1, 9, 0], [1, 9, 0]),
    },
    "cost": {
        "2 minutes, trireel": {"wall_seconds": 10.0, "cpu_seconds": 15.0, "peak_mib": 500.0},
        "2 minutes, sequential": {"wall_seconds": 20.0, "cpu_seconds": 16.0, "peak_mib": 300.0},
        "60 minutes, trireel": {"wall_seconds": 300.0, "cpu_seconds": 450.0, "peak_mib": 510.0},
        "60 minutes, trireel without clips": {
            "wall_seconds": 250.0, "cpu_seconds": 400.0, "peak_mib": 500.0,
        },
        "60 minutes, rapidocr": {
            "wall_seconds": 9e4, "cpu_seconds": 1.6e5, "peak_mib": 800.0, "scaled_by": 600.0,
        },
    },
}  # fmt: skip


def test_the_videos_of_a_part_are_added_up():
    found = scores(REPORT, REGION, "test")
    assert (found.extents.hits, found.extents.missed, found.exact.hits) == (7, 1, 6)
    assert (found.error_rate, found.false) == (2 / 160, {"other": 1})
    assert scores(REPORT, REGION, "test", "fades").extents.hits == 3
    assert scores(REPORT, FOUND_REGION).false == {"logo": 1}
    assert groups(REPORT) == ["plain", "fades"]
    assert parts(REPORT) == ["test-drawn", "test-real", "tune-real"]


def test_costs_are_those_of_one_length():
    assert list(lengths(REPORT)) == [2, 60]
    assert list(costs(REPORT, 2)) == ["trireel", "sequential"]


def test_the_page_holds_every_part_group_and_way():
    made = page({"results.json": REPORT})
    assert "| test-real, found region | 4 | 0.750 |" in made
    assert "| fades | 4 | 0.750 | 0.500 | 0.500 | 0.00% | 20.00% | 1 other |" in made
    assert "| 60 | rapidocr | 90000.0 | 160000.0 | 800 | 600 |" in made
    assert max(len(line) for line in made.splitlines() if not line.startswith("|")) <= 140


def test_a_page_of_nothing_but_costs_or_scores_is_made():
    assert "## Cost" not in page({"results.json": REPORT | {"cost": {}}})
    assert "## By set" not in page({"results.json": REPORT | {"videos": {}}})


def test_the_headlines_say_which_goals_are_met():
    (found,) = headlines({"results.json": REPORT})
    met = {headline.what: headline.met for headline in found.headlines}
    assert met["F1 of extents at one sampled frame"] is False
    assert met["character error rate"] is True
    assert met["captions from a logo or a clock, found region"] is False
    assert met["2 minutes: time with clips"] is True
    assert met["60 minutes: cost without clips"] is True
    assert met["the most memory, 60 minutes beside 2"] is True
    assert list(headlines({})) == []


def test_samples_that_are_not_read_are_counted():
    cost = scaled_up(
        {
            "samples": 600, "read": 60, "decode_seconds": [3.0, 4.0], "read_seconds": [10.0, 18.0],
            "peak_mib": 700.0, "texts": [],
        }
    )  # fmt: skip
    assert (cost["wall_seconds"], cost["cpu_seconds"], cost["scaled_by"]) == (103.0, 184.0, 10.0)
    assert "texts" not in cost


@pytest.mark.parametrize(
    ("way", "python", "wanted"),
    [("sequential", None, True), ("rapidocr", None, False), ("rapidocr", Path("python"), True)],
)
def test_a_cost_is_measured_once_and_only_with_its_package(way, python, wanted):
    assert is_wanted(f"2 minutes, {way}", way, {}, python) == wanted
    assert not is_wanted(f"2 minutes, {way}", way, {f"2 minutes, {way}": {}}, python)
