# SPDX-License-Identifier: Apache-2.0
"""A job on a terminal: how far it is while it runs, and a summary at its end."""

import heapq
import threading
import time
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from trireel_app.engine.port import Task
from trireel_app.jobs.job import Form, Job, Outcome, Progress, Video, VideoState
from trireel_app.jobs.output.assemble import output_files

SLOWEST = 3
MOST_FAILURES = 10
RATE_SECONDS = 60.0
PLAIN_SECONDS = 30.0
BAR_COLUMNS = 40


class Display:
    """Shows a job's progress on stderr: live on a terminal, otherwise a line now and then."""

    def __init__(self, console: Console, job: Job, is_quiet: bool) -> None:
        self._console = console
        self._job = job
        self._is_quiet = is_quiet
        self._is_live = console.is_terminal and not is_quiet
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._began = time.monotonic()
        self._plain_at = self._began
        self._history: list[tuple[float, int, float]] = []
        self._failures: list[tuple[Task, Outcome]] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "Display":
        if self._is_live:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_live:
            self._live.stop()

    def report(self, task: Task, outcome: Outcome) -> None:
        """Take note of a video that this process has settled; any thread may call it."""
        if outcome.state is VideoState.FAILED:
            with self._lock:
                self._failures.append((task, outcome))

    def update(self, progress: Progress, trouble: str) -> None:
        """Show how far the job is."""
        now = time.monotonic()
        self._history.append((now, progress.settled, progress.video_seconds))
        while self._history[0][0] < now - RATE_SECONDS:
            self._history.pop(0)
        with self._lock:
            failures, self._failures = self._failures, []
        if self._is_quiet:
            return
        for task, outcome in failures:
            _print(self._console, f"video {task.number}: {outcome.reason}", "red")
        if self._is_live:
            self._live.update(self._picture(progress, trouble), refresh=True)
        elif now - self._plain_at >= PLAIN_SECONDS:
            self._plain_at = now
            self._console.print(self._line(progress, trouble))

    def _picture(self, progress: Progress, trouble: str) -> RenderableType:
        bar = ProgressBar(
            total=max(1, progress.total), completed=progress.settled, width=BAR_COLUMNS
        )
        return Group(bar, self._line(progress, trouble))

    def _line(self, progress: Progress, trouble: str) -> Text:
        line = Text(f"{progress.settled} of {progress.total} videos", "bold")
        line.append(f", {_hours(progress.video_seconds)}", "not bold")
        if rate := self._rate():
            videos, seconds = rate
            left = (progress.total - progress.settled) / videos
            line.append(f", {60 * videos:.1f} videos/min, {seconds:.1f}x real time", "not bold")
            line.append(f", {_duration(left)} left", "not bold")
        if progress.failed:
            line.append(f", {progress.failed} failed", "red not bold")
        if trouble:
            line.append(f"\n{trouble}", "yellow not bold")
        return line

    def _rate(self) -> tuple[float, float] | None:
        """Return videos a second, and seconds of video a second, of the last minute."""
        (began, videos, seconds), (ended, *last) = self._history[0], self._history[-1]
        if ended - began < 1 or last[0] == videos:
            return None
        return (last[0] - videos) / (ended - began), (last[1] - seconds) / (ended - began)


def show_summary(
    console: Console, job: Job, videos: Iterable[Video], seconds: float | None = None
) -> None:
    """Print how a job ended: its output, the slowest and the failed videos."""
    settled = [video for video in videos if video.outcome is not None]
    failed = [video for video in settled if video.state is VideoState.FAILED]
    progress = job.progress
    headline = Text(f"job {job.id} {job.state}", "bold")
    headline.append(f"  {progress.done} of {progress.total} videos analysed", "not bold")
    headline.append(f", {_hours(progress.video_seconds)}", "not bold")
    if seconds is not None:
        headline.append(f" in {_duration(seconds)}", "not bold")
    console.print(headline)
    if job.note:
        console.print(Text(job.note, "yellow"))
    for video in heapq.nlargest(SLOWEST, settled, key=_busy_seconds):
        _print(console, f"{_busy_seconds(video):8.1f} s  {video.source.uri}", "dim")
    for video in failed[:MOST_FAILURES]:
        reason = video.outcome.reason if video.outcome else ""
        _print(console, f"  failed  {video.source.uri}: {reason}", "red")
    if failed and job.spec.form is not Form.LIBRARY:
        _print(console, f"all {len(failed)} that failed: {output_files(job.spec)[1]}")
    _print(console, f"output: {job.spec.output}")


def _print(console: Console, line: str, style: str = "") -> None:
    """Print a line as it is: a path that is wrapped cannot be copied."""
    console.print(Text("".join(c if c.isprintable() else "?" for c in line), style), soft_wrap=True)


def _busy_seconds(video: Video) -> float:
    return video.outcome.busy_seconds if video.outcome else 0.0


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f} h of video"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
