"""What covers the ground? Pretrained features beside classical ones, on aerial pictures.

    pip install "tellapart[classical,search]"
    python examples/land_cover.py DATA

DATA holds `land_cover` (class folders) and `naip_4band` (labels.csv with the columns file,
tree_density and tile). Four steps: pictures become vectors; a search tries classifiers on them; a
confusion matrix says what the plain one mixes up; and classical features, under the same folds, say
what the pretrained network is worth. Every picture is answered once, by a classifier that has seen
neither it nor another picture of its group.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

import tellapart as ta

SETS = {  # where it is, how it is read, which bands of a picture are used
    "land_cover": (ta.ReadSettings(), None),
    "naip_4band/labels.csv": (
        ta.ReadSettings(path_column="file", label_column="tree_density", group_column="tile"),
        "R,G,B",
    ),
}
BACKBONES = ("lite0", "hog", "pca:100", "color")
TRIALS = 10
FOLDS = StratifiedGroupKFold(5, shuffle=True, random_state=0)


def main(data: Path) -> None:
    for name, (settings, bands) in SETS.items():
        pictures = ta.read(data / name, settings)
        vectors = ta.ImageEmbedder(BACKBONES[0], bands=bands).fit_transform(pictures.sources)
        n, d = vectors.shape
        print(
            f"\n{name}: {n} pictures of {len(pictures.classes)} classes as vectors of {d} numbers"
        )
        show_search(pictures, bands)
        answers = {backbone: answer(pictures, backbone, bands) for backbone in BACKBONES}
        show_confusion(pictures, answers[BACKBONES[0]])
        show_comparison(pictures, answers)


def show_search(pictures: ta.PictureSet, bands: str | None) -> None:
    """Print what a search over classifiers and their settings takes on all pictures."""
    found = ta.ImageClassifier(BACKBONES[0], bands=bands, search=TRIALS)
    found.fit(pictures.sources, pictures.labels, groups_of(pictures))
    print("search:", ", ".join(f"{one['what']} {one['chosen']}" for one in found.choices_))


def answer(pictures: ta.PictureSet, backbone: str, bands: str | None) -> np.ndarray:
    """Return the class of each picture, as answered by a classifier that never saw it."""
    groups = groups_of(pictures)
    return cross_val_predict(
        ta.ImageClassifier(backbone, bands=bands),
        pictures.sources,
        pictures.labels,
        groups=groups,  # the folds keep them together ...
        params={"groups": groups},  # ... and so do the folds inside, which choose the settings
        cv=FOLDS,
    )


def show_confusion(pictures: ta.PictureSet, answers: np.ndarray) -> None:
    """Print one line a class: what its pictures were taken for."""
    counts = confusion_matrix(pictures.labels, answers, labels=pictures.classes)
    width = max(map(len, pictures.classes))
    print("\n" + "truth".ljust(width), *(one[:9].rjust(9) for one in pictures.classes))
    for truth, row in zip(pictures.classes, counts, strict=True):
        print(truth.ljust(width), *(str(count).rjust(9) for count in row))


def show_comparison(pictures: ta.PictureSet, answers: dict[str, np.ndarray]) -> None:
    """Print balanced accuracy, and the points lost against the first with a 95 % interval."""
    truth = np.array(pictures.labels)
    first, *others = answers
    print("\nfeatures   balanced accuracy   points below " + first)
    print(f"{first:10} {balanced_accuracy_score(truth, answers[first]):17.3f}")
    for one in others:
        score = balanced_accuracy_score(truth, answers[one])
        won = (answers[first] == truth).astype(float) - (answers[one] == truth)
        lost, low, high = class_mean(won, truth, np.array(groups_of(pictures)))
        print(f"{one:10} {score:17.3f}   {lost:4.1f} ({low:.1f} to {high:.1f})")


def class_mean(
    values: np.ndarray, truth: np.ndarray, groups: np.ndarray, draws: int = 2_000
) -> tuple[float, float, float]:
    """Return 100 x the mean over classes of `values`, and its interval: whole groups drawn anew."""
    _, group = np.unique(groups, return_inverse=True)
    _, code = np.unique(truth, return_inverse=True)
    sums, counts = np.zeros((2, group.max() + 1, code.max() + 1))
    np.add.at(sums, (group, code), values)
    np.add.at(counts, (group, code), 1)
    times = np.random.default_rng(0).multinomial(
        len(sums), np.full(len(sums), 1 / len(sums)), draws
    )
    drawn = 100 * ((times @ sums) / np.maximum(times @ counts, 1)).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return 100 * float((sums.sum(axis=0) / counts.sum(axis=0)).mean()), float(low), float(high)


def groups_of(pictures: ta.PictureSet) -> list[str]:
    """Return each picture's group; one without a group is a group of its own."""
    return [group or path for group, path in zip(pictures.groups, pictures.paths, strict=True)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
