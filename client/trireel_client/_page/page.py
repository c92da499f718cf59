# SPDX-License-Identifier: Apache-2.0
"""The page of an analysis: film strip, timeline, cuts, tags, score trace, and the video itself."""

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from trireel_client._errors import Unsupported
from trireel_client._files import write_whole
from trireel_client._page.content import PageContent, content_of
from trireel_client._results import Analysis, Thumbnail
from trireel_client._timeline.pictures import check_pictures_can_be_written


def check_page_can_be_written() -> None:
    """Raise Unsupported if Jinja2 or Pillow is not installed."""
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise Unsupported("a page needs Jinja2: `pip install 'trireel-client[page]'`") from error
    check_pictures_can_be_written()


def write_page(
    analysis: Analysis,
    thumbnails: Sequence[Thumbnail],
    path: str | os.PathLike[str],
    *,
    video: str | os.PathLike[str],
) -> None:
    """Write one page of HTML that needs no other file but the video.

    Args:
        thumbnails: a picture of each scene, from `client.thumbnails`; may be empty.
        path: file to write.
        video: path of the video on this machine, which the page plays; otherwise its name.

    Raises:
        Unsupported: if a package is missing.
        OSError: if the file cannot be written.
    """
    check_page_can_be_written()
    page, name = Path(path), os.fspath(video)
    content = content_of(
        analysis, thumbnails, name=Path(name).name or name, video=_address(Path(name), page)
    )
    write_whole(page, render(content).encode())


def render(content: PageContent) -> str:
    """Return the page."""
    from jinja2 import Environment, StrictUndefined

    # Everything is escaped: names, tags and captions come from outside.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    folder = files(__package__)
    template, style, script = (
        (folder / name).read_text(encoding="utf-8")
        for name in ("page.html.j2", "page.css", "page.js")
    )
    return environment.from_string(template).render(
        content=content, style=style, script=script, script_hash=_hash(script)
    )


def _hash(script: str) -> str:
    """Return the source expression by which the page's policy allows this script alone."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _address(video: Path, page: Path) -> str:
    """Return the video's address relative to the page, empty if it is no file of this machine."""
    try:
        if not video.is_file():
            return ""
    except (OSError, ValueError):
        return ""
    return quote(os.path.relpath(video.resolve(), page.resolve().parent))
