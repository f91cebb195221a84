"""Seconds: the audit of ants_bees + cats_dogs, cold (network converted) and warm; cleanvision."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from audit_parts.common import NoPeer, Options, ask_peer, pictures, print_table

ROUNDS = 3
SETTLING = 2.5  # seconds after which a file's times are believed

OWN = """
import json, sys, time
start = time.perf_counter()
from tellapart import auditing
near = [0.0]
look_for_copies = auditing.look_for_copies
def timed(*args, **kwargs):
    began = time.perf_counter()
    found = look_for_copies(*args, **kwargs)
    near[0] = time.perf_counter() - began
    return found
auditing.look_for_copies = timed
data, cache, out = sys.argv[1:]
found = auditing.audit(data, cache=cache, out=out)
print(json.dumps({"all": time.perf_counter() - start, "near": near[0]}))
"""

PEER = """
import json, sys, time
start = time.perf_counter()
from cleanvision import Imagelab
lab = Imagelab(filepaths=json.load(sys.stdin))
lab.find_issues(n_jobs=2, verbose=False)
print("\\n" + json.dumps(time.perf_counter() - start))
"""


def report(options: Options) -> None:
    cold, warm, theirs = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one in ("ants_bees", "cats_dogs"):
            for file in pictures(options.sets / one):
                place = folder / "set" / file.parent.name / file.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
        files = pictures(folder / "set")
        time.sleep(SETTLING)
        ours(folder, "first")  # converts the network
        for number in range(ROUNDS):
            cache = folder / f"cache-{number}"
            cache.mkdir()
            shutil.copytree(folder / "cache-first" / "networks", cache / "networks")
            cold.append(ours(folder, str(number)))
            warm.append(ours(folder, str(number)))
            try:
                theirs.append(ask_peer(options.peer, PEER, [str(file) for file in files]))
            except NoPeer as problem:
                print(f"cleanvision did not run: {problem}")
    print(f"### Seconds, {len(files)} pictures of ants_bees and cats_dogs, medians of {ROUNDS}\n")
    rows = [
        ("tellapart, all but altered copies", median(one["all"] - one["near"] for one in cold)),
        ("tellapart, altered copies", median(one["near"] for one in cold)),
        ("tellapart, all, warm", median(one["all"] for one in warm)),
        ("cleanvision, 2 processes", median(theirs) if theirs else float("nan")),
    ]
    print("Imports and the page included; features cold, converted network kept.\n")
    print_table(("what", "seconds"), rows)


def median(values) -> float:
    return statistics.median(values)


def ours(folder: Path, number: str) -> dict[str, float]:
    words = [str(folder / "set"), str(folder / f"cache-{number}"), str(folder / f"out-{number}")]
    done = subprocess.run(
        [sys.executable, "-c", OWN, *words], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])
