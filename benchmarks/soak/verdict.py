# SPDX-License-Identifier: Apache-2.0
"""The checks: correct answers, and the same memory, files and processes after the load."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.common.pages import MIB
from benchmarks.soak.tally import FULL, OK
from trireel_backend.launch.flags import SHM_GROWTH_BYTES

# Allocators keep their peak, and a peak comes at a random time.
PSS_GROWTH = 0.05
PSS_SLACK_MIB = 16.0
# A decoder holds its open videos, up to 256 MiB, and is restarted when it was killed. It is judged
# by itself, so that it hides no growth of the others.
DECODER = "decoder"
DECODER_GROWTH = 0.10
DECODER_SLACK_MIB = 128.0
# A region keeps its peak size, which depends on the requests that happened to meet.
SHM_STEPS = 4
# A model's process starts threads, and connections to S3, under load and keeps them. Triton itself
# and the decoders must have the same numbers as before.
POOL_SLACK = 4
WITHOUT_POOLS = ("tritonserver", DECODER)
# Of the 280 sockets and threads of Triton at rest a few come and go, probably of gRPC's pools; half
# an hour adds no more.
FEW = {"tritonserver: socket": 2, "tritonserver": 2}
BURSTS_END = (OK, FULL)
SPAN = 0.2  # of the samples, at either end
Report = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """One check."""

    name: str
    passed: bool
    found: str
    """The numbers that were found."""


def checks(report: Report) -> list[Check]:
    """Judge a run by its report."""
    return [*_answers(report), *_held(report), *_processes(report), *_left(report)]


def _answers(report: Report) -> Iterator[Check]:
    tally = report["tally"]
    good, faults = sum(tally["good"].values()), tally["faults"]
    lost = sum(map(len, tally["casualties"].values()))
    yield Check(
        "every good request is answered as on an idle server, every fault with its status",
        tally["wrong_count"] == 0 and good > 0,
        f"{good} good, {sum(sum(one.values()) for one in faults.values())} faults of"
        f" {len(faults)} kinds, {tally['wrong_count']} not as expected, {lost} lost with a decoder"
        " that was killed or stopped",
    )
    yield Check(
        "no more requests lost than decoders killed or stopped",
        all(
            len(words) <= tally["nuisances"].get(kind, 0)
            for kind, words in tally["casualties"].items()
        ),
        "; ".join(
            f"{number} {kind}, {len(tally['casualties'].get(kind, ()))} requests lost"
            for kind, number in sorted(tally["nuisances"].items())
        ),
    )
    yield _bursts(tally)
    errors = report["log_errors"]
    yield Check("nothing unexpected in the log", not errors, f"{len(errors)} lines of errors")


def _bursts(tally: Report) -> Check:
    # Requests that were lost with a decoder are judged above.
    taken = sum(
        words.startswith("burst: ") for one in tally["casualties"].values() for words in one
    )
    bursts = tally["bursts"]
    others = {status: n for status, n in bursts.items() if status not in BURSTS_END}
    text = ", ".join(f"{number} {status}" for status, number in sorted(bursts.items()))
    return Check(
        "requests of bursts are answered, rejected by the full server, or lost with a decoder",
        # Without a rejection the burst did not fill the server, and showed nothing.
        sum(others.values()) == taken and (bursts.get(FULL, 0) > 0 or not bursts),
        f"{text}; {taken} lost with a decoder" if bursts else "no bursts",
    )


def _held(report: Report) -> Iterator[Check]:
    before, after = report["before"], report["after"]
    yield from _memory("at rest", [before], [after])
    samples = report["samples"]
    span = max(1, round(len(samples) * SPAN))
    yield from _memory("under load, the first and the last fifth", samples[:span], samples[-span:])
    steps = (after["shm_bytes"] - before["shm_bytes"]) / SHM_GROWTH_BYTES
    yield Check(
        "shared memory",
        before["shm_regions"] == after["shm_regions"] and steps <= SHM_STEPS,
        f"{before['shm_regions']} regions, then {after['shm_regions']};"
        f" {before['shm_bytes'] / MIB:.0f} MiB, then {after['shm_bytes'] / MIB:.0f}: {steps:.1f}"
        f" growth steps, {SHM_STEPS} allowed",
    )
    yield _no_more("open files", _countable(before), _countable(after), pool_of=": socket")
    yield Check(
        "no removed file is held open",
        not _removed(after),
        f"{sum(_removed(after).values())}",
    )
    yield _no_more("threads", before["threads"], after["threads"])
    yield _same("threads of the clients", before["client_threads"], after["client_threads"])
    yield _same("files outside the spool", before["other_files"], after["other_files"])
    yield from _spool(report)
    gauges = {name: after.get(name) for name in ("trireel_live_sequences", "trireel_open_videos")}
    yield Check("no sequence and no video is open", set(gauges.values()) == {0.0}, _text(gauges))


def _memory(when: str, first: list[Report], last: list[Report]) -> Iterator[Check]:
    """Judge the memory of the decoders and of all others by medians."""
    shm_mib = _median(last, _shm_mib) - _median(first, _shm_mib)
    yield _grown(
        f"memory {when}: all but the decoders",
        *(_median(samples, others_mib) for samples in (first, last)),
        growth=PSS_GROWTH,
        # PSS counts shared memory, which is judged by itself.
        slack_mib=PSS_SLACK_MIB + max(0.0, shm_mib),
    )
    yield _grown(
        f"memory {when}: the decoders",
        *(_median(samples, decoders_mib) for samples in (first, last)),
        growth=DECODER_GROWTH,
        slack_mib=DECODER_SLACK_MIB,
    )


def _median(samples: list[Report], number: Callable[[Report], float]) -> float:
    return statistics.median(map(number, samples))


def _shm_mib(sample: Report) -> float:
    return float(sample["shm_bytes"]) / MIB


def decoders_mib(sample: Report) -> float:
    """Return the memory of the decoders' processes."""
    return float(sample["pss_mib"].get(DECODER, 0.0))


def others_mib(sample: Report) -> float:
    """Return the memory of all processes but the decoders."""
    return float(sum(sample["pss_mib"].values())) - decoders_mib(sample)


def _spool(report: Report) -> Iterator[Check]:
    spool, limit = report["after"]["spool"], report["spool_max_bytes"]
    left = {name: spool[name] for name in ("part", "upload", "uri lock") if name in spool}
    yield Check(
        "the spool holds only whole videos, each with its record, within its limit",
        not left and spool["bytes"] <= limit and spool.get("video", 0) == spool.get("uri json", 0),
        _text(spool) + f"; {limit} bytes allowed",
    )


def _processes(report: Report) -> Iterator[Check]:
    yield _same("processes", report["before"]["processes"], report["after"]["processes"])
    yield Check(
        "the processes of the server and its models are the same as at the start",
        report["first_processes"] == report["last_processes"],
        f"{len(report['first_processes'])} processes",
    )


def _left(report: Report) -> Iterator[Check]:
    left = report["left"]
    yield Check("nothing is left after the stop", not any(left.values()), _text(left))


def _grown(name: str, before: float, after: float, *, growth: float, slack_mib: float) -> Check:
    allowed = before * growth + slack_mib
    return Check(
        name,
        after - before <= allowed,
        f"{before:.0f} MiB, then {after:.0f}: {after - before:+.0f}, {allowed:.0f} allowed",
    )


def _same(name: str, before: Any, after: Any) -> Check:
    first, second = (_text(x) if isinstance(x, dict) else str(x) for x in (before, after))
    text = f"{first}, before and after" if before == after else f"{first}, then {second}"
    return Check(name, before == after, text)


def _no_more(
    name: str, before: dict[str, int], after: dict[str, int], *, pool_of: str = ""
) -> Check:
    """Check that no number has grown; pools, whose names end with `pool_of`, may a little."""
    grown = {key: after[key] - before.get(key, 0) for key in sorted(after)}
    grown = {key: more for key, more in grown.items() if more > 0}
    allowed = {
        key: POOL_SLACK
        if key.endswith(pool_of) and not key.startswith(WITHOUT_POOLS)
        else FEW.get(key, 0)
        for key in grown
    }
    changes = [f"{key} {more:+} ({allowed[key]} allowed)" for key, more in grown.items()]
    return Check(
        name,
        all(more <= allowed[key] for key, more in grown.items()),
        "; ".join([f"{sum(before.values())}, then {sum(after.values())}", *changes]),
    )


def _countable(sample: Report) -> dict[str, int]:
    """Return the open files without videos: a decoder's cache decides how many it keeps."""
    return {name: n for name, n in sample["open_files"].items() if not name.endswith("videos")}


def _removed(sample: Report) -> dict[str, int]:
    return {n: c for n, c in sample["open_files"].items() if n.endswith("removed videos")}


def _text(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
