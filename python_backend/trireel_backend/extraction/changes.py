# SPDX-License-Identifier: Apache-2.0
"""The pictures of one chunk around its changes: probes, and frames between probes that differ."""

import math

from av.video.frame import VideoFrame

from trireel_backend.extraction.frame_source import FrameSource
from trireel_backend.extraction.gap_frames import Thumbnail, gap_frames
from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.reading.full_decode import TimedFrame
from trireel_backend.extraction.reading.gaps import Keep, Kept
from trireel_backend.extraction.runs import ROUNDING_SECONDS, AlphaOf, PictureList
from trireel_backend.extraction.task import Frames, SecondView
from trireel_backend.plan import Chunk, Sampling
from trireel_backend.scenes.changes import is_change

PROBE_SECONDS = 0.65
"""Longest time between two probes, unless a chunk is so long that they would be too many."""


class Changes:
    """Probes of a chunk in one view, and the frames between probes that differ."""

    def __init__(
        self,
        pictures: PictureMaker,
        probes_seconds: list[float],
        second_view: SecondView,
        source: FrameSource,
        *,
        keep: Keep,
        keyframes_only: bool,
    ) -> None:
        """Create a view without frames.

        Args:
            probes_seconds: ascending times at which a frame on screen is a probe.
            source: decodes the chunk, and returns the frames of its gaps.
            keep: returns what is kept of a frame that passes by.
            keyframes_only: the frames of the video are its keyframes.
        """
        self.pictures = pictures
        """Draws the pictures of the view."""
        self.targets_seconds = probes_seconds
        """Ascending times at which a frame on screen is needed."""
        self.keep = keep
        """Returns what is kept of a frame that passes by."""
        self._positions = {seconds: i for i, seconds in enumerate(probes_seconds)}
        self._second_view = second_view
        self._source = source
        self._keyframes_only = keyframes_only
        self._probes: dict[int, Thumbnail] = {}
        self._passed: dict[int, Thumbnail] | None = None
        self._judged = 0
        self._last: Thumbnail | None = None
        self._list = PictureList()

    def pass_by(self, timed: TimedFrame, alpha_of: AlphaOf) -> None:
        """Draw the next of all frames, if the chunk is decoded whole."""
        if self._passed is None:
            self._passed = {}
        self._passed[timed.pts] = self._draw(timed, alpha_of)

    def put(self, seconds: float, timed: TimedFrame, alpha_of: AlphaOf) -> None:
        """Draw the frame on screen at a time, and judge the gaps before it."""
        position = self._positions.get(seconds)
        if position is None:
            return
        self._probes[position] = self._draw(timed, alpha_of)
        while (probe := self._probes.pop(self._judged, None)) is not None:
            self._judged += 1
            self._judge(probe, alpha_of)

    def _draw(self, timed: TimedFrame, alpha_of: AlphaOf) -> Thumbnail:
        if self._passed is not None and timed.pts in self._passed:
            return self._passed[timed.pts]
        if self._last is not None and self._last.pts == timed.pts:
            return self._last
        pixels = self.pictures.draw(timed.frame, alpha_of(timed))
        return Thumbnail(timed.pts, timed.seconds, timed.time_base, pixels)

    def _thumbnail(self, before: Thumbnail, pts: int, kept: Kept, alpha_of: AlphaOf) -> Thumbnail:
        """Draw a frame of a gap."""
        if isinstance(kept, VideoFrame):
            return self._draw(TimedFrame(kept, pts, before.time_base), alpha_of)
        seconds = float(pts * before.time_base)
        return Thumbnail(pts, seconds, before.time_base, kept.pixels())

    def _judge(self, probe: Thumbnail, alpha_of: AlphaOf) -> None:
        last = self._last
        if last is not None and probe.pts <= last.pts:
            return  # the same frame is on screen
        if last is not None and is_change(last.pixels, probe.pixels):
            self._add_gap(last, probe, alpha_of)
        self._source.release_gaps(probe.pts)
        self._add(probe)
        self._last = probe

    def _add_gap(self, last: Thumbnail, probe: Thumbnail, alpha_of: AlphaOf) -> None:
        if self._passed is None:
            gap = gap_frames(
                self._source,
                last,
                probe,
                lambda pts, kept: self._thumbnail(last, pts, kept, alpha_of),
                keyframes_only=self._keyframes_only,
            )
        else:
            inside = (pts for pts in sorted(self._passed) if last.pts < pts < probe.pts)
            gap = [self._passed[pts] for pts in inside]
        probes_to_come = len(self.targets_seconds) - self._judged + 1
        if len(self._list) + len(gap) + probes_to_come <= self._second_view.max_frames:
            for thumbnail in gap:
                self._add(thumbnail)

    def _add(self, thumbnail: Thumbnail) -> None:
        self._list.add(thumbnail.pixels, thumbnail.pts, thumbnail.time_base)

    def frames(self, damaged_packets: int, *, each_once: bool) -> Frames:
        """Return the frames.

        Args:
            damaged_packets: packets of the chunk that the decoder skipped.
            each_once: has no meaning here, since every frame comes once.
        """
        return self._list.frames(self._second_view.view, damaged_packets)


def probes_seconds(chunk: Chunk, sampling: Sampling, most_probes: int) -> list[float]:
    """Return the times of a chunk's probes: its start, a grid, and its last frame.

    The grid is made of the times that are sampled anyway, if they are close enough.

    Args:
        sampling: sampling of the tower's frames.
        most_probes: most times in the grid.
    """
    grid = sampling.slot_middles(chunk)
    step_seconds = grid[1] - grid[0] if len(grid) > 1 else chunk.duration_seconds
    if step_seconds <= PROBE_SECONDS:
        step = int(PROBE_SECONDS / step_seconds)
        grid = grid[step // 2 :: step]
    else:
        grid = Sampling(math.ceil(chunk.duration_seconds / PROBE_SECONDS)).slot_middles(chunk)
    if len(grid) > most_probes:
        grid = Sampling(most_probes).slot_middles(chunk)
    # Behind the start, where a seek leads: before it the file would have to be opened again.
    first_seconds = chunk.start_seconds + ROUNDING_SECONDS
    last_seconds = max(first_seconds, chunk.end_seconds - 2 * ROUNDING_SECONDS)
    return sorted({first_seconds, *grid.tolist(), last_seconds})
