# SPDX-License-Identifier: Apache-2.0
"""Download stock videos from Pexels, normalise them, and save or upload them.

What is there already is not fetched again. A video's place goes to stdout, one a line.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trireel_backend.errors import TrireelError
from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import GIB, SourceLimits
from trireel_backend.sources.media import MediaFolders
from trireel_backend.stock.collect import API, FolderShelf, S3Shelf, Summary, collect, search
from trireel_backend.stock.normalise import SIZE_PX, Form


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("query", nargs="+", help="what to search for, each in quotes")
    parser.add_argument("--output", required=True, help="a folder, or s3://bucket/prefix")
    parser.add_argument("--count", type=int, default=5, help="videos of each query")
    parser.add_argument("--size", type=int, default=SIZE_PX, help="width and height in pixels")
    parser.add_argument("--max-seconds", type=float, help="cut longer videos here")
    parser.add_argument("--api-key", help="of Pexels; by default in PEXELS_API_KEY")
    parser.add_argument("--api-url", default=API, help="where the API is")
    parser.add_argument("--max-video-gib", type=float, default=1.0, help="of one download")
    parser.add_argument(
        "--allow-network", action="append", default=[], metavar="CIDR",
        help="network that downloads may come from though not public",
    )  # fmt: skip
    return parser


def run(arguments: argparse.Namespace, key: str, console: Console) -> Summary:
    """Collect all videos under a progress bar."""
    output = arguments.output
    shelf = S3Shelf(output) if output.startswith("s3://") else FolderShelf(Path(output))
    limits = SourceLimits(
        schemes=frozenset({"http", "https"}),
        max_bytes=int(arguments.max_video_gib * GIB),
        allowed_networks=parse_networks(",".join(arguments.allow_network)),
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        tempfile.TemporaryDirectory(prefix="trireel-stock-") as spool,
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
    ):
        task = progress.add_task("videos", total=arguments.count * len(arguments.query))

        def report(name: str, outcome: str) -> None:
            progress.update(task, advance=1)
            progress.console.print(f"{name}: {outcome}", markup=False)

        return collect(
            arguments.query,
            shelf,
            lambda query: search(query, arguments.count, key, api=arguments.api_url),
            MediaFolders(Path(spool), Path(spool), limits),
            form=Form(size_px=arguments.size, most_seconds=arguments.max_seconds),
            report=report,
        )


def main(argv: list[str] | None = None) -> int:
    """Run the command; return 0 where all went well, 1 where a video failed, 2 where nothing."""
    arguments = create_parser().parse_args(argv)
    console = Console(stderr=True, soft_wrap=True)
    key = arguments.api_key or os.environ.get("PEXELS_API_KEY", "")
    if not key:
        console.print("no API key: give --api-key or set PEXELS_API_KEY (pexels.com/api)")
        return 2
    try:
        summary = run(arguments, key, console)
    except TrireelError as error:
        console.print(f"download_stock_videos: {error}", markup=False)
        return 2
    for uri in sorted(summary.stored + summary.reused):
        print(uri)
    console.print(
        f"{len(summary.stored)} stored, {len(summary.reused)} reused, {len(summary.failed)} failed"
    )
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main())
