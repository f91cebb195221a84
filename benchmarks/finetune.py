"""Fine-tuning beside fastai's recipe and beside the frozen probe, row by row.

    python benchmarks/finetune.py SETS RESULTS.jsonl [--peer .venv-peers/bin/python] [--only NAME]

Every measurement is one line of RESULTS.jsonl; an interrupted benchmark goes on where it was, and
the tables are printed from what is there. Same pictures, same weights, same epochs (6: fastai's 3
frozen and 3 unfrozen); a new process with an empty cache each; malloc thresholds raised for both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from embedding import MALLOC

AGAINST = {"ants_bees": 3, "food_mini": 3, "cats_dogs": 1, "land_cover": 1, "flowers_128": 1}
SIZES = {"flowers_128": (200, None), "cifar10": (200, 1_000, 5_000)}
CIFAR_PX = "128"  # what the published ladder names
IMBALANCES = ("none", "weights", "sampler", "focal", "logits")
RARE = ("slides_rare", "cats_dogs_1_10")
EPOCHS = 6
JUDGED = 1_000  # pictures of cifar10 that judge
REPLICATES = 2_000

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--peer", default=".venv-peers/bin/python")
    parser.add_argument("--only", help="measurements whose name holds this")
    chosen = parser.parse_args()
    done = read(chosen.results)
    for name, measure in measurements(chosen.sets, chosen.peer):
        if name in done or (chosen.only and chosen.only not in name):
            continue
        print(name, file=sys.stderr, flush=True)
        row = {"name": name, **measure()}
        with chosen.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        done[name] = row
    tables(done)


def read(results: Path) -> dict[str, Row]:
    if not results.exists():
        return {}
    rows = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {row["name"]: row for row in rows}


def measurements(sets: Path, peer: str) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Yield every measurement by name, the cheapest comparisons first."""

    def task(data: str, seed: int, size: int | None, *options: str) -> Callable[[], Row]:
        return lambda: with_data(sets, data, seed, size, lambda folder: ours(folder, seed, options))

    def rival(data: str, seed: int, size: int | None, *options: str) -> Callable[[], Row]:
        return lambda: with_data(
            sets, data, seed, size, lambda folder: theirs(peer, folder, seed, options)
        )

    probe, tuned = ("run",), ("finetune", "--epochs", str(EPOCHS), "--tta", "2")
    for data, seeds in AGAINST.items():
        for seed in range(seeds):
            yield f"probe {data} {seed}", task(data, seed, None, *probe)
            yield f"tuned {data} {seed}", task(data, seed, None, *tuned)
            yield f"auto {data} {seed}", task(data, seed, None, "run", "--finetune", "auto")
            yield f"fastai {data} {seed}", rival(data, seed, None)
    yield "fastai-lr_find ants_bees 0", rival("ants_bees", 0, None, "--lr-find")
    for data, sizes in SIZES.items():
        for size in sizes:
            at = f"{data}@{size or 'all'} 0"
            px = ("--image-size", CIFAR_PX) if data == "cifar10" else ()
            yield f"probe {at}", task(data, 0, size, *probe, *px)
            yield f"tuned {at}", task(data, 0, size, *tuned, *px)
            yield f"auto {at}", task(data, 0, size, "run", "--finetune", "auto", *px)
            if data == "cifar10":
                yield f"classic {at}", task(data, 0, size, "finetune", "--recipe", "classic", *px)
                yield f"fastai {at}", rival(data, 0, size, "--size", CIFAR_PX)
    for data in RARE:
        for option in IMBALANCES:
            yield (
                f"{option} {data} 0",
                task(data, 0, None, "finetune", "--imbalance", option, "--alphas", "1"),
            )


def with_data(
    sets: Path, name: str, seed: int, size: int | None, measure: Callable[[Path], Row]
) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        prepare(sets, name, data, seed, size)
        return measure(data)


def prepare(sets: Path, name: str, data: Path, seed: int, size: int | None) -> None:
    """Write train/ and val/ class folders: the given split, else 80 to 20 drawn by the seed."""
    if name == "cifar10":
        cifar(sets / name, data, size)
        return
    source = sets / name.removesuffix("_1_10")
    rng = np.random.default_rng(seed)
    if (source / "train").is_dir():
        given = next(one for one in ("val", "test") if (source / one).is_dir())
        for side, folder in (("train", "train"), ("val", given)):
            shutil.copytree(source / folder, data / side)
    else:
        for folder in sorted(one for one in source.iterdir() if one.is_dir()):
            files = sorted(folder.iterdir())
            files = [files[row] for row in rng.permutation(len(files))]
            copied(files[: len(files) // 5], data / "val" / folder.name)
            copied(files[len(files) // 5 :], data / "train" / folder.name)
    if name.endswith("_1_10"):
        first = sorted((data / "train").iterdir())[0]
        files = sorted(first.iterdir())
        thin(files, len(files) // 10, rng)
    if size is not None:
        folders = sorted((data / "train").iterdir())
        for folder in folders:
            thin(sorted(folder.iterdir()), size // len(folders), rng)


def copied(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def thin(files: list[Path], keep: int, rng: np.random.Generator) -> None:
    for row in rng.permutation(len(files))[keep:]:
        files[row].unlink()


def cifar(source: Path, data: Path, size: int | None) -> None:
    import polars as pl

    for side, file, count in (("train", "train.parquet", size), ("val", "test.parquet", JUDGED)):
        table = pl.read_parquet(source / file)
        for label, part in table.group_by("label"):
            folder = data / side / f"{label[0]}"
            folder.mkdir(parents=True, exist_ok=True)
            rows = part["img"].struct.field("bytes").to_list()
            for number, content in enumerate(rows[: count // 10 if count else None]):
                (folder / f"{number:05}.jpg").write_bytes(content)


def ours(data: Path, seed: int, options: tuple[str, ...]) -> Row:
    """Run tellapart in a new process with an empty cache; return seconds, score and answers."""
    import polars as pl

    verb, *rest = options
    out, cache = data.parent / "run", data.parent / "cache"
    command = [sys.executable, "-m", "tellapart", verb, str(data), "--out", str(out), "--cache",
               str(cache), "--seed", str(seed), "--quiet", "--json", *rest]  # fmt: skip
    start = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **MALLOC}
    )
    seconds = time.perf_counter() - start
    told = json.loads((out / "run.json").read_text(encoding="utf-8"))
    table = pl.read_parquet(out / "predictions.parquet")
    tuning = told.get("finetune")
    return {
        "seconds": seconds,
        "score": json.loads(done.stdout)["headline"]["value"],
        "kept": tuning["kept"] if tuning else "probe",
        "alpha": tuning["alpha"] if tuning else 0.0,
        "whole": ((tuning or {}).get("tta") or {}).get("whole"),
        "truth": dict(zip(table["path"].to_list(), table["label"].to_list(), strict=True)),
        "answers": dict(zip(table["path"].to_list(), table["predicted"].to_list(), strict=True)),
    }


def theirs(peer: str, data: Path, seed: int, options: tuple[str, ...]) -> Row:
    """Run fastai's recipe in a new process."""
    answers = data.parent / "answers.json"
    script = Path(__file__).with_name("peer_fastai.py")
    command = [peer, str(script), str(data), "--seed", str(seed), "--predictions", str(answers)]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=True,
        env={**os.environ, **MALLOC},
    )  # fmt: skip
    row = json.loads(done.stdout.splitlines()[-1])
    found = json.loads(answers.read_text(encoding="utf-8"))
    truth = {path: Path(path).parent.name for path in found["tta"]}
    return {**row, "score": row["tta"], "truth": truth, "answers": found["tta"]}


def difference(first: Row, second: Row) -> tuple[float, float, float]:
    """Return first minus second in balanced accuracy, points, with its paired 95 % interval.

    A bootstrap within classes of the pictures that both answered.
    """
    paths = sorted(set(first["answers"]) & set(second["answers"]))
    truth = np.array([first["truth"][path] for path in paths])
    better = np.array(
        [
            (first["answers"][path] == label) - int(second["answers"][path] == label)
            for path, label in zip(paths, truth, strict=True)
        ],
        float,
    )
    rng = np.random.default_rng(0)
    draws = []
    for label in np.unique(truth):
        own = better[truth == label]
        draws.append(own[rng.integers(len(own), size=(REPLICATES, len(own)))].mean(axis=1))
    means = np.mean(draws, axis=0)
    value = float(np.mean([better[truth == label].mean() for label in np.unique(truth)]))
    low, high = np.percentile(means, [2.5, 97.5])
    return 100 * value, 100 * float(low), 100 * float(high)


def tables(done: dict[str, Row]) -> None:
    print("\n| set, seed | fastai | s | tellapart | s | difference, points | kept |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, peer in done.items():
        kind, _, which = name.partition(" ")
        mine = done.get(f"tuned {which}")
        if kind.startswith("fastai") and mine:
            value, low, high = difference(mine, peer)
            print(
                f"| {which}{'' if kind == 'fastai' else ' (its lr_find)'} | {peer['score']:.3f} |"
                f" {peer['seconds']:.0f} | {mine['score']:.3f} | {mine['seconds']:.0f} |"
                f" {value:+.1f} ({low:+.1f} to {high:+.1f}) | {mine['kept']} |"
            )
    print("\n| set, seed | probe | tuned minus probe, points | auto kept | auto minus probe |")
    print("| --- | --- | --- | --- | --- |")
    for name, probe in done.items():
        kind, _, which = name.partition(" ")
        mine, auto = done.get(f"tuned {which}"), done.get(f"auto {which}")
        if kind == "probe" and mine and auto:
            gains = [
                "{:+.1f} ({:+.1f} to {:+.1f})".format(*difference(one, probe))
                for one in (mine, auto)
            ]
            print(f"| {which} | {probe['score']:.3f} | {gains[0]} | {auto['kept']} | {gains[1]} |")
    ladder(done)
    print("\n| rare class | option | balanced accuracy | minus none, points |")
    print("| --- | --- | --- | --- |")
    for data in RARE:
        plain = done.get(f"none {data} 0")
        for option in IMBALANCES:
            row = done.get(f"{option} {data} 0")
            if row and plain:
                gain = "{:+.1f} ({:+.1f} to {:+.1f})".format(*difference(row, plain))
                print(f"| {data} | {option} | {row['score']:.3f} | {gain} |")


def ladder(done: dict[str, Row]) -> None:
    print("\n| cifar10, pictures | rung | balanced accuracy | s |\n| --- | --- | --- | --- |")
    for size in SIZES["cifar10"]:
        at = f"cifar10@{size} 0"
        rungs = [
            (f"{kind}, {words}", row[field], row["seconds"])
            for kind, field, words in RUNGS
            if (row := done.get(f"{kind} {at}")) and row.get(field) is not None
        ]
        for words, score, seconds in rungs:
            print(f"| {size:,} | {words} | {score:.3f} | {seconds:.0f} |")


RUNGS = (  # measurement, field of its row, words
    ("probe", "score", "network frozen, a fitted head"),
    ("classic", "score", "network frozen, a new head trained"),
    ("tuned", "whole", "the upper half trained on"),
    ("tuned", "score", "and two views averaged"),
    ("auto", "score", "what it decides"),
    ("fastai", "frozen", "3 epochs frozen"),
    ("fastai", "unfrozen", "and 3 unfrozen"),
    ("fastai", "tta", "and its TTA"),
)


if __name__ == "__main__":
    main()
