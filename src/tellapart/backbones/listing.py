"""Which backbones can be had: what lies here offline, what a download would bring."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tellapart.backbones import timm, torchvision
from tellapart.backbones.converting import RECORD
from tellapart.backbones.licences import CARD, UNKNOWN, licence_of_card
from tellapart.backbones.records import BackboneInfo
from tellapart.backbones.weights import hub_folder, torch_hub_folder
from tellapart.optional import INSTALL

MOST_LISTED = 40  # names of a pattern that need a download; timm alone knows 1,300

# One download each, open licences first; sizes and licences as timm's configurations have them.
RECOMMENDED = (
    BackboneInfo(
        "timm:mobilenetv3_large_100.ra_in1k", 224, 1280, 4_200_000, "Apache-2.0",
        "fast: small, close to the embedded ones", False, "",
    ),
    BackboneInfo(
        "timm:convnext_tiny.in12k_ft_in1k", 224, 768, 27_800_000, "Apache-2.0",
        "balanced: trained on 12,000 kinds of things", False, "",
    ),
    BackboneInfo(
        "timm:vit_base_patch16_siglip_224.webli", 224, 768, 92_900_000, "Apache-2.0",
        "best for things and scenes: trained on pictures with captions", False, "",
    ),
    BackboneInfo(
        "timm:vit_small_patch14_dinov2.lvd142m", 518, 384, 22_100_000, "Apache-2.0",
        "best for texture and fine kinds: trained without labels; slow", False, "",
    ),
    BackboneInfo(
        "timm:eva02_small_patch14_336.mim_in22k_ft_in1k", 336, 384, 21_700_000, "MIT",
        "fine detail at a large size; slow", False, "",
    ),
)  # fmt: skip


def matching(infos: Iterable[BackboneInfo], pattern: str | None) -> tuple[BackboneInfo, ...]:
    """Return those whose name holds the pattern, or matches it where it has * or ?."""
    return tuple(one for one in infos if matches(one.name, pattern))


def matches(name: str, pattern: str | None) -> bool:
    """Whether a name holds a pattern, or matches it where it has * or ?, whatever the case."""
    if not pattern:
        return True
    folded, wanted = name.casefold(), pattern.casefold()
    if any(letter in wanted for letter in "*?["):
        short = folded.partition(":")[2]  # without the source
        return any(fnmatch.fnmatchcase(one, wanted) for one in (folded, short))
    return wanted in folded


def list_converted(cache_folder: Path) -> Iterator[BackboneInfo]:
    """Yield the networks that are kept converted, and so run without torch."""
    for record in sorted((cache_folder / "backbones").glob(f"*/{RECORD}")):
        try:
            one = json.loads(record.read_text(encoding="utf-8"))
            yield BackboneInfo(
                str(one["name"]), int(one["transform"]["size"]), int(one["features"]),
                int(one["parameters"]), str(one["licence"]), "converted: runs without torch", True,
                "",
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half written, or another version's


def list_fetched() -> Iterator[BackboneInfo]:
    """Yield the networks whose weights lie in the caches of the Hugging Face hub and of torch."""
    for folder in sorted(Path(hub_folder()).glob("models--*")):
        owner, _, name = folder.name.removeprefix("models--").partition("--")
        if owner == "timm" and _has(folder, "model.safetensors", "pytorch_model.bin"):
            yield _fetched(f"{timm.PREFIX}{name}", _licence(folder))
        elif _has(folder, "config.json") and _has(folder, "model.safetensors"):
            yield _fetched(f"hf:{owner}/{name}", _licence(folder))
    if importlib.util.find_spec("torch") is None:
        return
    held = {one.name for one in Path(torch_hub_folder()).glob("*.pth")}
    if held and importlib.util.find_spec("torchvision") is not None:
        for name, file in torchvision.weight_files().items():
            if file in held:
                yield _fetched(name)


def list_downloads(pattern: str) -> tuple[tuple[BackboneInfo, ...], int]:
    """Return the names of timm and torchvision that match, each a download, and how many there are.

    At most MOST_LISTED; none where those libraries are not installed.
    """
    names = []
    if importlib.util.find_spec("timm") is not None:
        names += [f"{timm.PREFIX}{one}" for one in timm.pretrained_names()]
    if importlib.util.find_spec("torchvision") is not None:
        names += list(torchvision.weight_files())
    found = [one for one in names if matches(one, pattern)]
    return tuple(_download(one) for one in found[:MOST_LISTED]), len(found)


def install_line() -> str:
    """Return what installs timm and torchvision."""
    return INSTALL.format(extra="torch")


def _has(folder: Path, *names: str) -> bool:
    return any(True for name in names for _ in folder.glob(f"snapshots/*/{name}"))


def _licence(folder: Path) -> str:
    """Return the licence in the model card of a repository in the hub's cache."""
    return next(map(licence_of_card, folder.glob(f"snapshots/*/{CARD}")), UNKNOWN)


def _fetched(name: str, licence: str = "") -> BackboneInfo:
    return BackboneInfo(name, None, None, None, licence, "its weights lie here", True, "")


def _download(name: str) -> BackboneInfo:
    return BackboneInfo(name, None, None, None, "", "needs one download", False, "")
