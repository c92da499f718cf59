# SPDX-License-Identifier: Apache-2.0
"""The report's files: whole, self-contained, escaped, readable without eyes."""

import csv
import dataclasses
import html
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from unit.client.load_test.made import result

from trireel_client.load_test.judge.rules import Finding
from trireel_client.load_test.show.report import write_report

VOID = {"meta", "br", "link", "img", "input"}
NASTY = '<script>alert(1)</script> & "quoted"'


class Page(HTMLParser):
    """Reads a page and keeps what a test asks for."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.attributes = [], [], []
        self.open, self.misnested = [], []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def folder(tmp_path):
    write_report(tmp_path, result(message=NASTY), with_samples=True)
    return tmp_path


@pytest.fixture
def text(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def page(text):
    return Page(text)


def test_the_page_is_whole(page, text):
    assert text.startswith("<!DOCTYPE html>")
    assert (page.open, page.misnested) == ([], [])
    assert len(page.ids) == len(set(page.ids))
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("title") > page.tags.count("svg") // 2


def test_the_page_needs_nothing_beside_it(page, text):
    names = {name for _, name, _ in page.attributes}
    assert not names & {"src", "srcset", "xlink:href", "onclick", "onload"}
    links = [value for _, name, value in page.attributes if name == "href"]
    assert all(link.startswith("#") and link[1:] in page.ids for link in links)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not re.search(r"https?://|url\(|@import", text)
    policy = {value for tag, _, value in page.attributes if tag == "meta"}
    assert "default-src 'none'; style-src 'unsafe-inline'" in policy


def test_what_comes_from_elsewhere_is_escaped(text, page):
    assert "<script>" not in text
    assert NASTY in page.text


def test_light_and_dark_have_the_same_colours_to_give(text):
    assert "color-scheme: light dark" in text
    light, dark = (set(re.findall(r"(--\w+):", part)) for part in _root_rules(text))
    assert light == dark > {"--page", "--ink", "--c0", "--c7"}


def test_every_colour_is_legible_on_its_page(text):
    for rule in _root_rules(text):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", rule))
        names = [name for name in colours if re.fullmatch(r"c\d|ink|faint", name)]
        assert len(names) == 10
        for name in names:
            least = 4.5 if name in ("ink", "faint") else 3.0  # text, shapes: WCAG 2.2
            assert _contrast(colours[name], colours["page"]) >= least, name


def _root_rules(text):
    return re.findall(r":root \{(.*?)\}", text, re.S)


def _contrast(one, other):
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour):
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def charts(text):
    return [
        ElementTree.fromstring(svg)
        for svg in re.findall(r'<svg class="chart".*?</svg>', text, re.S)
    ]


def test_every_chart_says_what_it_is_and_has_its_table(text):
    found = charts(text)
    assert len(found) == 8 + 6
    assert text.count("<figure>") == text.count("<details>") == len(found)
    for chart in found:
        title, words = chart.find("title"), chart.find("desc")
        assert chart.get("role") == "img"
        assert chart.get("aria-labelledby").split() == [title.get("id"), words.get("id")]
        name = html.escape(title.text).replace("&#x27;", "&#39;")
        assert text.count(f"<figcaption><h3>{name}</h3>") == 1
        assert words.text.endswith("The numbers are in the table below.")
        assert f"<summary>Numbers of “{name}”</summary>" in text


def test_nothing_is_drawn_outside_a_chart(text):
    for chart in charts(text):
        _, _, width, height = map(float, chart.get("viewBox").split())
        for shape in chart.iter():
            assert 0 <= float(shape.get("x", 0)) <= width
            assert 0 <= float(shape.get("y", 0)) <= height
        for group in chart.iter("g"):
            if re.search(r"-(line|bar|band)-\d", group.get("id", "")):
                points = re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", group.find("path").get("d"))
                assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in points)


def test_the_page_names_limit_settings_and_versions(page):
    for words in (
        "What bounds it",
        "nothing yet",
        "triton 2.51.0 at 127.0.0.1:8001",
        "a note",
        "['a beach']",
        "never repeated",
        "2 instances, 2 at once",
        "numpy",
    ):
        assert words in page.text


def test_the_page_names_the_limit_of_every_level(text):
    (table,) = re.findall(r"<caption>What bounds each level</caption>.*?</table>", text, re.S)
    assert table.count("<td>nothing yet</td>") == 3


def test_options_to_change_are_code(tmp_path):
    made = result()
    finding = Finding("a limit", "x", ("`--videos 8` of <b>, or `--towers`",))
    full = tuple(dataclasses.replace(one, findings=(finding,)) for one in made.summaries)
    write_report(tmp_path, dataclasses.replace(made, summaries=full), with_samples=False)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<code>--videos 8</code> of &lt;b&gt;, or <code>--towers</code>" in text
    assert "`" not in text


def test_the_json_has_everything(folder):
    data = json.loads((folder / "results.json").read_text())
    assert data["plan"]["options"] == {"tags": ["a beach"]}
    first = data["levels"][0]
    assert first["name"] == "concurrency 1"
    assert (first["counts"]["ok"], first["counts"]["failed"]) == (20, 1)
    assert first["warm_up"]["ok"] == 2
    assert first["failures"][0]["example"] == NASTY
    assert first["window_begin_seconds"] == 1.0
    assert len(first["samples"]) == 23
    assert sum(one["counted"] for one in first["samples"]) == 21
    assert first["samples"][3]["due_seconds"] == 1.5
    assert first["samples"][3]["chunk_at_seconds"] == pytest.approx([1.7])
    extractor = first["models"][0]
    assert (extractor["model"], extractor["slots"]) == ("frame_extractor", 2)
    assert extractor["utilisation"] == pytest.approx(0.25)
    assert len(data["looks"]) == 60
    assert data["looks"][1]["metrics"]["nv_inference_count siglip_vision"] == 32
    assert data["load_generator"]["packages"]["numpy"]


def test_single_videos_are_left_out_when_asked(tmp_path):
    write_report(tmp_path, result(), with_samples=False)
    data = json.loads((tmp_path / "results.json").read_text())
    assert all("samples" not in level for level in data["levels"])
    assert data["levels"][0]["latency"]["count"] == 20


def test_the_csv_has_a_row_a_level(folder):
    with (folder / "levels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["loop"], row["concurrency"], row["rate"]) for row in rows] == [
        ("closed", "1", ""),
        ("closed", "2", ""),
        ("open", "", "2.0"),
    ]
    assert float(rows[0]["latency_p95_seconds"]) == pytest.approx(0.4)
    assert float(rows[0]["videos_per_second"]) == pytest.approx(2.0)
    assert float(rows[0]["success_rate"]) == pytest.approx(20 / 21)
    assert float(rows[0]["encode_mean_ms"]) == 300.0
    assert float(rows[0]["server_cpus"]) == pytest.approx(0.8)
    assert rows[0]["limit"] == "nothing yet"
