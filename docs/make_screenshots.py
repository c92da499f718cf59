# SPDX-License-Identifier: Apache-2.0
"""Take pictures of each view of the page, at three widths, light and dark.

scripts/app prints an address with a key. Add some videos there, media/sample.mp4 among them, then:

    .venv/bin/python docs/make_screenshots.py "http://127.0.0.1:8080/#key=trk_..." /tmp/pictures
"""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SIZES_PX = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
THEMES = ("light", "dark")
CUT_SECONDS = 21.52
WORDS = "a car, somebody cooking"
QUERY = "a person running"
SETTLE_MS = 600


def video(page: Page) -> None:
    page.get_by_role("link", name="sample.mp4").first.click()
    page.locator(".timeline").wait_for()
    page.evaluate(f"location.hash = location.hash.split('?')[0] + '?t={CUT_SECONDS}'")
    page.get_by_label("Your own words").fill(WORDS)
    page.locator(".tl-row.word").first.wait_for()
    page.locator(".own-words input").blur()


def ask(page: Page) -> None:
    page.evaluate("location.hash = '#/ask'")
    field = page.get_by_label("Question")
    page.wait_for_timeout(SETTLE_MS)
    if field.count():
        field.fill("Who cooks, and when?")
        field.press("Enter")
        page.locator(".answer, .chat .notice").first.wait_for()


def search(page: Page) -> None:
    page.evaluate(f"location.hash = '#/search?q={QUERY}'")
    page.locator(".moment img").first.wait_for()


def hash_view(fragment: str) -> Callable[[Page], None]:
    return lambda page: page.evaluate(f"location.hash = '{fragment}'")


VIEWS: dict[str, Callable[[Page], None]] = {
    "library": hash_view("#/"),
    "video": video,
    "search": search,
    "nothing-searched": hash_view("#/search"),
    "ask": ask,
    "jobs": hash_view("#/jobs"),
    "server": hash_view("#/server"),
}
WHOLE = ("video",)


def take(
    browser: Browser, address: str, folder: Path, size: str, theme: str, views: list[str]
) -> None:
    """Take the pictures of one width and theme."""
    width, height = SIZES_PX[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, device_scale_factor=1
    )
    page = context.new_page()
    page.goto(address.partition("#")[0])
    page.get_by_role("button", name="Sign in").wait_for()
    page.screenshot(path=folder / f"door-{size}-{theme}.png")
    page.goto(address)
    page.get_by_role("heading", name="Library").wait_for()
    for name in views:
        page.evaluate("location.hash = '#/'")
        page.wait_for_timeout(SETTLE_MS)
        VIEWS[name](page)
        page.wait_for_timeout(2 * SETTLE_MS)
        page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=name in WHOLE)
    context.close()


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("address", help="address with the key, as scripts/app prints it")
    parser.add_argument("folder", type=Path, help="folder of the pictures")
    parser.add_argument("--size", choices=SIZES_PX, action="append", help="by default all")
    parser.add_argument("--theme", choices=THEMES, action="append", help="by default both")
    parser.add_argument("--view", choices=VIEWS, action="append", help="by default all")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for size in options.size or SIZES_PX:
            for theme in options.theme or THEMES:
                views = options.view or list(VIEWS)
                take(browser, options.address, options.folder, size, theme, views)
        browser.close()


if __name__ == "__main__":
    main()
