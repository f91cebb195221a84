"""The whole `tellapart run`, nothing cached, beside fastai's recipe; and the warm rerun.

    python benchmarks/whole_run.py SETS [--peer .venv-peers/bin/python] [--rounds 3]

On ants_bees: seconds of `tellapart run` in a new process with an empty cache, report included, and
of benchmarks/peer_fastai.py on the same files and weights (seeds 0, 1, ...; malloc thresholds
raised), in turn. Then 10,000 pictures of cifar10 from parquet: cold, and the same again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from embedding import MALLOC


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--peer", default=".venv-peers/bin/python")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-peer", action="store_true")
    chosen = parser.parse_args()
    ants = chosen.sets / "ants_bees"
    ours, theirs = [], []
    for seed in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(run(ants, Path(folder)))
        if not chosen.skip_peer:
            theirs.append(fastai(chosen.peer, ants, seed))
    print("| what | seconds (median) | balanced accuracy |\n| --- | --- | --- |")
    seconds = statistics.median(one["seconds"] for one in ours)
    print(f"| tellapart run, nothing cached | {seconds:.1f} | {ours[0]['headline']:.3f} |")
    if theirs:
        peer = statistics.median(one["seconds"] for one in theirs)
        for rung in ("frozen", "unfrozen", "tta"):
            scores = ", ".join(f"{one[rung]:.3f}" for one in theirs)
            print(f"| fastai, {rung} | {peer if rung == 'tta' else 0:.1f} | {scores} |")
        print(f"\nfastai / tellapart: {peer / seconds:.1f}x")
    warm(chosen.sets)


def run(data: Path, folder: Path) -> dict[str, float]:
    """Run the main job in a new process; the cache and the run stay in `folder`."""
    command = [sys.executable, "-m", "tellapart", "run", str(data), "--out", str(folder / "run"),
               "--cache", str(folder / "cache"), "--quiet", "--json"]  # fmt: skip
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    told = json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))
    headline = json.loads(done.stdout)["headline"]["value"]
    return {"seconds": seconds, "headline": headline, "stages": told["seconds"], **told["computed"]}


def fastai(python: str, data: Path, seed: int) -> dict[str, float]:
    script = Path(__file__).with_name("peer_fastai.py")
    done = subprocess.run(
        [python, str(script), str(data), "--seed", str(seed)],
        capture_output=True, text=True, check=True, env={**os.environ, **MALLOC},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def warm(sets: Path) -> None:
    import polars as pl

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "cifar"
        data.mkdir()
        source = sets / "cifar10" / "test.parquet"
        table = pl.read_parquet(source)
        table.write_parquet(data / "train.parquet", metadata=pl.read_parquet_metadata(source))
        cold, again = run(data, Path(folder)), run(data, Path(folder))
    print("\n| 10,000 of cifar10 | read + look + fit s | whole s | decoded | embedded | fitted |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, one in (("cold", cold), ("again", again)):
        stages = sum(one["stages"][stage] for stage in ("read", "look", "fit"))
        counts = " | ".join(str(one[what]) for what in ("decoded", "embedded", "fitted"))
        print(f"| {name} | {stages:.1f} | {one['seconds']:.1f} | {counts} |")


if __name__ == "__main__":
    main()
