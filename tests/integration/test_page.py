# SPDX-License-Identifier: Apache-2.0
"""The page in Chromium, on a real gateway, with the real server's findings of the sample."""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect
from support.gateway import gateway_settings, served
from support.page import CHROMIUM, WAIT_MS, browser, drop_file, tab, until, working
from support.videos import numbered_frame, write_video

from .conftest import SAMPLE

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
HOSTILE = "<img src=x onerror=document.title='owned'>.mp4"
SCREEN_PX = {"width": 1280, "height": 800}
WIDTHS_PX = (390, 820, 1440)
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def gateway(server, tmp_path_factory):
    """A gateway with a worker."""
    settings = gateway_settings(tmp_path_factory.mktemp("gateway"), servers=(server.grpc_url,))
    with served(settings) as running, working(running.gateway.parts.database, server.grpc_url):
        yield running


@pytest.fixture(scope="module")
def chromium(gateway):
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def seen(chromium, gateway):
    """What a reader sees who drops the sample: lines of progress, and of findings."""
    with signed_in(chromium, gateway) as anna:
        drop_file(anna.page, SAMPLE)
        anna.page.get_by_role("link", name="sample.mp4").first.click()
        seen = {"states": set(), "found": []}
        while not anna.page.get_by_role("region", name="Timeline").is_visible():
            seen["states"].update(anna.page.locator(".live .spread .soft").all_inner_texts())
            lines = anna.page.locator(".found li").all_inner_texts()
            seen["found"] = lines or seen["found"]
            anna.page.wait_for_timeout(50)
    return seen


@contextmanager
def signed_in(chromium, gateway, **options):
    with tab(chromium, viewport=SCREEN_PX, **options) as opened:
        opened.page.goto(f"{gateway.url}/#key={gateway.gateway.key}")
        expect(opened.page.get_by_role("heading", name="Library")).to_be_visible()
        yield opened
        assert opened.faults == []


@pytest.fixture(scope="module")
def signed_in_tab(chromium, gateway, seen):
    with signed_in(chromium, gateway) as opened:
        yield opened


@pytest.fixture
def anna(signed_in_tab):
    """Anna's tab, on the library; at the end of a test nothing may have gone wrong in it."""
    signed_in_tab.page.set_viewport_size(SCREEN_PX)
    signed_in_tab.page.evaluate("location.hash = '#/'")
    yield signed_in_tab
    assert signed_in_tab.faults == []


def open_sample(page):
    page.get_by_role("link", name="sample.mp4").first.click()
    expect(page.get_by_role("region", name="Timeline")).to_be_visible()
    until(page, "document.querySelector('video')?.readyState >= 2")


def test_a_dropped_video_is_seen_while_it_is_analysed(seen, truth):
    assert any(line.startswith("Chunk ") for line in seen["states"])
    cuts = [line for line in seen["found"] if "a new scene begins" in line]
    assert len(cuts) >= len(truth) // 2  # those of the last chunk may come with the end


def test_the_key_leaves_the_address(anna):
    assert "key" not in anna.page.url
    anna.page.reload()  # the cookie keeps the session
    expect(anna.page.get_by_role("link", name="sample.mp4").first).to_be_visible()


def test_the_door_says_that_a_key_is_wrong(chromium, gateway):
    with tab(chromium) as visitor:
        visitor.page.goto(gateway.url)
        visitor.page.get_by_label("Key").fill("trk_wrong")
        visitor.page.get_by_role("button", name="Sign in").click()
        expect(visitor.page.get_by_role("alert")).to_contain_text("not valid")
        visitor.page.get_by_label("Key").fill(gateway.gateway.key)
        visitor.page.get_by_role("button", name="Sign in").click()
        expect(visitor.page.get_by_role("heading", name="Library")).to_be_visible()
        visitor.page.get_by_role("button", name="Sign out").click()
        expect(visitor.page.get_by_label("Key")).to_be_visible()


def test_each_cut_shows_the_first_frame_of_its_scene(anna, truth):
    open_sample(anna.page)
    cuts = [scene["start_seconds"] for scene in truth[1:]]
    for cut in [*cuts, *cuts[-2::-1]]:
        assert anna.frame_after_click(f"[data-cut='{cut}']") == pytest.approx(cut, abs=1e-4)
        assert float(anna.page.locator(".readout b").get_attribute("data-pts")) == pytest.approx(
            cut
        )


def test_scenes_and_moments_lead_to_their_frame(anna, truth):
    open_sample(anna.page)
    scene = truth[3]["start_seconds"]
    assert anna.frame_after_click(f".tl-scene[data-start='{scene}']") == pytest.approx(scene)
    video = re.search("videos/([^?]+)", anna.page.url)[1]
    anna.page.goto(anna.page.url.split("#")[0] + f"#/videos/{video}?t={truth[5]['start_seconds']}")
    expect(anna.page.locator(".readout b")).to_have_text("0:44.280")


def test_keys_go_by_frames_and_scenes(anna, truth):
    open_sample(anna.page)
    first, second = (scene["start_seconds"] for scene in truth[1:3])
    anna.frame_after_click(f"[data-cut='{first}']")
    readout = anna.page.locator(".readout b")
    for key, wanted in ((".", first + 0.04), (",", first), (",", first - 0.04), ("]", first)):
        anna.page.keyboard.press(key)
        expect(readout).to_have_text(f"0:{wanted:06.3f}")
    anna.page.keyboard.press("]")
    expect(readout).to_have_text(f"0:{second:06.3f}")


def test_own_words_are_scored_while_they_are_typed(anna):
    open_sample(anna.page)
    anna.page.get_by_label("Your own words").press_sequentially("somebody cooking, the sea")
    row = anna.page.get_by_role("group", name="somebody cooking")
    expect(row.locator("polyline")).to_be_visible()
    points = row.locator("polyline").get_attribute("points").split()
    shares = [[float(part) for part in point.split(",")] for point in points]
    kitchen = [100 - y for x, y in shares if 8.5 < x * 51 / 1000 < 21]
    others = [100 - y for x, y in shares if not 8 < x * 51 / 1000 < 22]
    assert min(kitchen) > max(others)
    expect(anna.page.get_by_role("group", name="the sea")).to_be_visible()
    anna.page.get_by_role("button", name="Remove the sea").click()
    expect(anna.page.get_by_role("group", name="the sea")).to_have_count(0)


def test_a_search_finds_and_plays_the_moment(anna, truth):
    anna.page.get_by_role("textbox", name="Search all videos").fill("a person running")
    anna.page.keyboard.press("Enter")
    moment = anna.page.locator(".moment").first
    expect(moment.get_by_text("sample.mp4")).to_be_visible()
    moment.hover()
    until(anna.page, "document.querySelector('.moment video')?.currentTime > 0")
    until(anna.page, "document.querySelector('.moment video')?.paused === false")
    best = float(re.search(r"t=([\d.]+)", moment.locator("a").get_attribute("href"))[1])
    assert truth[4]["start_seconds"] <= best <= truth[4]["end_seconds"]
    moment.click()
    expect(anna.page.get_by_role("region", name="Timeline")).to_be_visible()


def test_another_owner_sees_no_video(chromium, gateway, seen):
    with tab(chromium) as ben:
        ben.page.goto(f"{gateway.url}/#key={gateway.gateway.other_key}")
        expect(ben.page.get_by_text("Drop a video here")).to_be_visible()
        video = gateway.gateway.parts.uploads.ids("anna")[0]
        ben.page.goto(f"{gateway.url}/#/videos/{video}")
        expect(ben.page.get_by_text("This video is not here")).to_be_visible()


def test_a_key_that_may_only_read_is_offered_no_more(chromium, gateway, seen):
    key = gateway.gateway.parts.keys.create("anna", ("videos:read",))
    with tab(chromium) as reader:
        reader.page.goto(f"{gateway.url}/#key={key}")
        open_sample(reader.page)
        for name in ("Delete", "Add video", "Ask"):
            expect(reader.page.get_by_role("button", name=name)).to_have_count(0)
        reader.page.get_by_role("tab", name="Scenes").press("ArrowRight")
        expect(reader.page.get_by_role("tab", name="Chunks")).to_be_focused()
        expect(reader.page.get_by_role("columnheader", name="Best tag")).to_be_visible()


@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_no_view_is_wider_than_its_screen(anna, width_px):
    anna.page.set_viewport_size({"width": width_px, "height": 844})
    open_sample(anna.page)
    video = anna.page.url
    for address in (video, "#/", "#/search?q=running", "#/jobs", "#/server"):
        anna.page.goto(video.split("#")[0] + "#" + address.partition("#")[2])
        anna.page.wait_for_timeout(100)
        widest = anna.page.evaluate("document.documentElement.scrollWidth")
        assert widest <= width_px, address


def test_only_checked_citations_can_be_clicked(anna):
    text = "At [a.mp4 00:01.000], not at [b.mp4 00:02.000]."
    citation = {"text": "[a.mp4 00:01.000]", "at_seconds": 1.0}
    pieces = anna.page.evaluate(
        "async values => (await import('/js/parts/chat.js')).pieces(...values)", [text, [citation]]
    )
    assert pieces == ["At ", citation, ", not at [b.mp4 00:02.000]."]


def test_each_frame_of_a_variable_rate_can_be_shown(anna, tmp_path):
    pts_ms = [400, 440, 460, 560, 590, 1100, 1140, 1170, 1900, 1940]
    clip = write_video(tmp_path / "variable.mp4", [numbered_frame(n) for n in range(10)], pts_ms)
    drop_file(anna.page, clip)
    anna.page.get_by_role("link", name="variable.mp4").first.click()
    expect(anna.page.get_by_role("region", name="Timeline")).to_be_visible()
    for milliseconds in (*pts_ms[1:], *pts_ms[-2::-1]):
        anna.page.evaluate(
            f"location.hash = location.hash.split('?')[0] + '?t={milliseconds / 1000}'"
        )
        expect(anna.page.locator(".readout b")).to_have_text(f"0:{milliseconds / 1000:06.3f}")


def test_a_hostile_name_is_text_and_its_video_is_deleted(anna, gateway, tmp_path):
    uploads = gateway.gateway.parts.uploads
    before = len(uploads.page("anna", 9))
    write_video(tmp_path / "clip.mp4", [numbered_frame(number) for number in range(8)])
    anna.page.locator("[data-test=file]").set_input_files(
        {"name": HOSTILE, "mimeType": "video/mp4", "buffer": (tmp_path / "clip.mp4").read_bytes()}
    )
    anna.page.get_by_role("link", name=HOSTILE).first.click()
    expect(anna.page.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()
    assert anna.page.title() == "Trireel"
    anna.page.get_by_role("button", name="Delete").click()
    anna.page.get_by_role("button", name="Keep it").click()
    assert len(uploads.page("anna", 9)) == before + 1
    anna.page.get_by_role("button", name="Delete").click()
    anna.page.get_by_role("button", name="Delete the video").click()
    expect(anna.page.get_by_role("heading", name="Library")).to_be_visible()
    expect(anna.page.get_by_role("link", name=HOSTILE)).to_have_count(0)
    assert len(uploads.page("anna", 9)) == before
