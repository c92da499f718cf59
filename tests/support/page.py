# SPDX-License-Identifier: Apache-2.0
"""The gateway's page in a real browser."""

import base64
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, sync_playwright

from trireel_app.engine.dbos_engine import DbosEngine
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.worker import Worker, WorkerOptions, log_nothing
from trireel_client import AsyncTrireelClient

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--mute-audio")
WAIT_MS = 20_000
TEND_SECONDS = 0.2
DROPPED = """([content, name]) => {
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, {type: "video/mp4"}));
  return files;
}"""
SHOWN = """async selector => {
  const video = document.querySelector("video");
  const still = async () => {
    while (video.seeking || video.readyState < 2) await new Promise(done => setTimeout(done, 10));
  };
  await still();
  let last = null;
  const watch = () => video.requestVideoFrameCallback((_, frame) => {
    last = frame.mediaTime;
    watch();
  });
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


@contextmanager
def working(database: sa.Engine, url: str) -> Iterator[None]:
    """Run a worker in a thread: Playwright's own event loop has the main one."""
    options = WorkerOptions((url,), AsyncTrireelClient)
    store, stop = JobStore(database), threading.Event()

    def work() -> None:
        with Worker(store, DbosEngine(database), options, log_nothing) as worker:
            while not stop.wait(TEND_SECONDS):
                worker.tend()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def drop_file(page: Page, file: Path) -> None:
    """Drop a file on the page, as somebody who drags it from a folder does."""
    content = base64.b64encode(file.read_bytes()).decode()
    dropped = page.evaluate_handle(DROPPED, [content, file.name])
    page.dispatch_event("body", "dragenter", {"dataTransfer": dropped})
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true; Playwright's own way needs eval, which is not allowed."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(20)
