# SPDX-License-Identifier: Apache-2.0
"""The gateway's page in a real browser."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from trireel_app.gateway.state import Parts
from trireel_app.jobs.uploads import UploadRow, UploadState, new_id
from trireel_app.library import Library
from trireel_app.library.manifest import Entry

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--mute-audio")
WAIT_MS = 20_000
SHOWN = """async selector => {
  const video = document.querySelector("video");
  const still = async () => {
    while (video.seeking || video.readyState < 2) await new Promise(done => setTimeout(done, 10));
  };
  await still();
  let last = null;
  const watch = () => video.requestVideoFrameCallback((_, frame) => { last = frame.mediaTime; watch(); });
  watch();
  document.querySelector(selector).click();
  await new Promise(done => setTimeout(done, 50));
  await still();
  const end = performance.now() + 3000;
  while (last === null && performance.now() < end) await new Promise(done => setTimeout(done, 10));
  await new Promise(done => setTimeout(done, 100));  // a correction would follow now
  await still();
  return last;
}"""


@dataclass
class Tab:
    """A tab of the browser, and what went wrong in it."""

    page: Page
    """The page."""
    faults: list[str] = field(default_factory=list)
    """Errors of scripts, and what the content policy has blocked."""

    def frame_after_click(self, selector: str) -> float:
        """Click on an element and return the PTS in seconds of the frame that is then on screen."""
        return self.page.evaluate(SHOWN, selector)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run Chromium without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def tab(chromium: Browser, **options: Any) -> Iterator[Tab]:
    """Open an empty tab with a profile of its own."""
    context = chromium.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    opened = Tab(context.new_page())
    opened.page.on("pageerror", lambda error: opened.faults.append(str(error)))
    opened.page.on("console", lambda message: _keep(opened, message))
    try:
        yield opened
    finally:
        context.close()


def _keep(opened: Tab, message: Any) -> None:
    # A refused call is an answer, which the page shows; anything else is a fault.
    if message.type == "error" and "Failed to load resource" not in message.text:
        opened.faults.append(message.text)


def keep_analysed(parts: Parts, entry: Entry, library: Library, owner: str = "anna") -> str:
    """Give an owner a video that another library holds, with its file; return its id."""
    found = library.record(entry.video_id, with_thumbnails=True)
    file = Path(found.uri.removeprefix("file://"))
    video_id = new_id()
    path = parts.settings.uploads / video_id / "original"
    path.parent.mkdir(parents=True)
    shutil.copy(file, path)
    parts.keeper.put(replace(found, video_id=video_id))
    tags = dict.fromkeys(scene.tags[0].text for scene in found.scenes)
    row = UploadRow(
        id=video_id,
        owner=owner,
        name=file.name,
        uri=str(path),
        path=str(path),
        state=UploadState.DONE,
        created_at=time.time(),
        finished_at=time.time(),
        size_bytes=path.stat().st_size,
        duration_seconds=found.duration_seconds,
        num_scenes=len(found.scenes),
        tags=json.dumps([{"text": tag, "probability": 0.9} for tag in tags]),
    )
    parts.uploads.add(row)
    return video_id
