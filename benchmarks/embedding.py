"""JPEG files to features: tellapart beside what people run, interleaved in one run.

    python benchmarks/embedding.py SETS [--rounds 5]

SETS is the folder of real picture sets; cats_dogs is used as it is, and 120 of its pictures
enlarged to 12 megapixels. Every way runs in a process of its own, warmed up on 64 pictures, and is
timed from the first file to the last vector. Ways:

  eager     timm tf_efficientnet_lite0, fp32, DataLoader with 2 workers, timm's transform, batch 32
  tuned     the same in bf16, channels-last, best of batch 8/16/32, malloc thresholds raised
  ours      tellapart.features.look without a cache: decode, facts, thumbnails, features
  vectors   tellapart.features.embed: decode and features only, as `predict` does
  decode    our decoding to the network's input alone, 2 threads
  network   our network alone on decoded pictures, 2 threads
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WAYS = ("eager", "tuned-8", "tuned-16", "tuned-32", "ours", "vectors", "decode", "network")
MALLOC = {  # glibc keeps freed pages instead of faulting them in again
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TRIM_THRESHOLD_": "10000000000",
    "MALLOC_TOP_PAD_": "100000000",
}
WARM_UP = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--way", choices=WAYS, help="run one way and print its seconds")
    parser.add_argument("--most", type=int, help="of that way, so many pictures")
    chosen = parser.parse_args()
    if chosen.way:
        files = sorted(chosen.sets.rglob("*.jpg"))[: chosen.most]
        print(json.dumps({"seconds": measure(chosen.way, files), "pictures": len(files)}))
        return
    with tempfile.TemporaryDirectory() as folder:
        large = enlarged(chosen.sets / "cats_dogs", Path(folder))
        for title, place in (("cats_dogs", chosen.sets / "cats_dogs"), ("12 MP", large)):
            rates = {way: [] for way in WAYS}
            for _ in range(chosen.rounds):
                for way in WAYS:
                    rates[way].append(rate(way, place))
            print_table(title, {way: statistics.median(all_) for way, all_ in rates.items()})


def rate(way: str, place: Path) -> float:
    """Return images/s of one way in a process of its own."""
    environment = {**os.environ, **(MALLOC if way.startswith("tuned") else {})}
    done = subprocess.run(
        [sys.executable, __file__, str(place), "--way", way],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return told["pictures"] / told["seconds"]


def print_table(title: str, rates: dict[str, float]) -> None:
    tuned = max(rates[way] for way in WAYS if way.startswith("tuned"))
    limit = 1 / (1 / rates["decode"] + 1 / rates["network"])
    print(f"\n### {title}\n\n| way | images/s | ours is |\n| --- | --- | --- |")
    for way, images in rates.items():
        print(f"| {way} | {images:.0f} | {rates['ours'] / images:.2f}x |")
    print(f"| limit 1/(1/decode + 1/network) | {limit:.0f} | {rates['ours'] / limit:.2f} |")
    print(
        f"\nours / eager {rates['ours'] / rates['eager']:.1f}, ours / best tuned"
        f" {rates['ours'] / tuned:.1f}, ours / limit {rates['ours'] / limit:.2f}, vectors / limit"
        f" {rates['vectors'] / limit:.2f}"
    )


def enlarged(source: Path, folder: Path) -> Path:
    from PIL import Image

    for file in sorted(source.rglob("*.jpg"))[:120]:
        with Image.open(file) as image:
            image.convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC).save(
                folder / file.name, quality=90
            )
    return folder


def measure(way: str, files: Sequence[Path]) -> float:
    """Return the seconds that one way takes for the files, after a warm-up."""
    if way == "eager" or way.startswith("tuned"):
        work = torch_way(tuned=way != "eager", batch=int(way.partition("-")[2] or 32))
    else:
        work = OURS[way]()
    work(files[:WARM_UP])
    start = time.perf_counter()
    work(files)
    return time.perf_counter() - start


def torch_way(*, tuned: bool, batch: int) -> Callable[[Sequence[Path]], None]:
    from tellapart.backbones import get_backbone
    from tellapart.optional import need_timm

    timm = need_timm()
    import torch
    from PIL import Image

    model = get_backbone("lite0").torch_module().eval()
    if tuned:
        model = model.to(torch.bfloat16, memory_format=torch.channels_last)
    transform = timm.data.create_transform(
        input_size=(3, 224, 224),
        interpolation="bicubic",
        crop_pct=0.875,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )

    class Files(torch.utils.data.Dataset):
        def __init__(self, files: Sequence[Path]) -> None:
            self.files = files

        def __len__(self) -> int:
            return len(self.files)

        def __getitem__(self, row: int) -> torch.Tensor:
            with Image.open(self.files[row]) as image:
                return transform(image.convert("RGB"))

    def work(files: Sequence[Path]) -> None:
        loader = torch.utils.data.DataLoader(Files(files), batch_size=batch, num_workers=2)
        with torch.inference_mode():
            for pixels in loader:
                if tuned:
                    pixels = pixels.to(torch.bfloat16, memory_format=torch.channels_last)
                model(pixels).float().numpy()

    return work


def as_set(files: Sequence[Path]):
    from tellapart.data import FileSource, PictureSet

    n = len(files)
    return PictureSet(
        root="",
        paths=tuple(str(file) for file in files),
        sources=tuple(FileSource(str(file)) for file in files),
        labels=("a",) * n,
        groups=(None,) * n,
        splits=(None,) * n,
        classes=("a",),
        columns={},
    )


def our_look() -> Callable[[Sequence[Path]], None]:
    from tellapart.backbones import get_backbone
    from tellapart.features import look, open_cache
    from tellapart.progress import Progress
    from tellapart.settings import Decoding

    backbone, folder = get_backbone("lite0"), Path(tempfile.mkdtemp())

    def work(files: Sequence[Path]) -> None:
        # The converted network stays, as the peer's loaded model does; nothing else is known.
        shutil.rmtree(folder / "features", ignore_errors=True)
        for one in folder.glob("pictures.sqlite*"):
            one.unlink()
        with open_cache(folder) as cache:
            look(
                as_set(files),
                backbone,
                "openvino",
                decoding=Decoding(),
                cache=cache,
                progress=Progress(),
            )

    return work


def our_vectors() -> Callable[[Sequence[Path]], None]:
    from tellapart.data import FileSource
    from tellapart.features import embed
    from tellapart.features.parts import Part, Ready
    from tellapart.settings import Decoding

    backbone, engine = our_engine()
    parts = [Ready(Part(backbone).shown(), engine)]

    def work(files: Sequence[Path]) -> None:
        sources = [FileSource(str(file)) for file in files]
        for _ in embed(sources, parts, Decoding()):
            pass

    return work


def our_engine():
    from tellapart.backbones import get_backbone
    from tellapart.engines import open_engine
    from tellapart.features import open_cache

    backbone = get_backbone("lite0")
    with open_cache(None) as cache:
        return backbone, open_engine(backbone, "openvino", cache)


def our_decode() -> Callable[[Sequence[Path]], None]:
    from tellapart.backbones import get_backbone
    from tellapart.features.parts import Part
    from tellapart.images import look_at
    from tellapart.settings import Decoding

    shown = Part(get_backbone("lite0")).shown()

    def one(file: Path) -> None:
        look_at(file.read_bytes(), shown, decoding=Decoding(), facts=False)

    def work(files: Sequence[Path]) -> None:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(one, files))

    return work


def our_network() -> Callable[[Sequence[Path]], None]:
    import numpy as np

    backbone, engine = our_engine()
    size = backbone.transform.size
    pixels = np.random.default_rng(0).integers(0, 256, (8, size, size, 3), np.uint8)

    def work(files: Sequence[Path]) -> None:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda _: engine.embed(pixels), range(-(-len(files) // 8))))

    return work


OURS = {"ours": our_look, "vectors": our_vectors, "decode": our_decode, "network": our_network}

if __name__ == "__main__":
    main()
