# SPDX-License-Identifier: Apache-2.0
"""Modes and limits of the finding `objects`."""

COMBINED = "combined"
"""The chunks of a video belong together: objects have tracks over the whole video."""
CHUNKED = "chunked"
"""Each chunk is answered by itself, without tracks."""
OBJECT_MODES = (COMBINED, CHUNKED)

DEFAULT_OBJECTS_FPS = 2.0
"""Frames per second in which objects are looked for, if a request does not set it."""
MAX_OBJECTS_FPS = 100.0
