# SPDX-License-Identifier: Apache-2.0
"""Drawings of charts: each value stands in the SVG where its number says."""

import re
from xml.etree import ElementTree

import pytest

from trireel_client.load_test.show.report.charts import Band, Chart, Line
from trireel_client.load_test.show.report.drawing import svg_of

LINE = Line("a", ((0.0, 0.0), (1.0, None), (2.0, 4.0), (4.0, 2.0)))


def chart(*lines, **values):
    return Chart("Title", "What it is.", "x", "ms", lines, **values)


def drawn(*lines, **values):
    """Return the elements of a drawing by their ids, without the drawing's name."""
    root = ElementTree.fromstring(svg_of(chart(*lines, **values), "one"))
    named = [element for element in root.iter() if element.get("id")]
    return {element.get("id").removeprefix("one-"): element for element in named}


def strokes(element):
    """Return a path's strokes, each a list of points."""
    path = element.find("path").get("d")
    return [
        [tuple(map(float, point)) for point in re.findall(r"([-\d.]+) ([-\d.]+)", part)]
        for part in path.split("M")
        if part.strip()
    ]


def box(element):
    """Return the left, top, right and bottom edge of a rectangle that is drawn as a path."""
    points = [point for stroke in strokes(element) for point in stroke]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def words(elements):
    """Return the texts of a drawing."""
    return [element[0].text for name, element in elements.items() if name.startswith("text_")]


def test_a_line_stands_at_its_values():
    ((begin,), (top, end)) = strokes(drawn(LINE)["line-0"])
    assert begin[0] < top[0] < end[0]
    # x: 0, 2, 4. y: 0, 4, 2, upwards.
    assert top[0] - begin[0] == pytest.approx(end[0] - top[0], abs=0.1)
    assert begin[1] - end[1] == pytest.approx(end[1] - top[1], abs=0.1)
    assert top[1] < end[1] < begin[1]


def test_zero_stands_on_the_axis_and_is_named():
    elements = drawn(LINE)
    ((begin,), _) = strokes(elements["line-0"])
    ((left, _),) = strokes(elements["line2d_10"])  # the lowest rule
    assert begin == pytest.approx(left, abs=0.1)
    assert words(elements).count("0") == 1


def test_a_marker_names_its_value():
    markers = list(drawn(LINE)["line-0"].iter("use"))
    assert [marker.find("title").text for marker in markers] == [
        "a, x 0.0: 0 ms",
        "a, x 2.0: 4 ms",
        "a, x 4.0: 2 ms",
    ]
    (_, middle, _) = markers
    (_, (top, _)) = strokes(drawn(LINE)["line-0"])
    assert (float(middle.get("x")), float(middle.get("y"))) == pytest.approx(top)


def test_a_long_line_has_no_markers():
    points = tuple((float(x), 1.0) for x in range(200))
    assert not list(drawn(Line("a", points))["line-0"].iter("use"))


def test_bars_stand_upon_each_other():
    low = Line("low", ((0.0, 10.0), (1.0, 20.0)))
    high = Line("high", ((0.0, 30.0), (1.0, None)))
    elements = drawn(low, high, x_names=("1", "2"), stacked=True)
    boxes = {name: box(elements[name]) for name in ("bar-0-0", "bar-0-1", "bar-1-0", "bar-1-1")}
    heights = {name: bottom - top for name, (_, top, _, bottom) in boxes.items()}
    assert boxes["bar-1-0"][3] == pytest.approx(boxes["bar-0-0"][1])
    assert heights["bar-1-0"] == pytest.approx(3 * heights["bar-0-0"], rel=1e-3)
    assert heights["bar-0-1"] == pytest.approx(2 * heights["bar-0-0"], rel=1e-3)
    assert heights["bar-1-1"] == 0
    assert elements["bar-1-0"].find("title").text == "high, x 1: 30 ms"
    assert {"1", "2", "low", "high"} <= set(words(elements))


def test_levels_are_bands_in_time():
    flat = Line("a", ((0.0, 1.0), (10.0, 1.0)))
    elements = drawn(flat, bands=(Band("8", 5.0, 10.0),))
    (((left, _), (right, _)),) = strokes(elements["line-0"])
    begin, _, end, _ = box(elements["band-0"])
    assert begin == pytest.approx((left + right) / 2)
    assert end == pytest.approx(right)
    assert "8" in words(elements)


def test_colours_are_the_pages():
    text = svg_of(chart(LINE, bands=(Band("8", 0.0, 1.0),)), "one")
    assert not re.search("#[0-9a-f]{6}|rgb|font-family|<style", text)
    assert set(re.findall(r"var\((--\w+)\)", text)) == {"--faint", "--rule", "--band", "--c0"}


def test_names_are_text_and_nothing_else():
    names = ["_hidden", "$x$", "<script>", "a & b"]
    lines = (Line(name, ((0.0, 1.0), (1.0, 2.0))) for name in names)
    found = [word.replace("\N{WORD JOINER}", "") for word in words(drawn(*lines))]
    assert found[-4:] == names
    assert "<script>" not in svg_of(chart(Line("<script>", ((0.0, 1.0),))), "one")


def test_drawings_share_no_ids():
    first, second = (set(re.findall(' id="(.*?)"', svg_of(chart(LINE), name))) for name in "ab")
    assert first
    assert not first & second


def test_the_same_chart_is_drawn_alike():
    assert svg_of(chart(LINE), "one") == svg_of(chart(LINE), "one")
