"""Two classes of which one is rare: slides and screenshots among photos.

    python examples/logo.py SLIDES_FOLDER

SLIDES_FOLDER holds a folder a class (photo, slide). EfficientNet-Lite0 is tuned with class weights;
then its checkpoints are told apart by precision and recall of `slide` rather than by loss, and the
probability from which on `slide` is answered is chosen for either. Needs the extra [finetune].
"""

import sys

import tellapart as ta
from tellapart.checkpoints import score_checkpoints
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
        image_sizes=(128,),
        force=True,
        finetune=FinetuneSettings(mode="yes", imbalance="weights", save_every=1),
    ),
    progress=Progress("plain"),
)
print(*run.words, sep="\n")

print("\ncheckpoint  precision and recall of slide, on training pictures that were held out")
for one in score_checkpoints(run.out):
    (slide,) = (scores for scores in one.evaluation.per_class if scores.name == "slide")
    print(f"{one.name:<12}{slide.precision.value:.3f} {slide.recall.value:.3f}")
for target in ("precision=0.95:slide", "recall=0.95:slide"):
    try:
        print(target, *point_words(pick(run.out, target)), sep="\n  ")
    except DataError as problem:
        print(target, problem, sep="\n  ")
