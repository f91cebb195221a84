"""A large set: the 60,000 pictures of cifar10 and 40,001 altered copies, in parquet files.

One audit, nothing cached, in a process of its own: seconds, peak resident memory as the operating
system counts it, and how many of the planted copies are named. (The pictures are 32 px: copies can
be told from look-alikes less surely than in larger ones, so the recall here is no target.)
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from audit_parts.common import Options, print_table

COPIES = 40_001  # with 60,000 originals: past the number from which an index is used

OWN = """
import json, resource, sys, time
from tellapart.auditing import AuditSettings, audit
from tellapart.progress import Progress
progress, start = Progress("plain"), time.perf_counter()
found = audit(sys.argv[1], cache=sys.argv[2], progress=progress)
pairs = [
    [one.path for one in finding.pictures]
    for finding in found.findings
    if {"duplicate_near", "duplicate_exact"} & {finding.kind, *finding.also}
    and finding.severity != "note"
]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
told = {"seconds": time.perf_counter() - start, "peak": peak, "lines": progress.lines}
print("\\n" + json.dumps({**told, "pairs": pairs}))
"""


def report(options: Options) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "set"
        folder.mkdir()
        count = write(options.sets / "cifar10", folder)
        words = [str(folder), str(Path(name) / "cache")]
        done = subprocess.run(
            [sys.executable, "-c", OWN, *words], stdout=subprocess.PIPE, text=True, check=True
        )
    told = json.loads(done.stdout.splitlines()[-1])
    named = {frozenset(pair) for group in told["pairs"] for pair in pairs_of(group)}
    wanted = {
        frozenset((f"a-originals.parquet#{row}", f"b-copies.parquet#{row}"))
        for row in range(COPIES)
    }
    print(f"### {count:,} pictures of 32 px\n")
    rows = [
        ("seconds, everything cold", f"{told['seconds']:.0f}"),
        ("peak resident memory, MB", f"{told['peak']:.0f}"),
        ("planted copies named", f"{len(wanted & named):,} of {COPIES:,}"),
        ("other pairs named", f"{len(named - wanted):,}"),
    ]
    print_table(("what", "measured"), rows)
    print("Stages: " + "; ".join(told["lines"]))


def pairs_of(group: list[str]) -> list[tuple[str, str]]:
    return [(a, b) for place, a in enumerate(group[:20]) for b in group[place + 1 : 20]]


def write(cifar: Path, folder: Path) -> int:
    """Write originals and copies as two parquet files; return how many pictures they hold."""
    import polars as pl

    frames = [pl.read_parquet(cifar / f"{side}.parquet") for side in ("train", "test")]
    content = [one["bytes"] for frame in frames for one in frame["img"].to_list()]
    labels = [f"class {one}" for frame in frames for one in frame["label"].to_list()]
    pl.DataFrame({"image": content, "label": labels}).write_parquet(folder / "a-originals.parquet")
    copies = [altered(content[row], row) for row in range(COPIES)]
    columns = {"image": copies, "label": labels[:COPIES]}
    pl.DataFrame(columns).write_parquet(folder / "b-copies.parquet")
    return len(content) + COPIES


def altered(content: bytes, row: int) -> bytes:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    draw = np.random.default_rng(row)
    if row % 3 == 1:
        picture = ImageOps.mirror(picture)
    elif row % 3 == 2:
        picture = ImageEnhance.Brightness(picture).enhance(draw.uniform(0.7, 1.4))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=int(draw.integers(70, 90)))
    return stream.getvalue()
