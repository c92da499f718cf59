# SPDX-License-Identifier: Apache-2.0
"""What to do about a limit: the options of `trireel-serve` and `trireel-serve-container`."""

BOTH = "trireel-serve, trireel-serve-container"
CONTAINER = "trireel-serve-container"

UNANSWERED = (
    "see to what the failures say, or give a longer --duration or --timeout, and measure again",
)
LOAD_GENERATOR = (
    "do not read these levels as the server's: run `trireel load-test` on a machine of its own",
    "run several at once with fewer workers each and add their throughput; name videos by a path"
    " or URI that the server reads instead of sending their bytes",
    "open loop: raise --most-in-flight where this machine has the memory for it",
)
LAG_HERE = (
    "server and load generator share this machine's CPUs: latencies hold the wait for both; run"
    " `trireel load-test` from another machine to have the server's alone",
)
OTHERS = (
    "these levels say little of the server: give it a machine of its own, or wait until the other"
    " programs have ended",
)
GPU = (
    f"a tower of reduced precision: `trireel-export --precision bf16`, `--profile tensorrt` of"
    f" {CONTAINER}",
    "ask for less: fewer frames a chunk (--frames-per-chunk), or --keyframes-only",
    "another GPU or another server behind the balancer",
)
SEQUENCES = (
    "clients should end their sequences (END on the last chunk)",
    f"another server, or a higher `--parameter max_sequences=` of {BOTH}",
)
SOURCE = (
    "bring videos closer: the media folder, or a store in the same network",
    f"keep more of them: `--max-spool-gib` of {BOTH}",
)
MORE_LOAD = (
    "go on with more workers: throughput still follows the load, and latency is the work itself",
)
MEASURE_MORE = (
    "give --metrics-url with the address of the server's metrics (port 8002), and --server-pid"
    " where the server runs on this machine",
)

_CPU = {
    "frame_extractor": (
        "ask for less decoding: fewer frames a chunk, or --keyframes-only; videos with a lower"
        " resolution or shorter GOPs",
        f"`--decode-on auto` of {BOTH}, where there is a GPU with NVDEC",
    ),
    "siglip_vision": (
        f"a GPU for the tower: `--profile container` or `tensorrt` of {CONTAINER}",
        "fewer frames a chunk, or a smaller checkpoint",
    ),
}
_MORE_CPU = ("more CPUs, or another server: more instances would only share these",)

_TOWER = (
    f"`--profile tensorrt` of {CONTAINER}, or a smaller checkpoint",
    "fewer frames a chunk, or another GPU or server",
)
_TEXT = ("send fewer free-text tags: each distinct request has them embedded", "another server")
_DECODER = ("another server: it has one instance, which keeps the videos' states",)


def cpu(busiest: str) -> tuple[str, ...]:
    """Return what to do where the CPUs are full, most of all with one model."""
    return (*_CPU.get(busiest, ()), *_MORE_CPU)


def instances(model: str, count: int) -> tuple[str, ...]:
    """Return what to do where all `count` instances of a model are busy and CPUs are not."""
    now = f"now {count}"
    match model:
        case "frame_extractor":
            return (f"`--extractors {2 * count}` of {BOTH} ({now}), while CPUs are free",)
        case "siglip_vision":
            return (f"`--towers {count + 1}` of {CONTAINER} on each GPU ({now} in all)", *_TOWER)
        case "siglip_text":
            return _TEXT
        case "temporal_decoder":
            return _DECODER
    return (f"more instances in model_repository/{model}/config.pbtxt ({now})",)


def videos(model: str, count: int) -> tuple[str, ...]:
    """Return what to do where a whole-video model works on `count` videos, and others wait."""
    if model == "video_analysis":
        return (f"`--videos {2 * count}` of {BOTH} (now {count}): the models behind have room",)
    option = f"`--parameter videos_in_flight={2 * count}` of {BOTH}"
    return (f"{option} (now {count}): the models behind have room",)
