"""Peak memory and cost a picture, 1,000 to 50,000 CIFAR-10 pictures from parquet.

    python benchmarks/memory.py SETS [--rounds 3] [--whole]

Each size in a process of its own, sizes in turn: read and look, nothing cached; peak resident
memory as the operating system counts it. --whole adds one whole `tellapart run` on all 60,000.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (1_000, 10_000, 50_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--one", type=int, help="measure this many pictures, print JSON")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.sets / "cifar10" / "train.parquet", chosen.one)))
        return
    found = {size: [] for size in SIZES}
    for _ in range(chosen.rounds):
        for size in SIZES:
            found[size].append(child([__file__, str(chosen.sets), "--one", str(size)]))
    print("| pictures | ms a picture (median) | peak MB |\n| --- | --- | --- |")
    for size, runs in found.items():
        cost = statistics.median(1000 * one["seconds"] / size for one in runs)
        print(f"| {size:,} | {cost:.3f} | {max(one['peak'] for one in runs) / 1e6:.0f} |")
    if chosen.whole:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "tellapart", "run", str(chosen.sets / "cifar10"), "--out",
                 f"{folder}/run", "--cache", f"{folder}/cache", "--quiet"], check=True,
            )  # fmt: skip
            seconds = time.perf_counter() - start
            told = json.loads(Path(folder, "run", "run.json").read_text(encoding="utf-8"))
            headline = json.loads(Path(folder, "run", "metrics.json").read_text(encoding="utf-8"))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        print(f"\nwhole run, 60,000 pictures: {seconds:.0f} s, peak {peak / 1e6:.0f} MB")
        print(told["seconds"], headline["headline"])


def child(arguments: list[str]) -> dict[str, float]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(table: Path, size: int) -> dict[str, float]:
    from tellapart.backbones import get_backbone
    from tellapart.data import read
    from tellapart.features import look, open_cache
    from tellapart.progress import Progress
    from tellapart.settings import Decoding

    with tempfile.TemporaryDirectory() as folder, open_cache(folder) as cache:
        start = time.perf_counter()
        pictures = read(table).take(range(size))
        look(pictures, get_backbone("lite0"), "openvino", decoding=Decoding(), cache=cache,
             progress=Progress())  # fmt: skip
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


if __name__ == "__main__":
    main()
