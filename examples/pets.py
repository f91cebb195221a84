"""Cats against dogs, from scratch and pretrained, side by side; then the 37 breeds.

    python examples/pets.py PETS_FOLDER

PETS_FOLDER holds labels.csv with the columns file, breed and species. Pictures of 128 pixels keep
it to minutes on a CPU. Needs the extra [finetune].
"""

import sys
from pathlib import Path

import tellapart as ta
from tellapart.progress import Progress
from tellapart.settings import FinetuneSettings

table = Path(sys.argv[1]) / "labels.csv"


def train(name: str, label: str, how: FinetuneSettings) -> ta.Run:
    settings = ta.RunSettings(
        read=ta.ReadSettings(path_column="file", label_column=label),
        image_sizes=(128,),
        force=True,
        finetune=how,
    )
    return ta.run(table, out=f"runs/pets-{name}", settings=settings, progress=Progress("plain"))


scratch = train("scratch", "species", FinetuneSettings(mode="scratch", epochs=10))
tuned = train("pretrained", "species", FinetuneSettings(mode="yes"))
breeds = train("breeds", "breed", FinetuneSettings(mode="auto"))

classes = tuned.evaluation.classes
print(f"\n{'':<8}{'from scratch':<16}pretrained, tuned")
print(f"{'truth':<8}{2 * ('{:<6}{:<10}'.format(*classes))}".rstrip())
for row, name in enumerate(classes):
    counts = [*scratch.evaluation.confusion[row], *tuned.evaluation.confusion[row]]
    print(f"{name:<8}{counts[0]:<6}{counts[1]:<10}{counts[2]:<6}{counts[3]}")
for name, run in (("from scratch", scratch), ("pretrained", tuned), ("37 breeds", breeds)):
    told = [line for line in run.words if line.startswith(("Balanced", "Fine-tuning", "Pretrain"))]
    print(f"\n{name}", *told, sep="\n  ")
