"""Two classes of which one is rare: slides and screenshots among photos.

    python examples/logo.py SLIDES_FOLDER

SLIDES_FOLDER holds a folder a class (photo, slide). The network is tuned with class weights, then
the probability from which on `slide` is answered is chosen for a precision. Needs [finetune].
"""

import sys

import tellapart as ta
from tellapart.errors import DataError
from tellapart.evaluation.operating import point_words
from tellapart.picking import pick
from tellapart.progress import Progress
from tellapart.settings import FinetuneSettings

run = ta.run(
    sys.argv[1],
    out="runs/logo",
    settings=ta.RunSettings(
        split=ta.SplitSettings(test=0.4),
        force=True,
        finetune=FinetuneSettings(mode="yes", imbalance="weights", save_every=1),
    ),
    progress=Progress("plain"),
)
print(*run.words, sep="\n")
for target in ("precision=0.95:slide", "recall=0.95:slide"):
    try:
        print(target, *point_words(pick(run.out, target)), sep="\n  ")
    except DataError as problem:
        print(target, problem, sep="\n  ")
