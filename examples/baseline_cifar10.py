"""The baseline that everyone begins with, on CIFAR-10: a frozen network and one new linear head.

    python examples/baseline_cifar10.py CIFAR10_FOLDER

Network frozen, Adam at 1e-3, 5 epochs; then the same pictures with the upper half tuned.
CIFAR10_FOLDER holds train.parquet and test.parquet (columns img and label). Needs the extra
[finetune].
"""

import sys

import tellapart as ta
from tellapart.progress import Progress
from tellapart.settings import FinetuneSettings

data = sys.argv[1]
for name, how in (
    ("classic", FinetuneSettings(mode="yes", recipe="classic")),
    ("tuned", FinetuneSettings(mode="yes", epochs=6)),
):
    run = ta.run(
        data,
        out=f"runs/cifar10-{name}",
        settings=ta.RunSettings(finetune=how),
        progress=Progress("plain"),
    )
    print(name, *run.words, run.report, sep="\n  ")
