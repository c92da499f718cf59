# SPDX-License-Identifier: Apache-2.0
"""Analyse videos with a Trireel server: tags, captions, cuts.

from trireel_client import TrireelClient

with TrireelClient("127.0.0.1:8001") as client:
    for cut in client.analyze("sample.mp4").scene_changes:
        print(f"cut at {cut.timestamp_seconds:.2f} s")
"""

from trireel_client._async_client import AsyncTrireelClient
from trireel_client._caption_options import CaptionOptions
from trireel_client._captions import (
    CaptionEvent,
    CaptionProgress,
    CaptionReport,
    CaptionStage,
    Clip,
)
from trireel_client._client import TrireelClient
from trireel_client._clips.writer import ClipManifest, ClipWriter, WrittenClip, open_clips
from trireel_client._config import Retry, Timeout
from trireel_client._descriptions import ChatTurn, DescribedPiece, DescribeOptions
from trireel_client._errors import (
    ClientBusy,
    ClientClosed,
    ClipsNotWritten,
    EmptySource,
    InvalidAddress,
    InvalidRequest,
    InvalidTls,
    NotAllowed,
    NotFound,
    RequestCancelled,
    RequestError,
    RequestTimeout,
    SequenceLost,
    ServerError,
    ServerFull,
    ServerUnavailable,
    SourceError,
    SourceNotFound,
    SourceTooLarge,
    TlsFailed,
    TrireelError,
    UnexpectedAnswer,
    UnreadableSource,
    Unsupported,
)
from trireel_client._findings import (
    BestView,
    Caption,
    ChunkQuality,
    Detection,
    LabelOnScreen,
    Objects,
    Quality,
    SceneChange,
    SceneDescription,
    SceneSignals,
    ScreenCaption,
    Shot,
    Tag,
    TimeSpan,
    Track,
)
from trireel_client._objects.coco import export_coco
from trireel_client._objects.draw import draw_objects
from trireel_client._options import AnalysisOptions, StepOptions
from trireel_client._page.page import write_page
from trireel_client._results import Analysis, ChunkAnalysis, Thumbnail, Timing, VideoSoFar
from trireel_client._servers import ServerDetails, ServerInfo
from trireel_client._sources import ServerPath
from trireel_client._timeline.export import export_scenes
from trireel_client._trace import in_trace
from trireel_client._transports.tls import Tls

__all__ = [
    "Analysis",
    "AnalysisOptions",
    "AsyncTrireelClient",
    "BestView",
    "Caption",
    "CaptionEvent",
    "CaptionOptions",
    "CaptionProgress",
    "CaptionReport",
    "CaptionStage",
    "ChatTurn",
    "ChunkAnalysis",
    "ChunkQuality",
    "ClientBusy",
    "ClientClosed",
    "Clip",
    "ClipManifest",
    "ClipWriter",
    "ClipsNotWritten",
    "DescribeOptions",
    "DescribedPiece",
    "Detection",
    "EmptySource",
    "InvalidAddress",
    "InvalidRequest",
    "InvalidTls",
    "LabelOnScreen",
    "NotAllowed",
    "NotFound",
    "Objects",
    "Quality",
    "RequestCancelled",
    "RequestError",
    "RequestTimeout",
    "Retry",
    "SceneChange",
    "SceneDescription",
    "SceneSignals",
    "ScreenCaption",
    "SequenceLost",
    "ServerDetails",
    "ServerError",
    "ServerFull",
    "ServerInfo",
    "ServerPath",
    "ServerUnavailable",
    "Shot",
    "SourceError",
    "SourceNotFound",
    "SourceTooLarge",
    "StepOptions",
    "Tag",
    "Thumbnail",
    "TimeSpan",
    "Timeout",
    "Timing",
    "Tls",
    "TlsFailed",
    "Track",
    "TrireelClient",
    "TrireelError",
    "UnexpectedAnswer",
    "UnreadableSource",
    "Unsupported",
    "VideoSoFar",
    "WrittenClip",
    "draw_objects",
    "export_coco",
    "export_scenes",
    "in_trace",
    "open_clips",
    "write_page",
]
