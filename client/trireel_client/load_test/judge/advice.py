# SPDX-License-Identifier: Apache-2.0
"""What to change at a limit: options of `trireel-serve` and `trireel-serve-container`."""

from trireel_client.load_test.judge.loads import ModelLoad

BOTH = "trireel-serve, trireel-serve-container"
CONTAINER = "trireel-serve-container"

UNANSWERED = (
    "look at what the failures say, or give a longer --duration or --timeout, and measure again",
)
LOAD_GENERATOR = (
    "do not read these levels as the server's: run `trireel load-test` on a machine of its own",
    "run several load generators at once, with fewer workers each, and add their throughput; name"
    " videos by a path or URI that the server reads instead of sending their bytes",
    "open loop: raise --most-in-flight if this machine has the memory for it",
)
LAG_HERE = (
    "server and load generator share the CPUs of this machine, and latencies include the wait for"
    " them: run `trireel load-test` from another machine to measure the server alone",
)
OTHERS = (
    "these levels say little about the server: give it a machine of its own, or wait until the"
    " other programs have ended",
)
GPU = (
    f"use a tower of reduced precision: `trireel-export --precision bf16`, `--profile tensorrt` of"
    f" {CONTAINER}",
    "request less: fewer frames a chunk (--frames-per-chunk), or --keyframes-only",
    "add a GPU, or another server behind the balancer",
)
SEQUENCES = (
    "make clients end their sequences (END on the last chunk)",
    f"add another server, or raise `--parameter max_sequences=` of {BOTH}",
)
SOURCE = (
    "bring videos closer: into the media folder, or into a store in the same network",
    f"keep more of them: `--max-spool-gib` of {BOTH}",
)
MORE_LOAD = (
    "go on with more workers: throughput still grows with the load, and latency is the work itself",
)
MEASURE_MORE = (
    "give --metrics-url with the address of the server's metrics (port 8002), and --server-pid if"
    " the server runs on this machine",
)
MORE_CPUS = ("add CPUs, or another server: more instances would only share the CPUs there are",)

CPU_BY_MODEL = {
    "frame_extractor": (
        "request less decoding: fewer frames a chunk, or --keyframes-only; videos with a lower"
        " resolution or shorter GOPs",
        f"`--decode-on auto` of {BOTH}, if there is a GPU with NVDEC",
    ),
    "siglip_vision": (
        f"run the tower on a GPU: `--profile container` or `tensorrt` of {CONTAINER}",
        "use fewer frames a chunk, or a smaller checkpoint",
    ),
}
# `{count}` is the number of instances there are, `{next}` one more, `{twice}` twice as many.
INSTANCES_BY_MODEL = {
    "frame_extractor": (
        f"`--extractors {{twice}}` of {BOTH} (now {{count}}), while CPUs are free",
    ),
    "siglip_vision": (
        f"`--towers {{next}}` of {CONTAINER} on each GPU (now {{count}} in all)",
        f"`--profile tensorrt` of {CONTAINER}, or a smaller checkpoint",
        "use fewer frames a chunk, or add a GPU or a server",
    ),
    "siglip_text": (
        "send fewer free-text tags: the server embeds those of each distinct request",
        "add another server",
    ),
    "temporal_decoder": (
        "add another server: this model has one instance, which holds the videos' states",
    ),
}
OTHER_INSTANCES = ("more instances in model_repository/{model}/config.pbtxt (now {count})",)
VIDEOS_BY_MODEL = {
    "video_analysis": f"`--videos {{twice}}` of {BOTH} (now {{count}}): the models behind have room"
}
OTHER_VIDEOS = (
    f"`--parameter videos_in_flight={{twice}}` of {BOTH} (now {{count}}): the models behind have"
    " room"
)


def cpu(busiest: ModelLoad | None) -> tuple[str, ...]:
    """Return what to change if the CPUs are full, most of all with one model."""
    return (*CPU_BY_MODEL.get(busiest.model if busiest else "", ()), *MORE_CPUS)


def instances(load: ModelLoad) -> tuple[str, ...]:
    """Return what to change if all instances of a model are busy and CPUs are free."""
    texts = INSTANCES_BY_MODEL.get(load.model, OTHER_INSTANCES)
    return tuple(_filled(text, load.model, load.instances or 1) for text in texts)


def videos(load: ModelLoad) -> tuple[str, ...]:
    """Return what to change if a whole-video model is full and other videos wait."""
    text = VIDEOS_BY_MODEL.get(load.model, OTHER_VIDEOS)
    return (_filled(text, load.model, load.slots or 1),)


def _filled(text: str, model: str, count: int) -> str:
    return text.format(model=model, count=count, next=count + 1, twice=2 * count)
