# SPDX-License-Identifier: Apache-2.0
"""What a search by a picture looks for."""

import numpy as np
from numpy.typing import NDArray

from trireel_client import Analysis, AnalysisOptions
from trireel_schema.ranking import pool

PICTURE_OPTIONS: AnalysisOptions = {"find": ["tags"], "with_embeddings": True}
"""Options with which a picture is analysed, as a video of one frame."""


def picture_embedding(analysis: Analysis) -> NDArray[np.float32]:
    """Return the embedding [D] of an analysed picture; of a video, the mean of its chunks."""
    parts = [chunk.embedding for chunk in analysis.chunks if chunk.embedding is not None]
    return pool(np.stack(parts))
