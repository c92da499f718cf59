# SPDX-License-Identifier: Apache-2.0
"""How many instances and threads the models get where the operator does not say.

The rule, with what it rests on, is told in docs/deploy.md.
"""

from dataclasses import dataclass

LEAST_EXTRACTORS = 2  # a look at a video must not wait for another's frames
MOST_EXTRACTORS = 32  # about 60 MiB each
EXTRACTOR_BYTES = 2 * 2**30  # of a container's memory: most videos take little, a few 4 GiB
MOST_VIDEOS = 32  # four processes of 24 MiB
MOST_SPANS = 8


@dataclass(frozen=True)
class Sizing:
    """Instances and threads for one machine."""

    cpus: int
    """Threads of a tower on the CPU."""
    extractors: int
    """One a CPU, as far as memory goes, each with one decoder thread."""
    videos: int
    """Whole videos under way: one in each extractor, and one behind it in the tower."""
    spans: int
    """Of one video in the encoder at once, where no other video wants the extractors."""

    @classmethod
    def of(
        cls, cpus: int, memory_bytes: int | None = None, extractors: int | None = None
    ) -> "Sizing":
        """Return the sizes for so many CPUs.

        Args:
            memory_bytes: what a container may take; None where nothing bounds it.
            extractors: what the operator says; None for as many as CPUs and memory carry.
        """
        if extractors is None:
            carried = MOST_EXTRACTORS if memory_bytes is None else memory_bytes // EXTRACTOR_BYTES
            extractors = max(LEAST_EXTRACTORS, min(cpus, carried, MOST_EXTRACTORS))
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
