"""The baseline that everyone begins with, on CIFAR-10: a frozen network and one new linear head.

    python examples/baseline_cifar10.py CIFAR10_FOLDER [PICTURES]

Network frozen, Adam at 1e-3, 5 epochs; then the same pictures with the upper half tuned.
CIFAR10_FOLDER holds train.parquet and test.parquet (columns img and label); of train the first
PICTURES are taken, of test a fifth as many; without it, all. Needs the extra [finetune].
"""

import sys
from pathlib import Path

import polars as pl

import tellapart as ta
from tellapart.progress import Progress
from tellapart.settings import FinetuneSettings

data = Path(sys.argv[1])
if len(sys.argv) > 2:
    number, part = int(sys.argv[2]), Path("runs/cifar10-part")
    part.mkdir(parents=True, exist_ok=True)
    for side, rows in (("train.parquet", number), ("test.parquet", number // 5)):
        told = pl.read_parquet_metadata(data / side)
        names = {"huggingface": told["huggingface"]} if "huggingface" in told else None
        pl.read_parquet(data / side).head(rows).write_parquet(part / side, metadata=names)
    data = part

for name, how in (
    ("classic", FinetuneSettings(mode="yes", recipe="classic")),
    ("tuned", FinetuneSettings(mode="yes", epochs=6)),
):
    run = ta.run(
        data,
        out=f"runs/cifar10-{name}",
        settings=ta.RunSettings(image_sizes=(128,), force=True, finetune=how),
        progress=Progress("plain"),
    )
    print(name, *run.words, run.report, sep="\n  ")
