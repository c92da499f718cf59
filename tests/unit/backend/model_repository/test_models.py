# SPDX-License-Identifier: Apache-2.0
"""Every model.py, on a stand-in for Triton's Python module."""

import importlib.util
import threading
import time

import numpy as np
import pytest
from support.fake_triton import END, START, InferenceRequest
from support.repository import MODELS, config_json
from support.videos import number_of, numbered_frame, write_video
from support.web import web_server, with_ranges

from trireel_backend.errors import StartupError

WIDTH = 8


@pytest.fixture
def load_model(triton, tmp_path):
    """Return a function that loads a model.py, initialised with its own config."""
    models = []

    def load(name, *, parameters=None, files=None, profile="embedded"):
        version_folder = tmp_path / name / "1"
        version_folder.mkdir(parents=True)
        for file_name, source in (files or {}).items():
            (version_folder / file_name).symlink_to(source)
        path = MODELS / name / "1/model.py"
        spec = importlib.util.spec_from_file_location(f"{name}_model", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        model = module.TritonPythonModel()
        model.initialize(
            {
                "model_config": config_json(name, profile, parameters or {}),
                "model_repository": str(tmp_path / name),
                "model_version": "1",
                "model_name": name,
                "model_instance_name": f"{name}_0_0",
            }
        )
        models.append(model)
        return model

    yield load
    for model in models:
        if hasattr(model, "finalize"):  # as Triton does
            model.finalize()


def one_answer(model, request):
    (response,) = model.execute([request])
    return response


@pytest.fixture
def extractor(load_model, bank_files, tmp_path):
    for folder in ("media", "spool"):
        (tmp_path / folder).mkdir()
    write_video(tmp_path / "media/clip.mp4", [numbered_frame(i) for i in range(100)])
    return load_model(
        "frame_extractor",
        parameters={"media_root": str(tmp_path / "media"), "spool": str(tmp_path / "spool")},
        files={"metadata.json": bank_files["metadata.json"]},
    )


def video(name="clip.mp4", **inputs):
    return InferenceRequest({"VIDEO": [name.encode()], **inputs}, outputs=("FRAMES",))


def test_the_extractor_answers_frames_and_their_times(extractor):
    answer = one_answer(extractor, video(CHUNK_SECONDS=[2.0], START_SECONDS=[1.0])).arrays()
    assert answer["FRAMES"].shape == (16, 24, 24, 3)
    assert answer["FRAMES"].dtype == np.uint8
    expected = np.round(answer["TIMESTAMPS"] * 25).astype(int)
    assert [number_of(frame) for frame in answer["FRAMES"]] == expected.tolist()
    assert answer["CHUNK_START_SECONDS"] == [1.0]
    assert answer["VIDEO_DURATION_SECONDS"] == pytest.approx([4.0])
    began_ns, ended_ns = answer["EXTRACT_NS"]
    assert 0 < ended_ns - began_ns < 10e9


def test_the_extractor_takes_an_upload(extractor, tmp_path):
    data = (tmp_path / "media/clip.mp4").read_bytes()
    answer = one_answer(extractor, InferenceRequest({"VIDEO_DATA": [data]})).arrays()
    assert answer["CHUNK_DURATION_SECONDS"] == pytest.approx([4.0])
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_look_decodes_nothing_and_tells_the_plan(extractor):
    request = InferenceRequest(
        {"VIDEO": [b"clip.mp4"], "FRAMES_PER_CHUNK": [0], "CHUNK_SECONDS": [1.5]},
        outputs=("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS"),
    )
    answer = one_answer(extractor, request).arrays()
    assert answer["FRAMES"].shape == (0, 24, 24, 3)
    np.testing.assert_allclose(answer["PLAN_START_SECONDS"], [0, 1.5, 3.0])
    np.testing.assert_allclose(answer["PLAN_DURATION_SECONDS"], [1.5, 1.5, 1.0])


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        (video("no.mp4"), "NOT_FOUND", "not in the media folder"),
        (video("/etc/passwd"), "INVALID_ARG", "outside the media folder"),
        (video("gopher://b/k"), "UNSUPPORTED", "scheme 'gopher'"),
        (video(START_SECONDS=[4.0]), "INVALID_ARG", "ends at 4 s"),
        (video(START_SECONDS=[np.nan]), "INVALID_ARG", "START_SECONDS is nan"),
        (video(CHUNK_SECONDS=[np.inf]), "INVALID_ARG", "CHUNK_SECONDS is inf"),
        (video(FRAMES_PER_CHUNK=[0]), "INVALID_ARG", "give 1 to 128"),
        (video(START_SECONDS=[0.0] * 9), "INVALID_ARG", "names 9 chunks of 16 frames"),
        (video(START_SECONDS=[]), "INVALID_ARG", "names 0 chunks"),
        (video(FRAMES_PER_CHUNK=[129]), "INVALID_ARG", "give 1 to 128"),
        (InferenceRequest({"VIDEO": [b"\xff"]}), "NOT_FOUND", r"'\udcff' is not in the media"),
        (InferenceRequest({"VIDEO": [b"s3://b/\xff"]}), "INVALID_ARG", "not UTF-8"),
        (InferenceRequest({"VIDEO_DATA": [b"text"]}), "INVALID_ARG", "not a video"),
    ],
)
def test_a_bad_request_is_refused_with_its_status(extractor, triton, request_, status, message):
    error = one_answer(extractor, request_).error()
    assert error.code() == getattr(triton.TritonError, status)
    assert message in error.message()


def test_a_bad_request_does_not_disturb_its_neighbours(extractor):
    responses = extractor.execute([video(), video("no.mp4"), video()])
    assert [response.has_error() for response in responses] == [False, True, False]


def test_the_extractor_answers_others_while_it_fetches(load_model, bank_files, triton, tmp_path):
    def answer(handler):
        reached.set()
        go_on.wait(10)
        with_ranges(data)(handler)

    for folder in ("media", "spool"):
        (tmp_path / folder).mkdir()
    write_video(tmp_path / "media/clip.mp4", [numbered_frame(i) for i in range(100)])
    data = (tmp_path / "media/clip.mp4").read_bytes()
    parameters = {name: str(tmp_path / name.partition("_")[0]) for name in ("media_root", "spool")}
    extractor = load_model(
        "frame_extractor",
        parameters=parameters | {"allowed_networks": "127.0.0.0/8"},
        files={"metadata.json": bank_files["metadata.json"]},
    )
    triton.InferenceRequest.models["frame_extractor"] = extractor
    reached, go_on = threading.Event(), threading.Event()
    with web_server({"/clip.mp4": answer}) as web:
        far, missing = video(web.url("/clip.mp4")), video(web.url("/clip.mp4"), START_SECONDS=[9.0])
        assert extractor.execute([far]) == extractor.execute([missing]) == [None]
        assert reached.wait(10)
        near = one_answer(extractor, video()).arrays()
        assert far.sender.sent == []
        go_on.set()
        answer = sent_in_the_end(far).arrays()
        error = sent_in_the_end(missing).error()
    assert answer.keys() == near.keys()
    for name in answer.keys() - {"EXTRACT_NS"}:
        np.testing.assert_array_equal(answer[name], near[name])
    assert (error.code(), error.message()[:18]) == (
        triton.TritonError.INVALID_ARG,
        "START_SECONDS is 9",
    )
    assert exported(triton, "trireel_refusals_total")["INVALID_ARG"] == 1


@pytest.fixture
def decoder(load_model, bank_files):
    return load_model("temporal_decoder", files=bank_files)


def chunk(axes, *, correlation_id="v", flags=0, at=0.0, **inputs):
    return InferenceRequest(
        {
            "EMBEDDINGS": np.eye(WIDTH, dtype=np.float32)[axes],
            "TIMESTAMPS": at + np.arange(len(axes), dtype=np.float64),
            **inputs,
        },
        correlation_id=correlation_id,
        flags=flags,
    )


def test_the_decoder_keeps_videos_apart(decoder):
    one_answer(decoder, chunk([0, 0], correlation_id="a", flags=START))
    one_answer(decoder, chunk([5, 5], correlation_id=7, flags=START))
    a = one_answer(decoder, chunk([0, 0], correlation_id="a", flags=END, at=9)).arrays()
    seven = one_answer(decoder, chunk([0, 5], correlation_id=7, flags=END, at=9)).arrays()
    assert a["SCENE_FRAME_INDICES"].tolist() == []
    assert seven["SCENE_FRAME_INDICES"].tolist() == [0, 1]
    assert a["CHUNK_INDICES"].tolist() == seven["CHUNK_INDICES"].tolist() == [1]
    assert a["TAG_TEXTS"][0] == b"tag 0"


def test_the_checkpoints_own_scene_threshold_is_the_default(decoder):
    frame = np.zeros((2, WIDTH), np.float32)
    frame[0, 0], frame[1, :2] = 1, (0.75, (1 - 0.75**2) ** 0.5)  # a score of 0.25
    default = chunk([0, 0], flags=START | END, EMBEDDINGS=frame)
    lower = chunk([0, 0], flags=START | END, EMBEDDINGS=frame, SCENE_THRESHOLD=np.float32([0.2]))
    assert len(one_answer(decoder, default).arrays()["SCENE_SCORES"]) == 0
    assert len(one_answer(decoder, lower).arrays()["SCENE_SCORES"]) == 1


def test_a_refused_chunk_does_not_advance_its_video(decoder):
    one_answer(decoder, chunk([0], flags=START))
    assert one_answer(decoder, chunk([1], at=9, TOP_K=[0])).has_error()
    answer = one_answer(decoder, chunk([0], at=9, flags=END)).arrays()
    assert answer["CHUNK_INDICES"].tolist() == [1]
    assert answer["SCENE_SCORES"].tolist() == []


def test_a_chunk_without_start_is_refused_also_after_a_failed_end(decoder, triton):
    one_answer(decoder, chunk([0], flags=START))
    assert one_answer(decoder, chunk([0], flags=END, TOP_K=[0])).has_error()
    error = one_answer(decoder, chunk([0])).error()
    assert error.code() == triton.TritonError.INVALID_ARG
    assert "'v' is not open" in error.message()


@pytest.mark.parametrize(("kind", "output"), [("TAG", "TAG"), ("DESCRIPTION", "CAPTION")])
def test_free_texts_come_with_their_embeddings(decoder, kind, output):
    free = {f"{kind}S": [b"mine"], f"{kind}_EMBEDDINGS": np.eye(1, WIDTH, 3, dtype=np.float32)}
    answer = one_answer(decoder, chunk([3], flags=START | END, **free)).arrays()
    assert answer[f"CHUNK_{output}_TEXTS"].ravel().tolist() == [b"mine"]
    for lone in (chunk([3], flags=START | END, **{name: free[name]}) for name in free):
        assert "send both" in one_answer(decoder, lone).error().message()


def test_a_bug_is_logged_and_the_client_sees_no_traceback(decoder, logged_errors):
    broken = chunk([0], flags=START)
    broken.arrays["EMBEDDINGS"] = np.array(["not numbers"])
    message = one_answer(decoder, broken).error().message()
    assert message.startswith("internal error (")
    assert "Traceback" not in message
    assert "Traceback" in logged_errors[0]


def test_the_status_of_an_error_travels_in_the_message_where_asked_for(decoder):
    request = InferenceRequest(chunk([0]).arrays, correlation_id="v", parameters={"inner": ""})
    assert one_answer(decoder, request).error().message().startswith("INVALID_ARG: sequence 'v'")


def begin(correlation_id, **parameters):
    return InferenceRequest(
        chunk([0]).arrays, correlation_id=correlation_id, flags=START, parameters=parameters
    )


def test_a_sequence_more_than_may_be_open_is_refused(load_model, bank_files, triton):
    decoder = load_model("temporal_decoder", files=bank_files, parameters={"max_sequences": "2"})
    for name in ("a", "b"):
        one_answer(decoder, begin(name)).arrays()
    error = one_answer(decoder, begin("c")).error()
    assert error.code() == triton.TritonError.UNAVAILABLE
    assert error.message() == (
        "the server is full: 2 sequences are open in it, the most allowed: ask again in about 5 s,"
        " or ask another server"
    )
    one_answer(decoder, begin("a")).arrays()  # one that is open begins anew
    one_answer(decoder, chunk([0], correlation_id="d", flags=START | END)).arrays()  # opens none
    assert one_answer(decoder, begin("e", inner="a guess")).has_error()
    # A whole video's was let in already.
    assert "CHUNK_INDICES" in one_answer(decoder, begin("e", inner="")).arrays()
    one_answer(decoder, chunk([0], correlation_id="a", flags=END)).arrays()
    one_answer(decoder, begin("c")).arrays()  # its place does not count among clients'
    assert exported(triton, "trireel_live_sequences") == {"": 3}
    assert one_answer(decoder, chunk([0], correlation_id="b", at=9)).arrays()["CHUNK_INDICES"] == 1


def test_a_sequence_that_is_kept_has_no_chunk_more(decoder):
    def keep(correlation_id, flags=0):
        request = InferenceRequest(
            chunk([5]).arrays,
            correlation_id=correlation_id,
            flags=flags,
            parameters={"keep_sequence": True},
        )
        return one_answer(decoder, request)

    one_answer(decoder, begin("a")).arrays()
    assert keep("a").arrays() == {}
    assert one_answer(decoder, chunk([0], correlation_id="a", at=9)).arrays()["CHUNK_INDICES"] == 1
    assert "sequence 'b' is not open" in keep("b").error().message()
    for flags in (START, START | END):
        refused = keep("c", flags).error().message()
        assert refused == "got keep_sequence with START: send it after the first chunk"
    assert keep("a", END).arrays() == {}  # abandoned
    assert "sequence 'a' is not open" in keep("a").error().message()


def test_a_servers_scene_threshold_replaces_the_exports(load_model, bank_files):
    decoder = load_model("temporal_decoder", files=bank_files, parameters={"scene_threshold": "2"})
    answer = one_answer(decoder, chunk([0, 0, 5], flags=START | END)).arrays()
    assert answer["SCENE_TRACE"].max() == 1.0
    assert len(answer["SCENE_TIMESTAMPS"]) == 0


@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_decoder_of_no_sequences(load_model, bank_files, value):
    with pytest.raises(StartupError, match=f"max_sequences is {value}: give"):
        load_model("temporal_decoder", files=bank_files, parameters={"max_sequences": value})


@pytest.mark.parametrize("value", [np.nan, 50.0])
def test_free_tags_must_have_embeddings(decoder, value):
    tags = {"TAGS": [b"mine"], "TAG_EMBEDDINGS": np.full((1, WIDTH), value, np.float32)}
    error = one_answer(decoder, chunk([3], flags=START | END, **tags)).error().message()
    assert "TAG_EMBEDDINGS are not of unit length" in error


def test_a_video_that_was_cut_off_is_said_to_be(extractor, tmp_path):
    data = (tmp_path / "media/clip.mp4").read_bytes()
    whole = one_answer(extractor, InferenceRequest({"VIDEO_DATA": [data]})).arrays()
    assert whole["IS_COMPLETE"].tolist() == [True]


def exported(triton, name):
    """Return the numbers of a family by the value of its own label."""
    return {
        next((value for key, value in series.labels.items() if not key.startswith("model")), ""): (
            series.value
        )
        for series in triton.MetricFamily.made[name].series
    }


def test_what_the_extractor_did_is_counted(extractor, triton):
    extractor.execute([video(CHUNK_SECONDS=[2.0]), video("no.mp4"), video("gopher://b/k")])
    assert exported(triton, "trireel_frames_extracted_total") == {"": 16}
    refusals = exported(triton, "trireel_refusals_total")
    assert {status: count for status, count in refusals.items() if count} == {
        "NOT_FOUND": 1,
        "UNSUPPORTED": 1,
    }
    (series,) = triton.MetricFamily.made["trireel_frames_extracted_total"].series
    assert series.labels == {"model": "frame_extractor", "model_instance": "frame_extractor_0_0"}


def test_what_the_decoder_did_is_counted(decoder, triton):
    seconds = {"CHUNK_DURATION_SECONDS": [2.5]}
    one_answer(decoder, chunk([0, 5], flags=START, **seconds))
    one_answer(decoder, chunk([0], correlation_id=7, flags=START))
    assert exported(triton, "trireel_live_sequences") == {"": 2}
    one_answer(decoder, chunk([5, 5, 0], flags=END, **seconds))
    assert one_answer(decoder, chunk([0], correlation_id=9)).has_error()
    assert exported(triton, "trireel_live_sequences") == {"": 1}
    assert exported(triton, "trireel_live_sequences_limit") == {"": 256}
    assert exported(triton, "trireel_chunks_total") == {"": 3}
    assert exported(triton, "trireel_cuts_total") == {"": 2}
    assert exported(triton, "trireel_video_seconds_total") == {"": 5.0}
    assert exported(triton, "trireel_refusals_total")["INVALID_ARG"] == 1


def test_the_chunk_that_ends_a_video_given_up_is_not_counted_again(decoder, triton):
    one_answer(decoder, chunk([0, 0], flags=START))
    one_answer(decoder, chunk([0, 0], flags=END))
    assert exported(triton, "trireel_chunks_total") == {"": 1}
    assert exported(triton, "trireel_live_sequences") == {"": 0}


def sent_in_the_end(request):
    """Wait for a request's last response, and return the only one."""
    deadline = time.monotonic() + 10
    while not request.sender.closed:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (response,) = (one for one, _ in request.sender.sent if one is not None)
    return response


@pytest.mark.parametrize("model", ["video_analysis", "video_analysis_stream"])
def test_a_whole_video_without_spans_would_never_end(load_model, tmp_path, model):
    folders = {"media_root": str(tmp_path), "spool": str(tmp_path)}
    with pytest.raises(StartupError, match="spans_in_flight is 0: give 1 or more"):
        load_model(model, parameters={**folders, "spans_in_flight": "0"})


@pytest.mark.parametrize("model", ["video_analysis", "video_analysis_stream"])
@pytest.mark.parametrize("trace_steps", ["false", "true"])
def test_a_whole_video_that_is_refused_is_counted(load_model, triton, tmp_path, model, trace_steps):
    (spool := tmp_path / "spool").mkdir()
    parameters = {"media_root": str(tmp_path), "spool": str(spool), "trace_steps": trace_steps}
    at_once = load_model(model, parameters=parameters).execute([request := video("no.mp4")])
    if model == "video_analysis" and trace_steps == "true":
        (response,) = at_once
        assert request.sender.sent == []
    else:
        assert at_once is None
        response = sent_in_the_end(request)
    assert response.error().code() == triton.TritonError.NOT_FOUND
    assert exported(triton, "trireel_refusals_total")["NOT_FOUND"] == 1
    assert exported(triton, "trireel_videos_total")["refused"] == 1
    assert exported(triton, "trireel_open_videos") == {"": 0}
