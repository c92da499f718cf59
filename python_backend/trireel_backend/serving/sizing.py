# SPDX-License-Identifier: Apache-2.0
"""How many instances and threads the models get where the operator does not say.

The rule, with what it rests on, is told in docs/deploy.md.
"""

from dataclasses import dataclass

LEAST_EXTRACTORS = 2  # a look at a video must not wait for another's frames
MOST_EXTRACTORS = 32  # about 60 MiB each
MOST_VIDEOS = 32  # four processes of 24 MiB
MOST_SPANS = 8


@dataclass(frozen=True)
class Sizing:
    """Instances and threads for one machine."""

    cpus: int
    """Threads of a tower on the CPU."""
    extractors: int
    """One a CPU, each with one decoder thread."""
    videos: int
    """Whole videos under way: one in each extractor, and one behind it in the tower."""
    spans: int
    """Of one video in the encoder at once, where no other video wants the extractors."""

    @classmethod
    def of(cls, cpus: int) -> "Sizing":
        """Return the sizes for so many CPUs."""
        extractors = min(max(LEAST_EXTRACTORS, cpus), MOST_EXTRACTORS)
        return cls(
            cpus=cpus,
            extractors=extractors,
            videos=min(2 * extractors, MOST_VIDEOS),
            spans=min(extractors, MOST_SPANS),
        )

    def instances(self) -> dict[str, int]:
        """Return the instances of the models that a CPU bounds, by name."""
        return {"frame_extractor": self.extractors, "video_analysis": self.videos}

    def parameters(self) -> dict[str, str]:
        """Return the values of the models' parameters."""
        return {
            "threads": str(self.cpus),
            "intra_op_thread_count": str(self.cpus),
            "spans_in_flight": str(self.spans),
        }
