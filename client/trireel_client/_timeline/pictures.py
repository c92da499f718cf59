# SPDX-License-Identifier: Apache-2.0
"""Pictures of scenes as JPEG files."""

import io
from collections.abc import Sequence
from pathlib import Path

from trireel_client._errors import Unsupported
from trireel_client._files import write_whole
from trireel_client._results import Thumbnail

LEAST_SIDE_PX = 320
QUALITY = 90


def check_pictures_can_be_written() -> None:
    """Raise Unsupported if Pillow is not installed."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise Unsupported("thumbnails need Pillow: install it with `pip install pillow`") from error


def write_thumbnails(thumbnails: Sequence[Thumbnail], folder: Path) -> list[Path]:
    """Write scene-0001.jpg and so on into a folder, which is made if it is not there.

    Raises:
        OSError: if a file cannot be written.
    """
    folder.mkdir(exist_ok=True)
    paths = []
    for number, thumbnail in enumerate(thumbnails, 1):
        paths.append(folder / f"scene-{number:04d}.jpg")
        write_whole(paths[-1], jpeg(thumbnail))
    return paths


def jpeg(thumbnail: Thumbnail) -> bytes:
    """Return a thumbnail as JPEG, with the aspect of its picture."""
    from PIL import Image

    image = Image.fromarray(thumbnail.pixels)
    file = io.BytesIO()
    size_px = unsquashed_size_px(image.width, thumbnail.picture_size_px)
    image.resize(size_px, Image.Resampling.LANCZOS).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def unsquashed_size_px(side_px: int, picture_px: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size with the picture's aspect.

    The long side is the picture's own, at most the square's, and 320 px if the square has them.

    Args:
        side_px: side of the square.
        picture_px: width and height of the picture; None leaves it a square.
    """
    if picture_px is None:
        return side_px, side_px
    long_px = min(side_px, max(LEAST_SIDE_PX, *picture_px))
    width_px, height_px = (max(1, round(long_px * px / max(picture_px))) for px in picture_px)
    return width_px, height_px
