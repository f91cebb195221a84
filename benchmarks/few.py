"""One to ten pictures a class: what the default makes of them. Prints a Markdown table.

    python benchmarks/few.py SETS [--draws 20] [--only "pets by breed"]

Each draw takes so many pictures of every class (whole duplicates apart: a picture that hangs
together with a drawn one does not judge) and judges on all others. Beside the default: the heads
for few pictures at their usual settings, and scikit-learn's logistic regression with C=1 on the
same features. The interval is that of the mean paired difference over draws (t, 95 %); draws share
pictures, so it holds for these sets. pets has ten pictures of a breed: eight learn, two judge.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import t
from sklearn.linear_model import LogisticRegression

from no_cache import NoCache
from tellapart.auditing import components_of, look_at
from tellapart.backbones import get_backbone
from tellapart.data import read
from tellapart.features import open_cache
from tellapart.heads import fit_probe
from tellapart.heads.fitting import fit_setting
from tellapart.heads.kinds import usual_setting
from tellapart.likeness import look_for_copies
from tellapart.progress import Progress
from tellapart.settings import Decoding, ReadSettings

SETS = (  # name, place, reading, pictures a class
    ("land_cover", "land_cover", ReadSettings(), (1, 2, 5, 10)),
    ("pets by breed", "pets/labels.csv", ReadSettings(label_column="breed"), (1, 2, 5, 8)),
)
METHODS = ("default", "mean", "ridge", "logistic by CV", "C=1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--only", choices=[name for name, *_ in SETS], help="one set")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"| set | a class | {' | '.join(METHODS)} | default - C=1 (95 %) |")
    print("| --- | --- |" + " --- |" * (len(METHODS) + 1))
    with tempfile.TemporaryDirectory() as folder, open_cache(folder) as cache:
        for name, place, reading, counts in SETS:
            if chosen.only not in (None, name):
                continue
            data = features_of(chosen.sets / place, reading, cache)
            for count in counts:
                scores = np.array([one_draw(data, count, draw) for draw in range(chosen.draws)])
                print(line(name, count, scores), flush=True)


def features_of(place, reading, cache):
    pictures = read(place, reading)
    seen = look_at(
        pictures, get_backbone("lite0"), "openvino", Decoding(), cache, Progress(), rehash=False
    )
    usable = pictures.take(seen.usable.tolist())
    alike = look_for_copies(seen, cache, Progress(), mirror=True)
    ids = [seen.ids[row] for row in seen.usable]
    return seen.features, usable.codes(), components_of(usable, seen, alike), ids


def one_draw(data, count: int, draw: int) -> list[float]:
    features, labels, components, ids = data
    random = np.random.default_rng(draw)
    classes = np.unique(labels)
    train = np.concatenate(
        [random.permutation(np.flatnonzero(labels == one))[:count] for one in classes]
    )
    test = np.flatnonzero(~np.isin(components, components[train]))
    k, rows, own = len(classes), features[train].astype(np.float32), labels[train]
    some = [ids[row] for row in train]

    def probe(head):
        return fit_probe(
            rows, own, k, components[train], some, seed=draw, cache=NoCache(),
            progress=Progress(), head=head,
        )[0].head  # fmt: skip

    heads = {
        "default": probe(None),
        "mean": fit_setting(rows, own, k, usual_setting("mean"), 1.0, 0),
        "ridge": fit_setting(rows, own, k, usual_setting("ridge"), 1.0, 0),
        "logistic by CV": probe("logistic"),
    }
    wide = features[test].astype(np.float32)
    answers = {name: head.scores(wide).argmax(axis=1) for name, head in heads.items()}
    answers["C=1"] = LogisticRegression(C=1.0, max_iter=1_000).fit(rows, own).predict(wide)
    return [balanced(answers[name], labels[test]) for name in METHODS]


def balanced(answers, truth) -> float:
    return float(np.mean([(answers[truth == one] == one).mean() for one in np.unique(truth)]))


def line(name: str, count: int, scores) -> str:
    gap = scores[:, METHODS.index("default")] - scores[:, METHODS.index("C=1")]
    half = t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
    means = " | ".join(f"{one:.3f}" for one in scores.mean(axis=0))
    low, high = 100 * (gap.mean() - half), 100 * (gap.mean() + half)
    return f"| {name} | {count} | {means} | {100 * gap.mean():+.1f} ({low:+.1f} to {high:+.1f}) |"


if __name__ == "__main__":
    main()
