# SPDX-License-Identifier: Apache-2.0
"""Print the results as a Markdown table: python -m benchmarks.extraction.table > .../RESULTS.md"""

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"
COMMAND = "python -m benchmarks.extraction --rounds 3 --output benchmarks/extraction/results.json"


def main() -> None:
    """Read results.json and print the table."""
    report = json.loads(RESULTS.read_text())
    peers = list(report["results"][0]["ratio_to"])
    print("# Frames sampled per CPU-second\n")
    print(f"`{COMMAND}`, on {len(report['machine']['cores'])} x {report['machine']['cores'][0]}")
    print("(shared with other work; rounds take turns). Ratios are Trireel's over the peer's.\n")
    print("| clip | frames per 10 s | Trireel |", *(f"{peer} | ratio |" for peer in peers))
    print("|---|---|---|" + "---|---|" * len(peers))
    for result in report["results"]:
        rates, ratios = result["frames_per_cpu_second"], result["ratio_to"]
        cells = " ".join(f"{rates[peer]} | {ratios[peer]} |" for peer in peers)
        print(f"| {result['clip']} | {result['frames_per_chunk']} | {rates['trireel']} | {cells}")


if __name__ == "__main__":
    main()
