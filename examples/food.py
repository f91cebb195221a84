"""Pizza, steak, sushi: freeze, replace the head, train 5 epochs, look at the curves, predict.

    python examples/food.py FOOD_FOLDER PICTURE...

FOOD_FOLDER holds train/ and test/ with a folder a class. Needs the extra [finetune].
"""

import json
import sys

import tellapart as ta
from tellapart.progress import Progress
from tellapart.settings import FinetuneSettings

data, *pictures = sys.argv[1:]
classic = FinetuneSettings(mode="yes", recipe="classic")  # network frozen, one new linear head
run = ta.run(
    data,
    out="runs/food",
    settings=ta.RunSettings(finetune=classic),
    progress=Progress("plain"),
)
print(*run.words, sep="\n")

told = json.loads((run.out / "run.json").read_text(encoding="utf-8"))
for epoch in told["finetune"]["histories"][0]["epochs"]:
    print(
        f"epoch {epoch['number']}: loss {epoch['train_loss']:.3f},"
        f" held out {epoch['held_loss']:.3f}, balanced accuracy {epoch['held_accuracy']:.3f}"
    )
print("curves and augmented pictures:", run.report)

for found in run.classifier.predict(pictures):
    print(f"{found.path}: {found.predicted} ({found.probability:.0%})")
