# SPDX-License-Identifier: Apache-2.0
"""Figures by size, and the videos and banks that they are measured on."""

import av
import numpy as np
import pytest
from support.videos import numbered_frame, write_video

from benchmarks.common.clips import repeat
from benchmarks.common.server import EXPORT
from benchmarks.cost_by_size import __main__ as command
from benchmarks.cost_by_size import steps, videos
from benchmarks.cost_by_size.banks import export_with_bank, write_bank
from benchmarks.cost_by_size.headlines import headlines
from benchmarks.cost_by_size.points import fit
from benchmarks.cost_by_size.table import AXES, page
from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.launch.repository.assemble import load_config
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE

MACHINE = {"cores": ["P", "P"], "commit": "abc"}


def points(series, sizes, seconds, pss_mib):
    return [
        {
            "series": series,
            "size": size,
            "label": f"{size:,}",
            "seconds": [2 * took, took, took / 3],
            "pss_mib": mib,
        }
        for size, took, mib in zip(sizes, seconds, pss_mib, strict=True)
    ]


@pytest.fixture
def report():
    length = points("whole video", [60, 600, 7200], [0.3, 3.0, 36.0], [400.0, 410.0, 414.1])
    tags = points("decoder alone, 768 wide", [1000, 100_000], [0.001, 0.012], [300.0, 794.0])
    tags[1]["load_seconds"] = tags[0]["load_seconds"] = 2.5
    return {
        "length": {"machine": MACHINE, "points": length},
        "tags": {"machine": MACHINE, "points": tags},
    }


@pytest.mark.parametrize(
    ("cost", "exponent"),
    [(lambda n: 7.0, 0.0), (lambda n: 3 * n, 1.0), (lambda n: 2 * n**2, 2.0)],
)
def test_the_exponent_is_that_of_the_power(cost, exponent):
    sizes = [1, 10, 100, 1000]
    assert fit(sizes, [cost(n) for n in sizes]).exponent == pytest.approx(exponent, abs=1e-9)


def test_the_line_has_a_start_and_a_slope():
    sizes = [1, 5, 20, 400]
    found = fit(sizes, [12 + 0.25 * n for n in sizes])
    assert (found.slope, found.start) == (pytest.approx(0.25), pytest.approx(12))
    assert 0 < found.exponent < 1  # what is there anyway hides the growth of small sizes


@pytest.mark.parametrize(
    ("sizes", "costs", "message"),
    [
        ([1], [1], "two or more"),
        ([2, 2], [1, 3], "two or more"),
        ([1, 2], [1], "two or more"),
        ([0, 2], [1, 3], "above 0"),
        ([1, 2], [0, 3], "above 0"),
    ],
)
def test_what_has_no_slope_is_refused(sizes, costs, message):
    with pytest.raises(ValueError, match=message):
        fit(sizes, costs)


def test_a_page_has_medians_slopes_and_what_is_wanted(report):
    text = page({"results.json": report})
    assert "ten minutes: 1.00 x the time a minute of video, 1.01 x the memory" in text
    assert "100,000 tags (wanted: under 20 ms): 12.0 ms decoder alone, 768 wide" in text
    assert "| 7,200 | 36000 | 414 |" in text
    assert "Time: exponent 1.00, 5.00 ms a second of video" in text
    assert "| 100,000 | 12.0 | 794 | 2.50 |" in text
    assert "0.111 ms per 1,000 tags" in text
    assert "4.99 MiB per 1,000 tags" in text


def test_an_axis_that_was_not_measured_is_left_out(report):
    text = page({"results.json": {"tags": report["tags"]}})
    assert "ten minutes" not in text
    assert "## Length" not in text
    assert "## Tags" in text


def test_every_axis_is_measured_and_written():
    assert list(command.AXES) == [axis.name for axis in AXES]


def test_a_clip_after_itself_loses_no_frame(tmp_path):
    """Not those either whose decoding time Matroska leaves out, keyframes among them."""
    short = tmp_path / "short.mkv"
    write_video(short, [numbered_frame(i) for i in range(24)], options={"bf": "3"})
    frames = {}
    for path in (short, repeat(short, 3, tmp_path / "long.mkv")):
        with av.open(str(path)) as container:
            frames[path.stem] = list(container.decode(video=0))
    times = [float(frame.pts * frame.time_base) for frame in frames["long"]]
    np.testing.assert_allclose(times, np.arange(72) / 25, atol=2e-3)
    for index, frame in enumerate(frames["long"]):
        expected = frames["short"][index % 24].to_ndarray(format="gray")
        np.testing.assert_array_equal(frame.to_ndarray(format="gray"), expected)


def test_pictures_are_even_and_of_16_to_9():
    assert [videos.width_px(height) for height in videos.HEIGHTS_PX] == [
        682,
        1280,
        1920,
        2560,
        3840,
    ]


def test_a_bank_of_any_size_is_what_an_export_has(tmp_path):
    write_bank(300, 96, tmp_path)
    metadata = load_metadata(tmp_path / METADATA_FILE)
    bank = load_text_bank(tmp_path / TEXT_BANK_FILE, metadata)
    assert bank.tags.embeddings.shape == (300, metadata.embedding_dim) == (300, 96)
    np.testing.assert_allclose(np.linalg.norm(bank.tags.embeddings, axis=1), 1, atol=1e-5)


def test_an_export_keeps_all_but_its_bank(tmp_path):
    export = export_with_bank(50, tmp_path)
    bank = load_text_bank(export / TEXT_BANK_FILE, load_metadata(export / METADATA_FILE))
    assert len(bank.tags.texts) == 50
    assert {file.name for file in export.iterdir()} == {file.name for file in EXPORT.iterdir()}


def test_models_with_room_let_so_many_sequences_in(tmp_path):
    models = steps.models_with_room(10_000, tmp_path / "models")
    config = load_config(models / "temporal_decoder", "embedded")
    assert config.parameters["max_sequences"].string_value == "10000"
    assert config.sequence_batching.oldest.max_candidate_sequences > 10_000


@pytest.mark.parametrize("sequences", [1, 30])
def test_the_decoder_alone_is_measured_by_rounds(tmp_path, sequences):
    write_bank(20, 64, tmp_path)
    found = steps.alone(tmp_path, sequences, 10)
    assert len(found["seconds"]) == 3
    assert 0 < min(found["seconds"]) < 0.1
    assert found["pss_mib"] > 20


def point(series, size, ms, pss_mib=100.0):
    seconds = [ms / 1e3, ms / 1e3, 9.0]
    return {
        **{"series": series, "size": size, "label": f"{size:,}"},
        **{"seconds": seconds, "pss_mib": pss_mib},
    }


def test_every_axis_has_its_largest_size():
    axes = {
        "length": [point("v", 10, 1.0), point("v", 600, 600.0), point("v", 7200, 9000.0)],
        "tags": [point("alone", 20, 1.0), point("alone", 100_000, 19.0)],
        "sequences": [point("served", 1, 2.0), point("served", 1000, 3.0, 150.0)],
    }
    report = {name: {"machine": MACHINE, "points": points} for name, points in axes.items()}
    length, tags, sequences = (run.headlines for run in headlines({"results.json": report}))
    assert [(one.ratio, one.met) for one in length] == [(pytest.approx(1.25), False), (1.0, True)]
    assert [(one.what, one.judged, one.met) for one in tags] == [
        ("A chunk against 100,000 tags, alone", pytest.approx(19.0), True)
    ]
    assert [(one.what, one.ratio, one.met) for one in sequences] == [
        ("served, 1,000: time", pytest.approx(1.5), None),
        ("served, 1,000: memory", 1.5, None),
    ]
