"""int8 beside bf16 and f32: speed of the network, agreement, and the accuracy that it costs.

    python benchmarks/int8.py SETS [--backbones lite0,NAME] [--seeds 5] [--rounds 7]

SETS is the folder of real picture sets. Speed: the same decoded pictures through each network in
turn, one thread a core, the median of the rounds; no decoding is counted. Accuracy: `tellapart run`
with and without `--precision int8` on the same splits, one a seed; the differences are paired, and
their standard error is over the seeds (whose test sides overlap: it is a little too small).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import tellapart as ta
from tellapart.backbones import Backbone, get_backbone
from tellapart.engines import load_network, usable_cores
from tellapart.engines.openvino import write_network
from tellapart.features.calibration import int8_backbone
from tellapart.features.parts import Part
from tellapart.images import look_at
from tellapart.settings import Decoding, RunSettings, SplitSettings

SETS = ("cats_dogs", "land_cover")
TIMED = 256  # pictures in one round; as many others calibrate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--backbones", default="lite0", help="names, with commas")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    names = chosen.backbones.split(",")
    print("| backbone | f32 images/s | bf16 images/s | int8 images/s | over bf16 | MB | MB int8 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        print(speed_row(get_backbone(name), chosen.sets / SETS[0], chosen.rounds), flush=True)
    print(
        "\n| backbone | set | balanced accuracy | in int8 | lost, points | cosine median | least |"
        "\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for name in names:
        for place in SETS:
            print(accuracy_row(name, chosen.sets / place, chosen.seeds), flush=True)


def speed_row(backbone: Backbone, place: Path, rounds: int) -> str:
    sources = ta.read(place).sources[:: max(1, len(ta.read(place)) // (2 * TIMED))]
    pixels = np.stack([pixels_of(source, backbone) for source in sources[:TIMED]])
    others = sources[TIMED : 2 * TIMED]
    shown, ids = Part(backbone).shown(), [str(one) for one in others]
    inside, _ = int8_backbone(backbone, shown, others, ids, Decoding(), 0)
    with tempfile.TemporaryDirectory() as folder:
        places = {"plain": Path(folder) / "plain", "int8": Path(folder) / "int8"}
        for one, network in zip(places.values(), (backbone, inside), strict=True):
            one.mkdir()
            write_network(network, one)
        engines = {
            "f32": load_network(places["plain"] / "network.xml", precision="f32"),
            "auto": load_network(places["plain"] / "network.xml"),
            "int8": load_network(places["int8"] / "network.xml"),
        }
        rates = interleaved(engines, pixels, rounds)
        size = {one: (path / "network.bin").stat().st_size / 1e6 for one, path in places.items()}
    note = "" if engines["auto"].precision == "bf16" else f" ({engines['auto'].precision} here)"
    return (
        f"| {backbone.name} | {rates['f32']:.0f} | {rates['auto']:.0f}{note} | {rates['int8']:.0f}"
        f" | {rates['int8'] / rates['auto']:.2f} | {size['plain']:.1f} | {size['int8']:.1f} |"
    )


def pixels_of(source: ta.data.FileSource, backbone: Backbone) -> np.ndarray:
    content = Path(source.file).read_bytes()
    return look_at(content, Part(backbone).shown(), decoding=Decoding(), facts=False).pixels[0]


def interleaved(engines: dict, pixels: np.ndarray, rounds: int) -> dict[str, float]:
    """Return images/s of each engine: the median of rounds in which all take their turn."""
    parts = np.array_split(pixels, usable_cores())
    rates: dict[str, list[float]] = {name: [] for name in engines}
    with ThreadPoolExecutor(usable_cores()) as threads:
        for number in range(rounds + 1):  # the first is the warm-up
            for name, engine in engines.items():
                start = time.perf_counter()
                list(threads.map(engine.embed, parts))
                if number:
                    rates[name].append(len(pixels) / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in rates.items()}


def accuracy_row(name: str, place: Path, seeds: int) -> str:
    values: dict[str, list[float]] = {"auto": [], "int8": []}
    cosines = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            for precision, found in values.items():
                settings = RunSettings(
                    split=SplitSettings(seed=seed), backbone=name, precision=precision,
                    engine="openvino", seed=seed,
                )  # fmt: skip
                run = ta.run(
                    place, Path(folder) / "run", settings=settings, cache=Path(folder) / "cache"
                )
                found.append(run.evaluation.headline.value)
                cosines += [cosine_words(run)] if precision == "int8" else []
    lost = 100 * (np.array(values["auto"]) - np.array(values["int8"]))
    error = lost.std(ddof=1) / len(lost) ** 0.5 if len(lost) > 1 else float("nan")
    middle, least = (float(np.mean(one)) for one in zip(*cosines, strict=True))
    return (
        f"| {name} | {place.name} | {np.mean(values['auto']):.4f} | {np.mean(values['int8']):.4f}"
        f" | {lost.mean():+.2f} ± {error:.2f} | {middle:.4f} | {least:.4f} |"
    )


def cosine_words(run: ta.Run) -> tuple[float, float]:
    """Return the median and the least cosine that a run in int8 said."""
    (line,) = (one for one in run.words if "runs in int8" in one)
    numbers = line.split("have cosine ")[1].split()
    return float(numbers[0]), float(numbers[3])


if __name__ == "__main__":
    main()
