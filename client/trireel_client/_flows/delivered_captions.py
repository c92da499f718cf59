# SPDX-License-Identifier: Apache-2.0
"""The captions and clips that the caller has, so that another stream's answers can go on."""

from collections import Counter

from trireel_client._captions import Clip
from trireel_client._errors import UnexpectedAnswer
from trireel_client._findings import ScreenCaption

_Key = tuple[str, int, int]


class DeliveredCaptions:
    """What the caller has of one video, from any stream. Every stream begins with the first."""

    def __init__(self) -> None:
        self._captions: Counter[_Key] = Counter()
        self._of_stream: Counter[_Key] = Counter()
        self._clip_frames: dict[int, int] = {}

    @property
    def num_captions(self) -> int:
        """Number of captions that the caller has."""
        return self._captions.total()

    @property
    def num_clips(self) -> int:
        """Number of clips that the caller has."""
        return len(self._clip_frames)

    @property
    def num_clip_frames(self) -> int:
        """Number of frames in these clips."""
        return sum(self._clip_frames.values())

    def begin_stream(self) -> None:
        """Expect the answers from the first on."""
        self._of_stream.clear()

    def is_new_caption(self, caption: ScreenCaption) -> bool:
        """Return whether a caption is new to the caller, and add it if it is."""
        key = (caption.text, caption.first_frame_pts, caption.last_frame_pts)
        self._of_stream[key] += 1
        if self._of_stream[key] <= self._captions[key]:
            return False
        self._captions[key] += 1
        return True

    def is_new_clip(self, clip: Clip) -> bool:
        """Return whether a clip is new to the caller, and add it if it is.

        Raises:
            UnexpectedAnswer: if the caller's clip of this index has other frames.
        """
        if clip.index not in self._clip_frames:
            self._clip_frames[clip.index] = clip.num_frames
            return True
        if self._clip_frames[clip.index] != clip.num_frames:
            raise UnexpectedAnswer(
                f"clip {clip.index} is not what it was before: the video has changed; request its"
                " captions again"
            )
        return False

    def check_whole(self) -> None:
        """Check that the last stream held all that the caller has; raises UnexpectedAnswer."""
        if self._of_stream != self._captions:
            text, _, _ = next(iter(self._captions - self._of_stream))
            raise UnexpectedAnswer(
                f"caption {text!r} did not come again: the servers do not run the same models, or"
                " the video has changed; request its captions again"
            )
