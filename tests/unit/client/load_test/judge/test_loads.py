# SPDX-License-Identifier: Apache-2.0
"""Work of models and machines, from snapshots with known numbers."""

import pytest
from unit.client.load_test.made import CAPACITIES, snapshot, worked

from trireel_client.load_test.judge.loads import machine_load, model_loads
from trireel_client.load_test.watch.capacity import Capacity, capacity_of


def loads(*snapshots):
    return {one.model: one for one in model_loads(snapshots, CAPACITIES)}


def test_a_model_s_work_is_what_grew_between_snapshots():
    before = worked("frame_extractor", 100.0, busy=50.0, queue=5.0)
    after = worked("frame_extractor", 140.0, busy=58.0, queue=7.0, pending=3.0)
    one = loads(snapshot(10.0, values=before), snapshot(15.0, values=after))["frame_extractor"]
    assert (one.requests, one.rate, one.busy_seconds, one.queue_seconds) == (40, 8, 8, 2)
    assert (one.busy_ms, one.queue_ms, one.batch) == (200, 50, 1)
    assert one.utilisation == pytest.approx(8 / (2 * 5))
    assert (one.pending, one.pending_max) == (1.5, 3)


def test_a_batch_s_time_counts_once():
    # 8 requests of 16 frames in 2 executions of 1 s: Triton says 8 s.
    before = worked("siglip_vision", 0.0)
    after = worked("siglip_vision", 8.0, executions=2.0, rows=128.0, busy=8.0)
    one = loads(snapshot(0.0, values=before), snapshot(4.0, values=after))["siglip_vision"]
    assert (one.busy_seconds, one.batch, one.utilisation) == (2, 64, 0.5)
    assert one.row_rate == one.rows / one.wall_seconds > one.rate


@pytest.mark.parametrize("in_queue", [0.0, 3.0])
def test_open_videos_take_the_places_for_whole_videos(in_queue):
    def opened(count, waiting):
        return {
            **worked("video_analysis_stream", 1.0, busy=0.001, pending=in_queue),
            ("trireel_open_videos", "video_analysis_stream"): count,
            ("trireel_waiting_videos", "video_analysis_stream"): waiting,
        }

    snapshots = (snapshot(0.0, values=opened(8.0, 0.0)), snapshot(10.0, values=opened(20.0, 4.0)))
    one = loads(*snapshots)["video_analysis_stream"]
    assert one.utilisation == pytest.approx((8 + 16) / 2 / 16)
    assert (one.pending, one.pending_max) == (2 + in_queue, 4 + in_queue)


def test_models_that_did_nothing_are_left_out():
    values = worked("siglip_text", 5.0)
    assert loads(snapshot(0.0, values=values), snapshot(1.0, values=values)) == {}


@pytest.mark.parametrize(
    "snapshots", [(), (snapshot(0.0, values=worked("a", 1.0)),), (snapshot(0.0),) * 2]
)
def test_too_few_snapshots_say_nothing(snapshots):
    assert model_loads(snapshots, CAPACITIES) == ()


def test_a_model_of_unknown_instances_has_no_utilisation():
    values = worked("chunk_encoder", 5.0, busy=2.0)
    one = loads(snapshot(0.0, values=worked("chunk_encoder", 0.0)), snapshot(1.0, values=values))
    assert one["chunk_encoder"].utilisation is None


def test_a_machine_s_work():
    gpu = ("nv_gpu_utilization", "", "GPU-1")
    snapshots = [
        snapshot(10.0, busy=100.0, server=(50.0, 100), client=1.0, values={gpu: 0.0}, lags=(9.0,)),
        snapshot(
            20.0, busy=130.0, server=(70.0, 300), client=6.0, values={gpu: 0.5}, lags=(0.002,)
        ),
        snapshot(
            30.0, busy=160.0, server=(90.0, 200), client=11.0, values={gpu: 0.7}, lags=(0.004,)
        ),
    ]
    load = machine_load(snapshots)
    assert load.machine_cpu == pytest.approx(60 / 80)
    assert (load.server_cpus, load.server_cpus_allowed, load.server_memory_bytes) == (2, 4, 300)
    assert load.client_cpus == pytest.approx(0.5)
    # What was before the first snapshot is not the level's.
    assert load.lag_p99_ms == pytest.approx(4, rel=0.01)
    assert load.gpu == pytest.approx(0.6)
    assert (load.gpu_memory, load.server_machine_cpu) == (None, None)


def test_gpu_memory_is_the_most_of_any_look():
    def used(share):
        memory = {"used": 8e9 * share, "total": 8e9}
        return {("nv_gpu_memory_" + name + "_bytes", "", "GPU-1"): n for name, n in memory.items()}

    snapshots = [
        snapshot(at, values=used(share)) for at, share in ((1.0, 0.2), (2.0, 0.9), (3.0, 0.5))
    ]
    assert machine_load(snapshots).gpu_memory == pytest.approx(0.9)


GROUPS = [
    ([{"count": 2, "kind": "KIND_CPU"}], Capacity(2, 2)),
    ([{"count": 2, "kind": "KIND_GPU", "gpus": [0, 1]}], Capacity(4, 4)),
    ([{"count": "1"}, {"count": 3}], Capacity(4, 4)),
]


@pytest.mark.parametrize(("groups", "capacity"), GROUPS)
def test_instances_are_counted_on_each_gpu(groups, capacity):
    assert capacity_of("siglip_vision", {"instance_group": groups}) == capacity


@pytest.mark.parametrize("model", ["video_analysis", "video_analysis_stream"])
def test_an_instance_works_on_several_whole_videos_at_once(model):
    config = {
        "instance_group": [{"count": 2}],
        "parameters": {"videos_in_flight": {"string_value": "16"}},
    }
    assert capacity_of(model, config) == Capacity(2, 32)
    assert capacity_of("frame_extractor", config) == Capacity(2, 2)
