# SPDX-License-Identifier: Apache-2.0
"""The server's own metrics beside what its answers say."""

import shutil
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from support.exposition import Scrape
from support.families import all_families
from support.raw import Raw, number, texts, video

from trireel_client import ServerPath, TrireelClient
from trireel_schema.stages import STAGES

from . import conftest

# The session's server has no backend of `describe`, whose own tests look at its series.
FAMILIES = [family for family in all_families() if "_describe_" not in family.name]
WORKER = "trireel_backend.extraction.process.worker"
CHUNK_SECONDS = 2.0


class Since:
    """How much counters have grown since this was made."""

    def __init__(self, server):
        self._server = server
        self._before = Scrape(server.metrics_url)

    def __call__(self, metric, **labels):
        now = Scrape(self._server.metrics_url)
        return now.total(metric, **labels) - self._before.total(metric, **labels)


@pytest.fixture
def since(server):
    return Since(server)


@pytest.fixture
def raw(server):
    raw = Raw(server, "grpc")
    yield raw
    raw.close()


def eventually(condition, seconds=10.0):
    """Wait until a condition holds that another thread or process brings about."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_metric_is_there_from_the_start(server, family):
    scrape = Scrape(server.metrics_url)
    assert scrape.kinds[family.name] == family.kind.value
    assert scrape.helps[family.name] == family.description
    name = f"{family.name}_count" if family.buckets else family.name
    for value in family.values:
        labels = {family.label: value} if family.label else {}
        assert scrape.total(name, **labels) >= 0
    instances = [labels["model_instance"] for series, labels, _ in scrape.series if series == name]
    assert len(instances) == len(set(instances)) * len(family.values)


def whole_videos(client):
    yield "video_analysis", client.analyze(ServerPath("sample.mp4"))
    *_, whole = client.stream(ServerPath("sample.mp4"))
    yield "video_analysis_stream", whole


def test_what_whole_videos_answer_is_what_is_counted(client, server):
    since = Since(server)
    for model, answer in whole_videos(client):
        assert since("trireel_videos_total", model=model, outcome="ok") == 1
        assert since("trireel_videos_total", model=model) == 1
        assert since("trireel_cuts_total") == len(answer.scene_changes) == 6
        assert since("trireel_chunks_total") == len(answer.chunks) == 6
        seconds = sum(chunk.duration_seconds for chunk in answer.chunks)
        assert since("trireel_video_seconds_total") == pytest.approx(seconds)
        frames = sum(len(chunk.scene_trace) for chunk in answer.chunks)
        assert since("trireel_frames_extracted_total") == frames
        assert since("nv_inference_count", model="siglip_vision") == frames
        for stage in STAGES:
            busy_ms = getattr(answer.timing, f"{stage}_ms")
            counted = since("trireel_stage_seconds_total", model=model, stage=stage)
            assert counted == pytest.approx(busy_ms / 1e3, abs=1e-6)
        duration = "trireel_video_analysis_duration_seconds"
        assert since(f"{duration}_count", model=model) == 1
        assert since(f"{duration}_sum", model=model) == pytest.approx(
            answer.timing.total_ms / 1e3, abs=0.1
        )
        assert since("trireel_refusals_total") == since("trireel_damaged_packets_total") == 0
        since = Since(server)


REFUSED = [
    (video("missing.mp4"), 404, "NOT_FOUND", "refused"),
    (video("text.mp4"), 400, "INVALID_ARG", "refused"),
    (video("gopher://host/x"), 501, "UNSUPPORTED", "refused"),
    (video("http://localhost:9/x.mp4"), 400, "INVALID_ARG", "refused"),
]


@pytest.mark.parametrize(("inputs", "code", "status", "outcome"), REFUSED)
def test_a_refused_video_is_counted_by_its_status(raw, since, inputs, code, status, outcome):
    raw.refused(code, "video_analysis", inputs)
    assert since("trireel_refusals_total", model="video_analysis", status=status) == 1
    assert since("trireel_refusals_total", model="video_analysis") == 1
    assert since("trireel_videos_total", outcome=outcome) == since("trireel_videos_total") == 1
    assert since("trireel_video_analysis_duration_seconds_count") == 0


def test_a_refused_chunk_is_counted_where_it_was_refused(raw, since):
    raw.refused(404, "chunk_encoder", video("missing.mp4"))
    assert since("trireel_refusals_total", model="frame_extractor", status="NOT_FOUND") == 1
    assert since("trireel_refusals_total") == 1
    assert since("trireel_videos_total") == 0


def test_damaged_packets_are_those_of_the_answer(raw, server, since):
    conftest.write_video(
        server.media / "scratched.ts",
        [conftest.numbered_frame(i % 256) for i in range(250)],
        gop=10,
    )
    data = bytearray((server.media / "scratched.ts").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    (server.media / "scratched.ts").write_bytes(data)
    answer = raw.infer("chunk_encoder", video("scratched.ts", SAMPLE_FPS=number("FP64", 10.0)))
    damaged = answer.as_numpy("CHUNK_DAMAGED_PACKETS").sum()
    assert since("trireel_damaged_packets_total") == damaged > 0


def chunk(**inputs):
    return video("clip.mp4", CHUNK_SECONDS=number("FP64", CHUNK_SECONDS), **inputs)


def live(server):
    return Scrape(server.metrics_url).total("trireel_live_sequences")


def test_live_sequences_go_up_and_down(raw, server, since):
    assert live(server) == 0
    ids = [uuid.uuid4().hex for _ in range(3)]
    for index, sequence_id in enumerate(ids):
        raw.infer("video_chunk", chunk(), sequence_id=sequence_id, sequence_start=True)
        assert live(server) == index + 1
    raw.infer("video_chunk", chunk(), sequence_id=ids[0])
    assert live(server) == 3
    for index, sequence_id in enumerate(ids):
        raw.infer("video_chunk", chunk(), sequence_id=sequence_id, sequence_end=True)
        assert live(server) == 2 - index
    assert since("trireel_sequences_expired_total") == 0
    # Each sequence has one chunk, which was sent again: counted once.
    assert since("trireel_chunks_total") == 3
    assert since("trireel_video_seconds_total") == pytest.approx(3 * CHUNK_SECONDS)


def test_a_stream_nobody_reads_on_is_a_cancelled_video(client, server, since):
    stream = client.stream(ServerPath("sample.mp4"), chunk_seconds=1.0)
    next(stream)
    stream.close()
    model = {"model": "video_analysis_stream"}
    assert eventually(lambda: since("trireel_videos_total", outcome="cancelled", **model) == 1)
    assert since("trireel_videos_total") == 1
    assert eventually(lambda: since("trireel_open_videos") == 0)
    assert since("trireel_refusals_total", status="CANCELLED", **model) == 1
    assert eventually(lambda: live(server) == 0)


def test_sums_are_right_over_several_instances(server, since):
    with TrireelClient(server.grpc_url) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.analyze(ServerPath("clip.mp4")), range(12)))
    chunks = sum(len(answer.chunks) for answer in answers)
    assert since("trireel_videos_total", model="video_analysis", outcome="ok") == 12
    assert since("trireel_chunks_total") == chunks
    assert since("trireel_frames_extracted_total") == 16 * chunks
    assert since("trireel_video_analysis_duration_seconds_count") == 12
    extracted = Scrape(server.metrics_url).by("trireel_frames_extracted_total", "model_instance")
    assert len([frames for frames in extracted.values() if frames]) > 1


def test_a_decoder_killed_at_work_is_counted(raw, server, since):
    processes = psutil.Process(server.process_id).children(recursive=True)
    working = [process for process in processes if WORKER in process.cmdline()]
    for worker in working:
        worker.suspend()
    timer = threading.Timer(0.3, lambda: [worker.kill() for worker in working])
    timer.start()
    raw.refused(503, "frame_extractor", chunk())
    timer.join()
    assert since("trireel_extractor_workers_lost_total", cause="killed") == 1
    assert since("trireel_extractor_workers_lost_total") == 1
    raw.infer("frame_extractor", chunk())


def test_the_spool_is_measured(raw, server):
    scrape = Scrape(server.metrics_url)
    assert scrape.total("trireel_spool_limit_bytes") == 2**34
    assert scrape.total("trireel_spool_disk_free_bytes") > 0
    raw.infer("frame_extractor", {"VIDEO_DATA": texts((server.media / "clip.mp4").read_bytes())})
    assert Scrape(server.metrics_url).total("trireel_spool_bytes") == 0  # gone with its request


@pytest.fixture(scope="module")
def impatient_server(media, tmp_path_factory):
    """A server that calls a sequence idle after a second."""
    models = tmp_path_factory.mktemp("impatient") / "models"
    shutil.copytree(conftest.MODELS, models, ignore=shutil.ignore_patterns("__pycache__"))
    config = models / "temporal_decoder/config.pbtxt"
    idle, impatient = (f"max_sequence_idle_microseconds: {n}" for n in (300_000_000, 1_000_000))
    assert idle in config.read_text()
    config.write_text(config.read_text().replace(idle, impatient))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "MODELS", models)
        with conftest.served(media, tmp_path_factory.mktemp("log")) as server:
            yield server


def test_a_sequence_that_idles_out_is_dropped_and_counted_without_a_further_request(
    impatient_server,
):
    raw = Raw(impatient_server, "grpc")
    for sequence_id in ("left-alone", "left-too"):
        raw.infer("video_chunk", chunk(), sequence_id=sequence_id, sequence_start=True)
    assert live(impatient_server) == 2
    assert eventually(lambda: live(impatient_server) == 0, seconds=20)
    scrape = Scrape(impatient_server.metrics_url)
    assert scrape.total("trireel_sequences_expired_total") == 2
    raw.close()
