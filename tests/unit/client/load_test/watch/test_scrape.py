# SPDX-License-Identifier: Apache-2.0
"""What /metrics says."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.serving import in_thread

from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch
from trireel_client.load_test.watch.scrape import Scrape, Series, grown, parse_metrics, read_metrics

TEXT = """\
# HELP nv_inference_count Number of inferences
# TYPE nv_inference_count counter
nv_inference_count{model="siglip_vision",version="1"} 48
nv_inference_count{model="frame_extractor",version="1"} 3
# TYPE nv_inference_request_failure counter
nv_inference_request_failure{model="frame_extractor",reason="BACKEND",version="1"} 2
nv_inference_request_failure{model="frame_extractor",reason="OTHER",version="1"} 1
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="siglip_vision",version="1"} 4
# TYPE nv_gpu_utilization gauge
nv_gpu_utilization{gpu_uuid="GPU-1"} 0.5
nv_gpu_utilization{gpu_uuid="GPU-2"} 0.7
# TYPE nv_pinned_memory_pool_used_bytes gauge
nv_pinned_memory_pool_used_bytes 7
# TYPE trireel_videos_total counter
trireel_videos_total{model="video_analysis",model_instance="video_analysis_0_0",outcome="ok"} 5
trireel_videos_total{model="video_analysis",model_instance="video_analysis_0_1",outcome="ok"} 6
trireel_videos_total{model="video_analysis",model_instance="video_analysis_0_1",outcome="failed"} 1
# TYPE trireel_video_analysis_duration_seconds histogram
trireel_video_analysis_duration_seconds_bucket{model="video_analysis",le="+Inf"} 11
trireel_video_analysis_duration_seconds_sum{model="video_analysis"} 2.5
trireel_video_analysis_duration_seconds_count{model="video_analysis"} 11
# TYPE nv_inference_queue_summary_us summary
nv_inference_queue_summary_us{model="siglip_vision",quantile="0.5"} nan
"""


def test_series_go_by_triton_s_names_and_instances_are_summed():
    scrape = parse_metrics(TEXT)
    assert scrape.total("nv_inference_count", "siglip_vision") == 48
    assert scrape.total("nv_inference_count") == 51
    assert scrape.total("nv_inference_request_failure", "frame_extractor") == 3
    assert scrape.total("nv_inference_request_failure", detail="OTHER") == 1
    assert scrape.total("trireel_videos_total", "video_analysis", "ok") == 11
    assert scrape.total("trireel_video_analysis_duration_seconds_sum") == 2.5
    assert scrape.total("nv_not_there") == 0
    assert scrape.models() == ("frame_extractor", "siglip_vision")


def test_gauges_of_several_gpus_have_a_mean():
    assert parse_metrics(TEXT).mean("nv_gpu_utilization") == pytest.approx(0.6)
    assert parse_metrics(TEXT).mean("nv_gpu_power_usage") is None


def test_what_nobody_asks_for_is_not_kept():
    names = {series.metric for series in parse_metrics(TEXT).values}
    assert not any(name.startswith("nv_pinned") or name.endswith("_bucket") for name in names)
    assert "nv_inference_queue_summary_us" not in names  # not a number


def test_growth_since_an_earlier_snapshot():
    name, other = Series("nv_inference_count", "a"), Series("nv_inference_count", "b")
    change = grown(Scrape({name: 10.0, other: 7.0}), Scrape({name: 15.0, other: 2.0}))
    assert change.values == {name: 5.0, other: 2.0}  # b's server began anew


@pytest.mark.parametrize("text", ["<html>", '{"a": 1}', "", "python_info 1\n"])
def test_what_is_not_triton_s_is_refused(text):
    with pytest.raises(NothingToWatch, match=r"/metrics (is not in|has no metrics)"):
        parse_metrics(text)


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == "/metrics" and self.server.known
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(TEXT.encode() if known else b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def page():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    server.known = True
    with in_thread(server):
        yield server


def test_metrics_are_read_over_http(page):
    scrape = read_metrics(Address("127.0.0.1", page.server_port))
    assert scrape.total("nv_inference_count") == 51


def test_a_page_that_is_not_there_is_told(page):
    page.known = False
    with pytest.raises(NothingToWatch, match="status 404"):
        read_metrics(Address("127.0.0.1", page.server_port))


def test_nobody_there_is_told():
    with pytest.raises(NothingToWatch, match=r"http://127\.0\.0\.1:9/metrics: .*refused"):
        read_metrics(Address("127.0.0.1", 9))
