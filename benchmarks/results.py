# SPDX-License-Identifier: Apache-2.0
"""Write every page of results from the raw numbers, and RESULTS.md over them all.

Run: python -m benchmarks.results
A benchmark without raw numbers is left out.
"""

from collections.abc import Iterator, Mapping

from benchmarks.common.pages import bullets, document, packages, paragraph, processors, table
from benchmarks.common.record import BENCHMARKS, Headline, Run, find_benchmarks

PAGE = "RESULTS.md"
Runs = Mapping[str, list[Run]]


def common_page(found: Runs) -> str:
    """Return the page over all benchmarks, by their names."""
    return document(
        "# Measured",
        paragraph(
            "`python -m benchmarks.results` makes this page and the benchmarks' own pages from the"
            " raw numbers in this folder. A ratio is Trireel's figure divided by the one beside it."
            " If there is a ratio, the goal is for it."
        ),
        *_goals([run for runs in found.values() for run in runs]),
        *(block for name, runs in found.items() for run in runs for block in _section(name, run)),
    )


def _goals(runs: list[Run]) -> Iterator[str]:
    """Yield how many goals are met, and each goal that is missed."""
    judged = [(run, one) for run in runs for one in run.headlines if one.met is not None]
    missed = [f"{run.title}. {_missed(one)}" for run, one in judged if not one.met]
    kept = f"**{len(judged) - len(missed)} of {len(judged)} figures with a goal reach it.**"
    yield f"{kept} These do not:" if missed else kept
    yield bullets(missed)


def _missed(headline: Headline) -> str:
    if headline.ratio is not None:
        found = f"ratio {headline.ratio:.2f} to {headline.beside}"
    else:
        found = headline.text(headline.value) or "no figure"
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
    on = ", ".join(filter(None, details))
    yield paragraph(f"[Details]({name}/{PAGE}). `{run.command}` on {on}.")
    yield paragraph(run.note)
    yield table(" | Trireel | beside | ratio | wanted | ", map(_row, run.headlines))


def _row(headline: Headline) -> tuple[str, ...]:
    beside, usual = headline.beside, headline.text(headline.usual)
    return (
        headline.what,
        f"{headline.text(headline.value)} {headline.unit}".strip(),
        f"{beside}: {usual}" if usual else beside,
        "" if headline.ratio is None else f"{headline.ratio:.2f}",
        "" if headline.goal is None else str(headline.goal),
        {None: "", True: "met", False: "**not met**"}[headline.met],
    )


def main() -> None:
    """Write all pages."""
    found = {}
    for benchmark in find_benchmarks():
        if raw := benchmark.read():
            (benchmark.folder / PAGE).write_text(benchmark.page(raw))
            found[benchmark.name] = list(benchmark.headlines(raw))
    (BENCHMARKS / PAGE).write_text(common_page(found))


if __name__ == "__main__":
    main()
