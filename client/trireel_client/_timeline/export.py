# SPDX-License-Identifier: Apache-2.0
"""Writing the scenes of an analysis to files."""

import os
from pathlib import Path

from trireel_client._files import write_whole
from trireel_client._results import Analysis
from trireel_client._sources import ServerPath
from trireel_client._timeline.build import Media, timeline_of
from trireel_client._timeline.formats import checked_suffix, exported


def export_scenes(
    analysis: Analysis,
    *paths: str | os.PathLike[str],
    video: str | os.PathLike[str] | ServerPath,
    drop_frame: bool = True,
) -> None:
    """Write the scenes of an analysis in the format of each file's suffix.

    The suffixes are .vtt (WebVTT chapters), .srt, .csv (PySceneDetect's scene list), .edl (CMX
    3600), .fcpxml (1.10) and .otio. Times count from the video's first frame. No file is written
    if one of the formats cannot hold the scenes. A file appears when it is complete.

    Args:
        paths: files to write.
        video: path, URI or ServerPath of the video, which the files refer to.
        drop_frame: use drop-frame timecode at 29.97 and 59.94 fps.

    Raises:
        InvalidRequest: if a suffix is unknown, or scenes were not requested.
        Unsupported: if a format needs the frame rate, and the server did not report it.
        UnexpectedAnswer: if a time of the scenes is not a PTS.
        OSError: if a file cannot be written.
    """
    files = [Path(path) for path in paths]
    suffixes = [checked_suffix(file) for file in files]
    if isinstance(video, ServerPath):
        media = Media.of(video.path, on_server=True)
    else:
        media = Media.of(os.fspath(video))
    timeline = timeline_of(analysis, media)
    contents = [exported(timeline, suffix, drop_frame=drop_frame) for suffix in suffixes]
    for file, content in zip(files, contents, strict=True):
        write_whole(file, content)
