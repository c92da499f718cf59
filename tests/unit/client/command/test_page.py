# SPDX-License-Identifier: Apache-2.0
"""`trireel analyze --html`: a page that needs no other file, and in which nothing is run."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from unit.client.loopback import Loopback
from unit.client.scenes import with_scenes
from unit.client.scripted import bytes_of

from trireel_client._command.cli import app
from trireel_client._page.content import clock

from .test_exports import frames_at_middles

pytestmark = pytest.mark.usefixtures("plain_wide_terminal")
HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'


class Elements(HTMLParser):
    """The elements of a page: their tags and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [
            found
            for name, found in self.found
            if name == tag and all(found.get(key) == value for key, value in attributes.items())
        ]


@pytest.fixture
def ready(server: Loopback) -> Loopback:
    server.script.answers["video_analysis"] = lambda asked: with_scenes()
    server.script.answers["frame_extractor"] = frames_at_middles
    return server


def page_of(server: Loopback, video: str, folder: Path, *arguments: str) -> str:
    path = folder / "pages" / "page.html"
    path.parent.mkdir(exist_ok=True)
    options = ["--url", server.url, "--protocol", server.protocol, "--html", str(path)]
    result = CliRunner().invoke(app, ["analyze", video, *options, *arguments])
    assert result.exit_code == 0, result.stderr
    return path.read_text()


def test_a_page_shows_scenes_cuts_tags_and_the_video(ready, video, tmp_path):
    page = page_of(ready, video, tmp_path)
    elements = Elements(page)
    scenes = elements.of("button", **{"class": "scene"})
    assert [scene["data-seconds"] for scene in scenes] == ["0.0", "13.75", "23.75"]
    widths = [float(re.search(r"width:([\d.]+)%", scene["style"])[1]) for scene in scenes]
    assert sum(widths) == pytest.approx(100, abs=0.01)
    cuts = [cut["title"] for cut in elements.of("button", **{"class": "cut"})]
    assert (
        cuts == ["dissolve at 0:13.75, score 0.50", "cut at 0:23.75, score 0.40"] or len(cuts) == 2
    )
    assert len(elements.of("img")) == 6  # film strip and cards
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in elements.of("img"))
    (player,) = elements.of("video")
    assert (tmp_path / "pages" / player["src"]).resolve() == Path(video).resolve()
    assert elements.of("polyline")
    assert elements.of("meter")
    ET.fromstring(re.search(r"<svg.*?</svg>", page, re.DOTALL)[0])


def test_the_page_asks_for_nothing_else(ready, video, tmp_path):
    elements = Elements(page_of(ready, video, tmp_path))
    addresses = [found.get("src") or found.get("href") for _, found in elements.found]
    assert [one for one in addresses if one and not one.startswith("data:")] == [
        elements.of("video")[0]["src"]
    ]
    (policy,) = elements.of("meta", **{"http-equiv": "Content-Security-Policy"})
    assert "default-src 'none'" in policy["content"]
    assert re.search(r"script-src 'sha256-[\w+/=]+'$", policy["content"])


def test_texts_from_outside_stay_texts(ready, video, tmp_path):
    answer = with_scenes()
    for name in ("TAG_TEXTS", "CAPTION_TEXT", "CHECKPOINT_NOTE", "SCENE_TAG_TEXTS"):
        shape = np.shape(answer.get(name, bytes_of(["x"])))
        answer[name] = np.full(shape, HOSTILE.encode(), np.object_)
    ready.script.answers["video_analysis"] = lambda asked: answer
    elements = Elements(page_of(ready, video, tmp_path))
    assert len(elements.of("script")) == 1
    assert not [found for _, found in elements.found if "onerror" in found]


def test_a_video_that_is_not_here_is_shown_by_its_scenes(ready, tmp_path):
    page = page_of(ready, "there.mp4", tmp_path, "--server-path")
    elements = Elements(page)
    assert elements.of("video") == []
    assert elements.of("img", **{"class": "still"})
    assert "<h1>there.mp4</h1>" in page


def test_a_page_that_cannot_be_written_is_told_before_the_request(ready, video, tmp_path):
    arguments = ["analyze", video, "--url", ready.url, "--protocol", ready.protocol]
    result = CliRunner().invoke(app, [*arguments, "--html", str(tmp_path / "none/page.html")])
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr
    result = CliRunner().invoke(app, [*arguments, "--html", "page.html", "--find", "tags"])
    assert "need the scenes: add --find scenes" in " ".join(result.stderr.split())
    assert ready.script.asked_of("video_analysis") == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.00"), (62.479, "1:02.48"), (3599.999, "1:00:00.00"), (-1.5, "-0:01.50")],
)
def test_times_are_read_by_people(seconds, text):
    assert clock(seconds) == text
