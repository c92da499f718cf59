# SPDX-License-Identifier: Apache-2.0
"""Which frames, what of them, and what is said of them, through the running server."""

import signal
import threading
import time
from bisect import bisect_right

import av
import numpy as np
import psutil
import pytest
import torch
from support.extraction import sample_chunk
from support.raw import Raw, number, video
from support.videos import keyframe_seconds, numbered_frame, write_video
from transformers import SiglipImageProcessor, SiglipVisionModel

from trireel_backend.plan import Chunk
from trireel_client import InvalidRequest, ServerPath
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

from .conftest import ROOT

CLIP_FPS = 25
CHECKPOINT = ROOT / "export/tiny/checkpoint"
WORKER = "trireel_backend.extraction.process.worker"


@pytest.fixture(scope="module")
def raw(server):
    raw = Raw(server, "grpc")
    yield raw
    raw.close()


def ask(raw, model, name, **inputs):
    answer = raw.infer(model, video(name, **inputs))
    outputs = [output.name for output in answer.get_response().outputs]
    return {name: answer.as_numpy(name) for name in outputs}


def test_a_rate_gives_every_chunk_its_frames(raw, server):
    answer = ask(raw, "video_analysis", "clip.mp4",
                 SAMPLE_FPS=number("FP64", 2.0), CHUNK_SECONDS=number("FP64", 5.0))  # fmt: skip
    assert answer["CHUNK_NUM_FRAMES"].tolist() == [10, 10, 4]
    due = np.floor(np.arange(0.25, 12, 0.5) * CLIP_FPS + 1e-6) / CLIP_FPS
    np.testing.assert_allclose(answer["TIMESTAMPS"], due)
    assert len(answer["SCENE_TRACE"]) == 24
    numerator, denominator = answer["TIME_BASE"].tolist()
    exact = [pts * numerator / denominator for pts in answer["PTS"].tolist()]
    np.testing.assert_array_equal(exact, answer["TIMESTAMPS"])


def test_ten_frames_a_second_fit_into_the_usual_chunk(raw):
    answer = ask(raw, "video_analysis", "clip.mp4", SAMPLE_FPS=number("FP64", 10.0))
    assert answer["CHUNK_NUM_FRAMES"].tolist() == [100, 20]


@pytest.mark.parametrize("model", ["video_analysis", "chunk_encoder"])
def test_keyframes_alone(raw, server, model):
    answer = ask(raw, model, "sample.mp4", KEYFRAMES_ONLY=number("BOOL", True))
    keyframes = keyframe_seconds(server.media / "sample.mp4")
    counts = answer["CHUNK_NUM_FRAMES"]
    assert counts.sum() == len(answer["TIMESTAMPS"]) > 0
    assert set(answer["TIMESTAMPS"]) <= set(keyframes)
    first_chunk = (np.arange(16) + 0.5) * 10 / 16
    due = sorted({keyframes[max(0, bisect_right(keyframes, t) - 1)] for t in first_chunk})
    assert answer["TIMESTAMPS"][: counts[0]].tolist() == due


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CROP", number("FP64", [0.5, 0.25, 0.5, 0.5])),
        ("CROP_PX", number("INT32", [32, 12, 32, 24])),
    ],
)
def test_a_region_is_what_the_tower_sees(raw, server, name, value):
    answer = ask(raw, "frame_extractor", "clip.mp4", **{name: value})
    size_px = answer["FRAMES"].shape[1]
    expected = sample_chunk(
        server.media / "clip.mp4", Chunk(0, 0.0, 10.0), 16, size_px, crop=(0.5, 0.25, 0.5, 0.5)
    )
    np.testing.assert_array_equal(answer["FRAMES"], expected.pixels)
    whole = ask(raw, "chunk_encoder", "clip.mp4")["EMBEDDINGS"]
    region = ask(raw, "chunk_encoder", "clip.mp4", **{name: value})["EMBEDDINGS"]
    assert (whole * region).sum(axis=1).max() < 0.9999


@pytest.mark.parametrize("model", ["video_analysis", "frame_extractor"])
def test_what_was_read_is_told(raw, model):
    answer = ask(raw, model, "clip.mp4", STREAM_INDEX=number("INT32", 0))
    assert answer["STREAM_INDEX"] == [0]
    assert answer["VIDEO_STREAM_INDICES"].tolist() == [0]
    assert answer["DECODER"].tolist() == [b"h264"]
    assert answer["VIDEO_START_SECONDS"] == [0.0]
    assert answer["CHUNK_DAMAGED_PACKETS"].sum() == 0
    assert answer["FRAME_RATE"].tolist() == [25, 1]
    assert not answer["IS_VFR"][0]
    assert answer["PICTURE_SIZE_PX"].tolist() == [64, 48]


def test_another_stream_is_another_video(raw, server):
    path = server.media / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stream, shown in zip(streams, (range(50), range(255, 205, -1)), strict=True):
            for value in shown:
                frame = av.VideoFrame.from_ndarray(numbered_frame(value), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    embeddings = []
    for index in (0, 1):
        inputs = {"STREAM_INDEX": number("INT32", index)}
        whole = ask(
            raw, "video_analysis", "two.mkv", WITH_EMBEDDINGS=number("BOOL", True), **inputs
        )
        assert whole["STREAM_INDEX"] == [index]
        assert whole["VIDEO_STREAM_INDICES"].tolist() == [0, 1]
        frames = ask(raw, "frame_extractor", "two.mkv", **inputs)["FRAMES"]
        expected = sample_chunk(path, Chunk(0, 0.0, 2.0), 16, frames.shape[1], stream_index=index)
        np.testing.assert_array_equal(frames, expected.pixels)
        parts = ask(raw, "chunk_encoder", "two.mkv", **inputs)
        np.testing.assert_allclose(whole["EMBEDDINGS"], parts["EMBEDDINGS"], atol=1e-5)
        embeddings.append(whole["EMBEDDINGS"])
    assert (embeddings[0] * embeddings[1]).sum(axis=1).mean() < 0.98


def test_several_chunks_in_one_request_are_those_of_one_each(raw):
    starts = [0.0, 2.0, 7.5, 11.0]
    together = ask(raw, "chunk_encoder", "clip.mp4", START_SECONDS=number("FP64", starts),
                   CHUNK_SECONDS=number("FP64", 2.0))  # fmt: skip
    assert together["CHUNK_NUM_FRAMES"].tolist() == [16] * 4
    for index, start in enumerate(starts):
        alone = ask(raw, "chunk_encoder", "clip.mp4", START_SECONDS=number("FP64", start),
                    CHUNK_SECONDS=number("FP64", 2.0))  # fmt: skip
        of_chunk = slice(16 * index, 16 * index + 16)
        np.testing.assert_array_equal(together["PTS"][of_chunk], alone["PTS"])
        np.testing.assert_allclose(together["EMBEDDINGS"][of_chunk], alone["EMBEDDINGS"], atol=1e-5)
        for name in ("CHUNK_START_SECONDS", "CHUNK_DURATION_SECONDS"):
            assert together[name][index] == alone[name][0]


def test_damage_is_told_chunk_by_chunk(raw, server):
    path = write_video(
        server.media / "damaged.ts", [numbered_frame(i % 256) for i in range(500)], gop=10
    )
    data = bytearray(path.read_bytes())
    at = int(len(data) * 0.7)
    data[at : at + 2000] = bytes(2000)
    path.write_bytes(bytes(data))
    answer = ask(raw, "video_analysis", "damaged.ts", SAMPLE_FPS=number("FP64", 10.0))
    assert answer["CHUNK_DAMAGED_PACKETS"][0] == 0
    assert answer["CHUNK_DAMAGED_PACKETS"][1] > 0


def workers(server):
    children = psutil.Process(server.process_id).children(recursive=True)
    return [child for child in children if WORKER in child.cmdline()]


def test_a_crash_of_the_decoder_costs_the_one_video_that_caused_it(client, server):
    crashing = [*workers(server)]
    assert len(crashing) == 2  # an extractor's instances
    for worker in crashing:
        worker.suspend()

    def crash():
        for worker in crashing:
            worker.send_signal(signal.SIGSEGV)
            worker.resume()

    timer = threading.Timer(0.5, crash)
    timer.start()
    with pytest.raises(InvalidRequest, match=r"decoder's process died \(SIGSEGV\) of this video"):
        client.analyze(ServerPath("clip.mp4"))
    timer.join()
    assert client.analyze(ServerPath("sample.mp4")).tags[0].text == "gym"
    assert client.analyze(ServerPath("clip.mp4")).num_chunks == 2
    assert len(workers(server)) == 2


def holding(server, name):
    """Return how many extractors have a video open."""
    return sum(
        any(file.path.endswith(f"/{name}") for file in worker.open_files())
        for worker in workers(server)
    )


def test_a_video_is_closed_when_the_request_says_that_nothing_goes_on_there(raw, server):
    write_video(server.media / "own.mp4", [numbered_frame(i % 16) for i in range(250)])  # 10 s
    first = video("own.mp4", CHUNK_SECONDS=number("FP64", 2.0))
    raw.infer("chunk_encoder", first)
    assert holding(server, "own.mp4") == 1
    while holding(server, "own.mp4"):  # until it has come to the extractor that holds it
        raw.infer("chunk_encoder", first, parameters={"keep_open": False})


def test_workers_that_are_killed_at_rest_are_replaced_unnoticed(client, server):
    for worker in workers(server):
        worker.kill()
    time.sleep(0.2)
    for _ in range(3):
        assert client.analyze(ServerPath("clip.mp4")).num_chunks == 2


@pytest.mark.parametrize("name", ["sample.mp4", "wide.mp4"])
def test_embeddings_are_those_of_the_checkpoints_own_processor(raw, server, name):
    """Full decode, Pillow's scaling, torch: nothing of this project."""
    if name == "wide.mp4":  # 1280 x 720, of scenes that the checkpoint has not seen
        pictures = [
            draw_scene(HELD_OUT_SEED + 900_000 + i, *PAIRS[9 * i]).frame(0.5, (1280, 720))
            for i in range(5)
        ]
        write_video(server.media / name, pictures * 5, codec="libx264", options={"crf": "12"})
    answer = ask(raw, "chunk_encoder", name)
    by_time = {}
    with av.open(str(server.media / name)) as container:
        for frame in container.decode(video=0):
            if frame.time in answer["TIMESTAMPS"]:
                by_time[frame.time] = frame.to_image()
    pictures = [by_time[seconds] for seconds in answer["TIMESTAMPS"].tolist()]
    processor = SiglipImageProcessor.from_pretrained(CHECKPOINT)
    model = SiglipVisionModel.from_pretrained(CHECKPOINT).eval()
    with torch.no_grad():
        pooled = model(**processor(images=pictures, return_tensors="pt")).pooler_output
    expected = torch.nn.functional.normalize(pooled, dim=-1).numpy()
    cosines = (expected * answer["EMBEDDINGS"]).sum(axis=1)
    assert cosines.min() >= 0.999
