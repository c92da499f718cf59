# SPDX-License-Identifier: Apache-2.0
"""The drawn pictures that every export is checked with: one of each place.

The exporter keeps them as files, so that it needs no drawn world.
"""

from pathlib import Path

from PIL import Image

from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

SIZE_PX = (320, 180)
AT_SECONDS = 1.0


def draw_check_pictures() -> dict[str, Image.Image]:
    """Return an RGB picture of every place, by the name of its file, with the first activity."""
    first_activities = dict(reversed(PAIRS))
    return {
        f"{place.replace(' ', '_')}.png": Image.fromarray(
            draw_scene(HELD_OUT_SEED, place, activity).frame(AT_SECONDS, SIZE_PX)
        )
        for place, activity in sorted(first_activities.items())
    }


def write_check_pictures(folder: Path) -> None:
    """Write the pictures as PNG files into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in draw_check_pictures().items():
        picture.save(folder / name, optimize=True)
