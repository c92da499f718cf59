# SPDX-License-Identifier: Apache-2.0
"""From a decoded frame to the RGB picture that a model accepts.

libavfilter scales the picture, as the ffmpeg command does. The whole picture is squashed to the
size of the view, as in SigLIP's own preprocessing, unless the view keeps its aspect.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.extraction.picture.colour import keep_known_colours
from trireel_backend.extraction.picture.hdr import TO_NITS, tone_map
from trireel_backend.extraction.picture.orientation import UPRIGHT, Orientation
from trireel_backend.extraction.picture.planes import has_alpha, over_black, with_alpha
from trireel_backend.extraction.picture.rough import Sketch, can_sketch, sketch
from trireel_backend.extraction.task import SQUARE_PIXELS
from trireel_backend.extraction.view import Region, View

COLOUR_BYTES = "rgb24"
COLOUR_WORDS = "rgb48le"  # for pictures that are tone-mapped afterwards
ROUGH_SAMPLES = 2  # of a rough picture, for each pixel and side
MOST_GRAPHS = 4  # in memory; a stream has one, or a few if its size changes midway

Pixels = NDArray[Any]


@dataclass(frozen=True)
class _Geometry:
    """Properties of the frames that a filter graph is built for."""

    width_px: int
    height_px: int
    pixel_format: str
    colorspace: int
    color_range: int
    interlaced: bool
    region: Region | None
    """Region of the stored frame, None for the whole frame."""
    output: str
    drawn_px: tuple[int, int]
    """Width and height that the region of the stored frame is scaled to."""


class PictureMaker:
    """Turns frames into pictures of one view."""

    def __init__(self, view: View, pixel_aspect: Fraction = SQUARE_PIXELS) -> None:
        """Draw nothing yet.

        Args:
            view: size and crop of the pictures.
            pixel_aspect: width of a stored pixel divided by its height.
        """
        self._view = view
        self._pixel_aspect = pixel_aspect
        self._graphs: dict[_Geometry, Graph] = {}
        self._orientations: dict[int, Orientation] = {}

    def draw(self, frame: VideoFrame, alpha: VideoFrame | None = None) -> NDArray[np.uint8]:
        """Return a frame as RGB [H, W, 3], upright, in standard range, deinterlaced.

        Of an interlaced frame only one field is used, since its lines show a single moment.
        Transparent areas become black.

        Args:
            alpha: a frame whose first plane is the alpha of this frame.

        Raises:
            InvalidInput: if the view's crop reaches beyond the frame.
        """
        if alpha is None and (rough := self.sketch(frame)) is not None:
            return rough.pixels()
        keep_known_colours(frame)
        orientation = self._orientation(frame)
        crop = self._view.crop
        region = None if crop is None else orientation.stored_region(frame, crop)
        interlaced = bool(frame.interlaced_frame)
        if alpha is not None:
            frame = with_alpha(frame, alpha)
        if has_alpha(frame):
            # Before scaling, which would mix invisible colours into their neighbours.
            frame = over_black(frame, deep=int(frame.color_trc) in TO_NITS)
        drawn_px = self._view.drawn_size_px(*self.upright(frame))
        geometry = _geometry_of(
            frame,
            region,
            interlaced=interlaced,
            drawn_px=drawn_px[::-1] if orientation.quarters % 2 else drawn_px,
        )
        graph = self._graph(geometry)
        graph.vpush(frame)
        picture = graph.vpull().to_ndarray()
        if self._view.is_rough:
            picture = _mean_of_samples(picture)
        if geometry.output == COLOUR_WORDS:
            picture = tone_map(np.asarray(picture, np.uint16), int(frame.color_trc))
        return self._with_bars(orientation.upright(np.asarray(picture, np.uint8)))

    def sketch(self, frame: VideoFrame) -> Sketch | None:
        """Return the samples that a rough picture is made of, None if the frame must be scaled."""
        view = self._view
        if not view.is_rough or view.crop is not None or frame.interlaced_frame:
            return None
        if not can_sketch(frame) or int(frame.color_trc) in TO_NITS:
            return None
        if self._orientation(frame) != UPRIGHT:
            return None
        return sketch(frame, view.width_px, view.height_px)

    def upright(self, frame: VideoFrame) -> tuple[int, int, Fraction]:
        """Return the width and height of a frame's upright picture, and the aspect of a pixel."""
        if self._orientation(frame).quarters % 2:
            return frame.height, frame.width, 1 / self._pixel_aspect
        return frame.width, frame.height, self._pixel_aspect

    def _with_bars(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if not self._view.keeps_aspect:
            return picture
        whole = np.zeros(self._view.shape(1)[1:], np.uint8)
        whole[: picture.shape[0], : picture.shape[1]] = picture
        return whole

    def upright_size_px(self, frame: VideoFrame) -> tuple[int, int]:
        """Return the width and the height of a frame's upright picture in square pixels."""
        width_px, height_px = max(1, round(frame.width * self._pixel_aspect)), frame.height
        is_turned = self._orientation(frame).quarters % 2
        return (height_px, width_px) if is_turned else (width_px, height_px)

    def _orientation(self, frame: VideoFrame) -> Orientation:
        """Read the display matrix once for each rotation angle.

        A frame whose side data was read refers to itself and stays in memory until Python's
        garbage collection: reading it from every frame would hold a hundred megabytes.
        """
        orientation = self._orientations.get(frame.rotation)
        if orientation is None:
            orientation = self._orientations[frame.rotation] = Orientation.of(frame)
        return orientation

    def _graph(self, geometry: _Geometry) -> Graph:
        graph = self._graphs.get(geometry)
        if graph is None:
            while len(self._graphs) >= MOST_GRAPHS:
                self._graphs.pop(next(iter(self._graphs)))
            graph = self._graphs[geometry] = _make_graph(geometry, self._view)
        return graph


def _geometry_of(
    frame: VideoFrame, region: Region | None, *, interlaced: bool, drawn_px: tuple[int, int]
) -> _Geometry:
    return _Geometry(
        width_px=frame.width,
        height_px=frame.height,
        pixel_format=frame.format.name,
        colorspace=int(frame.colorspace),
        color_range=int(frame.color_range),
        interlaced=interlaced,
        region=region,
        output=COLOUR_WORDS if int(frame.color_trc) in TO_NITS else COLOUR_BYTES,
        drawn_px=drawn_px,
    )


def _make_graph(geometry: _Geometry, view: View) -> Graph:
    graph = Graph()
    graph.threads = 1  # a picture is too small to divide, and other videos use the other cores
    filters = [
        graph.add(
            "buffer",
            f"video_size={geometry.width_px}x{geometry.height_px}:pix_fmt={geometry.pixel_format}"
            f":time_base={Fraction(1, 1000)}:colorspace={geometry.colorspace}"
            f":range={geometry.color_range}",
        )
    ]
    if geometry.interlaced:
        filters.append(graph.add("field", "type=top"))
    if geometry.region is not None:
        filters.append(graph.add("crop", _crop_arguments(geometry.region, geometry.interlaced)))
    filters += [
        graph.add("scale", _scale_arguments(geometry.drawn_px, is_rough=view.is_rough)),
        graph.add("format", geometry.output),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*filters).configure()
    return graph


def _scale_arguments(sides: tuple[int, int], *, is_rough: bool) -> str:
    if is_rough:
        return f"{sides[0] * ROUGH_SAMPLES}:{sides[1] * ROUGH_SAMPLES}:flags=neighbor"
    return f"{sides[0]}:{sides[1]}:flags=bicubic"


def _mean_of_samples(picture: Pixels) -> Pixels:
    """Return the mean of each square of 2 x 2 pixels."""
    wider = np.uint16 if picture.dtype == np.uint8 else np.uint32
    rows = np.add(picture[0::2], picture[1::2], dtype=wider)
    mean = (rows[:, 0::2] + rows[:, 1::2] + 2) >> 2
    return np.asarray(mean, picture.dtype)


def _crop_arguments(region: Region, interlaced: bool) -> str:
    top_px, bottom_px = region.top_px, region.top_px + region.height_px
    if interlaced:  # a field has every other line
        top_px, bottom_px = top_px // 2, (bottom_px + 1) // 2
    # Without `exact`, the filter would round to whole samples of the chroma planes.
    return f"w={region.width_px}:h={bottom_px - top_px}:x={region.left_px}:y={top_px}:exact=1"
