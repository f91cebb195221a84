"""The audit judged on planted faults, beside cleanvision and cleanlab on the same files.

    python benchmarks/audit.py SETS [--parts copies labels leaks faults shortcuts time large]
                                    [--seeds 101 102 103] [--peer .venv-peers/bin/python]

SETS is the folder of real picture sets. Every part plants its faults with the seeds, runs tellapart
and, where one has such a check, its rival (a process of its own in the rivals' venv, `make peers`),
and prints Markdown tables. Seeds 1 to 9 were used to choose constants; do not report them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

from audit_parts.common import Options

PARTS = {
    "copies": "duplicates",
    "labels": "labels",
    "leaks": "leaks",
    "faults": "faults",
    "shortcuts": "shortcuts",
    "time": "timing",
    "large": "large",
}
USUAL = [one for one in PARTS if one != "large"]  # which takes half an hour or more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=USUAL)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--peer", default=".venv-peers/bin/python")
    chosen = parser.parse_args()
    options = Options(chosen.sets.absolute(), tuple(chosen.seeds), chosen.peer)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TELLAPART_CACHE"] = cache
        for part in chosen.parts:
            importlib.import_module(f"audit_parts.{PARTS[part]}").report(options)


if __name__ == "__main__":
    sys.exit(main())
