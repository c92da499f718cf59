# SPDX-License-Identifier: Apache-2.0
"""Charts: their numbers, by level and over time."""

import pytest
from unit.client.load_test.made import result

from trireel_client.load_test.show.report.charts import Chart, Line
from trireel_client.load_test.show.report.level_charts import level_charts
from trireel_client.load_test.show.report.time_charts import time_charts


def chart(*lines, **values):
    return Chart("Title", "What it is.", "x", "ms", lines, **values)


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
