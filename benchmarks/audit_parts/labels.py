"""Wrong labels: 5 % and 15 % flipped, uniformly and to the nearest class.

Average precision of the ranking of all pictures by suspicion. The rival is cleanlab on the same
features: self-confidence and normalised margin from 5-fold logistic regressions (standardised
features), and of both scores and five values of C the best on that very setting counts, which its
user could not know.
"""

from __future__ import annotations

import csv
import statistics
import tempfile
from pathlib import Path

import numpy as np

from audit_parts.common import NoPeer, Options, ask_peer, looked_at, pictures, print_table

SHARES = (0.05, 0.15)
METHODS = ("self_confidence", "normalized_margin")
CS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

PEER = """
import json, sys, warnings
import numpy as np
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
warnings.simplefilter("ignore")
given = json.load(sys.stdin)
data = np.load(given["file"])
X = StandardScaler().fit_transform(data["features"].astype(np.float64))
U, S, _ = np.linalg.svd(X, full_matrices=False)  # a rotation: the same regression, fewer columns
X, labels, truth = U * S, data["labels"], data["truth"]
found = {}
for C in given["C"]:
    chances = np.zeros((len(labels), labels.max() + 1))
    for train, rest in StratifiedKFold(5, shuffle=True, random_state=0).split(X, labels):
        fitted = LogisticRegression(C=C, max_iter=300).fit(X[train], labels[train])
        chances[np.ix_(rest, fitted.classes_)] = fitted.predict_proba(X[rest])
    for method in ("self_confidence", "normalized_margin"):
        scores = get_label_quality_scores(labels, chances, method=method)
        found[f"{method} {C}"] = average_precision_score(labels != truth, -scores)
print("\\n" + json.dumps(found))
"""


def report(options: Options) -> None:
    print("### Wrong labels: average precision\n")
    rows = []
    for name, (files, names) in sets(options.sets).items():
        kept, _, features, _ = looked_at(files)
        label_of = dict(zip(files, names, strict=True))
        truth = np.unique([label_of[file] for file in kept], return_inverse=True)[1]
        for share in SHARES:
            for kind in ("uniform", "near") if truth.max() > 1 else ("uniform",):
                rows.append((name, share, kind, *compared(features, truth, share, kind, options)))
    head = ("set", "share", "kind", "tellapart", "self-confidence", "normalised margin", "")
    print_table(head, rows)
    won = sum(row[-1] == "met" for row in rows)
    print(f"At least the rival's better score (best C): {won} of {len(rows)} settings.")
    ours, theirs = (
        statistics.mean(map(of, rows)) for of in (lambda r: r[3], lambda r: max(r[4:6]))
    )
    print(f"Mean: tellapart {ours:.3f}, rival {theirs:.3f}. Seeds: {options.seeds}.\n")


def sets(folder: Path) -> dict[str, tuple[list[Path], list[str]]]:
    """Return the sets' pictures and labels, exact copies and all."""
    found = {}
    for name in ("ants_bees", "cats_dogs", "land_cover", "flowers_128"):
        files = pictures(folder / name)
        found[name] = (files, [file.parent.name for file in files])
    with (folder / "pets" / "labels.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    files = [folder / "pets" / row["file"] for row in rows]
    found["pets by breed"] = (files, [row["breed"] for row in rows])
    return found


def compared(features, truth, share: float, kind: str, options: Options) -> tuple:
    """Return ours, the rival's two, and whether ours is at least the better; means over seeds."""
    own, theirs = [], []
    for seed in options.seeds:
        labels = flipped(features, truth, share, kind, seed)
        own.append(ours(features, labels, truth))
        theirs.append(cleanlab(features, labels, truth, options.peer))
    mean = statistics.mean(own)
    rival = [
        max(statistics.mean(one[f"{method} {C}"] for one in theirs) for C in CS)
        for method in METHODS
    ]
    return (mean, *rival, "met" if mean >= max(rival) else "MISSED")


def flipped(features, truth, share: float, kind: str, seed: int):
    """Return labels of which `share` are wrong: any other class, or the class nearest by mean."""
    draw, labels, classes = np.random.default_rng(seed), truth.copy(), int(truth.max()) + 1
    chosen = draw.permutation(len(truth))[: round(share * len(truth))]
    if kind == "uniform":
        labels[chosen] = (truth[chosen] + draw.integers(1, classes, len(chosen))) % classes
        return labels
    vectors = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    means = np.stack([vectors[truth == code].mean(0) for code in range(classes)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    alike = means @ means.T - 2 * np.eye(classes)
    labels[chosen] = alike.argmax(1)[truth[chosen]]
    return labels


def ours(features, labels, truth) -> float:
    from sklearn.metrics import average_precision_score

    from tellapart.audits.mislabeled import label_scores
    from tellapart.audits.ridge import coordinates

    scores = label_scores(coordinates(features), labels, int(labels.max()) + 1)
    return float(average_precision_score(labels != truth, -scores.trust))


def cleanlab(features, labels, truth, peer: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "features.npz"
        np.savez(file, features=features, labels=labels, truth=truth)
        try:
            return ask_peer(peer, PEER, {"file": str(file), "C": CS})
        except NoPeer as problem:
            print(f"cleanlab did not run: {problem}")
            return {f"{method} {C}": float("nan") for method in METHODS for C in CS}
