# SPDX-License-Identifier: Apache-2.0
"""Charts: their numbers and their geometry."""

import re

import pytest
from unit.client.load_test.made import result

from trireel_client.load_test.show.report.charts import Band, Chart, Line
from trireel_client.load_test.show.report.geometry import draw, label, nice_ticks
from trireel_client.load_test.show.report.level_charts import level_charts
from trireel_client.load_test.show.report.time_charts import time_charts


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        (0.0, (0, 1)),
        (1.0, (0, 0.25, 0.5, 0.75, 1.0)),
        (3.1, (0, 1, 2, 3, 4)),
        (40.0, (0, 10, 20, 30, 40)),
        (1426.0, (0, 500, 1000, 1500)),
        (0.007, (0, 0.002, 0.004, 0.006, 0.008)),
    ],
)
def test_ticks_are_round_and_reach_the_largest_value(largest, ticks):
    assert nice_ticks(largest, 5) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "0.25"), (0.0, "0"), (1500.0, "1,500"), (999.0, "999")]
)
def test_tick_labels_are_short(value, text):
    assert label(value) == text


def chart(*lines, **values):
    return Chart("Title", "What it is.", "x", "ms", lines, **values)


def test_a_line_is_broken_where_nothing_is_known():
    drawing = draw(chart(Line("a", ((0.0, 0.0), (1.0, None), (2.0, 4.0), (4.0, 2.0)))))
    (mark,) = drawing.marks
    assert re.findall("[ML]", mark.path) == ["M", "M", "L"]
    assert len(mark.dots) == 3
    # 0 stands on the axis, the largest value on its highest tick, the last x at the right.
    assert mark.dots[0].y_px == drawing.bottom_px == drawing.y_ticks[0].at_px
    assert mark.dots[1].y_px == drawing.y_ticks[-1].at_px
    assert mark.dots[2].x_px == drawing.right_px
    assert mark.dots[1].label == "a, x 2.0: 4 ms"


def test_bars_stand_upon_each_other():
    lines = (Line("low", ((0.0, 10.0), (1.0, 20.0))), Line("high", ((0.0, 30.0), (1.0, None))))
    drawing = draw(chart(*lines, x_names=("1", "2"), stacked=True))
    (low, other), (high, nothing) = (mark.bars for mark in drawing.marks)
    assert low.y_px + low.height_px == pytest.approx(drawing.bottom_px)
    assert high.y_px + high.height_px == pytest.approx(low.y_px)
    assert high.height_px == pytest.approx(3 * low.height_px, abs=0.2)
    assert other.height_px == pytest.approx(2 * low.height_px, abs=0.2)
    assert nothing.height_px == 0
    assert [tick.label for tick in drawing.x_ticks] == ["1", "2"]


def test_levels_are_bands_in_time():
    drawing = draw(chart(Line("a", ((0.0, 1.0), (10.0, 1.0))), bands=(Band("8", 5.0, 10.0),)))
    (band,) = drawing.bands
    assert band.x_px == pytest.approx((drawing.left_px + drawing.right_px) / 2)
    assert band.x_px + band.width_px == pytest.approx(drawing.right_px)


def test_the_table_has_every_number():
    table = chart(
        Line("a", ((0.0, 1.5), (1.0, None))), Line("b", ((1.0, 2.0),)), x_names=("1", "2")
    ).table
    assert table.columns == ("x", "a", "b")
    assert table.rows == (("1", "1.50", "-"), ("2", "-", "2.00"))


def numbers(chart, name):
    (line,) = (line for line in chart.lines if line.name == name)
    return [y for _, y in line.points]


def test_charts_by_level_are_the_summaries():
    charts = {one.title: one for one in level_charts(result().summaries)}
    assert list(charts) == [
        f"{what} by {by}"
        for by in ("concurrency", "arrivals")
        for what in ("Throughput", "Latency", "First chunk", "Time per stage")
    ]
    assert charts["Throughput by concurrency"].x_names == ("1", "2")
    assert charts["Throughput by arrivals"].x_names == ("2",)
    # 22 videos of half a second apart: 20 of them end in the 10 s window.
    assert numbers(charts["Throughput by concurrency"], "videos/s") == [2.0, 2.0]
    assert numbers(charts["Latency by concurrency"], "p99") == pytest.approx([400.0, 400.0])
    assert numbers(charts["First chunk by arrivals"], "p50") == pytest.approx([200.0])
    assert numbers(charts["Time per stage by concurrency"], "encode") == [300.0, 300.0]
    assert "total" not in {line.name for line in charts["Time per stage by concurrency"].lines}


def test_charts_over_time_are_the_looks():
    charts = {one.title: one for one in time_charts(result())}
    assert list(charts) == [
        "Queue length",
        "Executed batch",
        "Videos and sequences",
        "CPU",
        "Memory of the server's processes",
        "GPU",
    ]
    queue = charts["Queue length"]
    assert [line.name for line in queue.lines] == ["frame_extractor", "video_analysis"]
    assert numbers(queue, "frame_extractor")[:4] == [1, 2, 0, 1]  # 100 % 3 is 1
    assert set(numbers(charts["Executed batch"], "siglip_vision")) == {32.0}
    # Two of them wait in Triton for video_analysis, which does not know of them.
    assert set(numbers(charts["Videos and sequences"], "open videos")) == {1.0 + 2.0}
    assert numbers(charts["CPU"], "server") == pytest.approx([0.8] * 59)
    assert numbers(charts["CPU"], "load generator") == pytest.approx([0.1] * 59)
    assert numbers(charts["CPU"], "this machine") == pytest.approx([2.0] * 59)
    assert set(numbers(charts["Memory of the server's processes"], "server")) == {0.5}
    assert numbers(charts["GPU"], "memory")[0] == pytest.approx(50.0)
    assert [band.name for band in queue.bands] == ["1", "2", "2"]
    assert queue.bands[0].begin_seconds == 1.0
