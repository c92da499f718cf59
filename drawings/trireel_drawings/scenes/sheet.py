# SPDX-License-Identifier: Apache-2.0
"""A contact sheet: one frame of every place and activity, for people to look at."""

from PIL import Image, ImageDraw

from trireel_drawings.painting.colours import BLACK, WHITE
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

COLUMNS = 6
CELL_PX = (320, 180)
CAPTION_PX = 28


def contact_sheet(*, seed: int = HELD_OUT_SEED, t_seconds: float = 1.0) -> Image.Image:
    """Return an RGB image of all pairs of place and activity, with captions."""
    rows = -(-len(PAIRS) // COLUMNS)
    width, height = CELL_PX[0], CELL_PX[1] + CAPTION_PX
    sheet = Image.new("RGB", (COLUMNS * width, rows * height), BLACK)
    pen = ImageDraw.Draw(sheet)
    for index, (tag, description) in enumerate(PAIRS):
        x, y = index % COLUMNS * width, index // COLUMNS * height
        frame = draw_scene(seed + index, tag, description).frame(t_seconds, CELL_PX, oversampling=2)
        sheet.paste(Image.fromarray(frame), (x, y))
        pen.text(
            (x + 4, y + CELL_PX[1] + 2),
            f"{tag}\n{description}",
            fill=WHITE,
            font_size=11,
            spacing=1,
        )
    return sheet
