# SPDX-License-Identifier: Apache-2.0
"""Write every page of results from the raw numbers beside it, and RESULTS.md over them all.

Run: python -m benchmarks.results
A benchmark without raw numbers is left out.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from benchmarks.common.words import packages, processors
from benchmarks.headlines import Headline, Run

ROOT = Path(__file__).parent
PAGE = "RESULTS.md"
NAMES = (
    "peer_ray_serve",
    "extraction",
    "long_video",
    "cost_by_size",
    "cpu_engines",
    "perf_analyzer",
    "past_capacity",
    "slow_sources",
    "soak",
    "precision",
    "gpu",
)
"""Of the folders, in the order of the page. Each has a table.py, which writes its own page, and a
module in benchmarks/headlines."""
Runs = dict[str, list[Run]]


def read() -> Runs:
    """Return what every benchmark with raw numbers says, by its name."""
    found = {
        name: list(import_module(f"benchmarks.headlines.{name}").runs(ROOT / name))
        for name in NAMES
    }
    return {name: runs for name, runs in found.items() if runs}


def page(found: Runs) -> str:
    """Return the page over all benchmarks."""
    lines = [
        "# Measured",
        "",
        "Made of the raw numbers in this folder by `python -m benchmarks.results`, which writes the"
        " benchmarks' own pages too. A ratio is Trireel's figure over the one beside it; where"
        " there is one, the goal is for it.",
        "",
        *_goals(found),
    ]
    for name, runs in found.items():
        for run in runs:
            lines += ["", *_section(name, run)]
    return "\n".join(lines) + "\n"


def _goals(found: Runs) -> Iterator[str]:
    """Yield how many goals are met, and each that is not."""
    judged = [
        (run, headline)
        for runs in found.values()
        for run in runs
        for headline in run.headlines
        if headline.met is not None
    ]
    missed = [(run, headline) for run, headline in judged if not headline.met]
    kept = f"**{len(judged) - len(missed)} of {len(judged)} figures that have a goal reach it.**"
    if not missed:
        yield kept
        return
    yield f"{kept} These do not:"
    yield ""
    yield from (f"- {run.title}. {_missed(headline)}" for run, headline in missed)


def _missed(headline: Headline) -> str:
    if headline.ratio is not None:
        found = f"ratio {headline.ratio:.2f} to {headline.beside}"
    else:
        found = headline.words(headline.value) or "nothing found"
    return f"{headline.what}: {found}, wanted {headline.goal}"


def _section(name: str, run: Run) -> Iterator[str]:
    machine = run.machine
    details = (
        machine.get("gpu"),
        processors(machine),
        f"Python {machine['python']}" if "python" in machine else None,
        f"commit {machine['commit']}",
        packages(machine),
    )
    yield f"## {run.title}"
    yield ""
    yield f"[All of it]({name}/{PAGE}). `{run.command}` on {', '.join(filter(None, details))}."
    if run.note:
        yield ""
        yield run.note
    yield ""
    yield "| | Trireel | beside | ratio | wanted | |"
    yield "|---|---|---|---|---|---|"
    yield from map(_row, run.headlines)


def _row(headline: Headline) -> str:
    beside, usual = headline.beside, headline.words(headline.usual)
    cells = (
        headline.what,
        f"{headline.words(headline.value)} {headline.unit}".strip(),
        f"{beside}: {usual}" if usual else beside,
        "" if headline.ratio is None else f"{headline.ratio:.2f}",
        "" if headline.goal is None else str(headline.goal),
        {None: "", True: "met", False: "**not met**"}[headline.met],
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write all pages."""
    found = read()
    for name in found:
        import_module(f"benchmarks.{name}.table").main()
    (ROOT / PAGE).write_text(page(found))


if __name__ == "__main__":
    main()
