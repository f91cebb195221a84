"""Cats against dogs, from scratch and pretrained, side by side; then the 37 breeds.

    python examples/pets.py PETS_FOLDER

PETS_FOLDER holds labels.csv with the columns file, breed and species. Needs the extra [finetune].
"""

import sys
from dataclasses import replace
from pathlib import Path

import tellapart as ta
from tellapart.progress import Progress
from tellapart.settings import FinetuneSettings

table = Path(sys.argv[1]) / "labels.csv"


def train(name: str, label: str, how: FinetuneSettings) -> ta.Run:
    settings = ta.RunSettings(
        read=ta.ReadSettings(path_column="file", label_column=label), finetune=how
    )
    return ta.run(table, out=f"runs/pets-{name}", settings=settings, progress=Progress("plain"))


def show(name: str, run: ta.Run) -> None:
    print(f"\n{name}: {run.words[0]}")
    print(*(f"  {row}" for row in run.evaluation.confusion.tolist()), sep="\n")


tuned = FinetuneSettings(mode="yes")
show("from scratch", train("scratch", "species", replace(tuned, mode="scratch", epochs=10)))
show("pretrained", train("pretrained", "species", tuned))
breeds = train("breeds", "breed", FinetuneSettings(mode="auto"))
print(f"\n37 breeds: {breeds.words[0]}", *breeds.words[-3:], sep="\n")
