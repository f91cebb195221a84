"""Cold starts: --help, and predict on one picture beside a bare script that does the same.

python benchmarks/startup.py RUN PICTURE [--rounds 9]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time

BARE = """
import sys, numpy, openvino
from PIL import Image
core = openvino.Core()
compiled = core.compile_model(core.read_model(sys.argv[1]), "CPU")
image = Image.open(sys.argv[2]).convert("RGB").resize((256, 256), 3).crop((16, 16, 240, 240))
compiled(numpy.asarray(image)[None].repeat(8, 0) if compiled.input(0).partial_shape[0].is_static
         else numpy.asarray(image)[None])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("picture")
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    ours = [sys.executable, "-m", "tellapart"]
    commands = {
        "tellapart --help": [*ours, "--help"],
        "tellapart predict, one picture": [*ours, "predict", chosen.run, chosen.picture],
        "bare script: import, compile, infer": [
            sys.executable, "-c", BARE, f"{chosen.run}/model/network.xml", chosen.picture,
        ],
    }  # fmt: skip
    seconds = {name: [] for name in commands}
    for _ in range(chosen.rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - start)
    print("| what | seconds (median) |\n| --- | --- |")
    for name, all_ in seconds.items():
        print(f"| {name} | {statistics.median(all_[1:]):.3f} |")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nlargest of these processes: {peak:.0f} MB resident")


if __name__ == "__main__":
    main()
