# SPDX-License-Identifier: Apache-2.0
"""A real browser that plays a clip from a web server and reports what it saw."""

import json
import os
import queue
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.serving import in_thread

CHROMIUM = shutil.which("chromium")
WAIT_SECONDS = 60
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run"),
    "--autoplay-policy=no-user-gesture-required",
)
PAGE = """<video id="video" muted></video><canvas id="canvas"></canvas><script>
const video = document.getElementById("video"), canvas = document.getElementById("canvas");
const seen = {errors: [], frames: [], times: []};
const report = () => fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
const after = name => new Promise(done => video.addEventListener(name, done, {once: true}));
video.addEventListener("error", () => { seen.errors.push(video.error.message); report(); });
async function look() {
  await after("canplay");
  seen.size = [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const paint = canvas.getContext("2d", {willReadFrequently: true});
  for (const seconds of TIMES) {
    const shown = new Promise(done => video.requestVideoFrameCallback((_, frame) => done(frame)));
    const seeked = after("seeked"); video.currentTime = seconds; await seeked;
    seen.times.push((await shown).mediaTime);
    paint.drawImage(video, 0, 0);
    seen.frames.push([...paint.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data]);
  }
  video.currentTime = TIMES[0]; await after("seeked");
  const ended = after("ended"); video.play(); await ended;
  seen.ended = video.currentTime; report();
}
look();
// A blob, in which the browser can seek: the server has no ranges.
fetch("/clip.webm").then(got => got.blob()).then(clip => video.src = URL.createObjectURL(clip));
</script>"""


def play(clip: bytes, times_seconds: Sequence[float], folder: Path) -> dict:
    """Play a clip in Chromium to its end, after a look at the frame on screen at some times.

    Returns its `size`, the PTS of these frames in `times`, the RGBA of their middle pixels in
    `frames`, the time at which it `ended`, and `errors`. Each time is that of another frame.
    """
    page = PAGE.replace("TIMES", json.dumps(list(times_seconds))).encode()
    files = {"/": (page, "text/html"), "/clip.webm": (clip, "video/webm")}
    with _served(files) as (url, answers), _browser(url, folder):
        return answers.get(timeout=WAIT_SECONDS)


@contextmanager
def _served(files: dict[str, tuple[bytes, str]]) -> Iterator[tuple[str, queue.SimpleQueue]]:
    answers = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            content, kind = files.get(self.path, (b"", "text/plain"))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with in_thread(server):
        yield f"http://127.0.0.1:{server.server_port}/", answers


@contextmanager
def _browser(url: str, folder: Path) -> Iterator[None]:
    command = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={folder / 'profile'}", url]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # it has many processes
