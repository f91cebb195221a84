"""The model folder: written whole, read with suspicion (no pickle, literal names, digests)."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from tellapart.errors import ModelError, OutputError
from tellapart.images.transforms import Transform
from tellapart.models.card import model_card
from tellapart.models.classifier import Classifier, Network, headline_text
from tellapart.places import read_json, write_bytes, write_json, writing
from tellapart.settings import MAX_FILE_BYTES, MAX_PIXELS, Decoding

MODEL_JSON = "model.json"
HEAD = "head.safetensors"
CARD = "README.md"
MOST_BYTES = {  # the files of a model folder, and how large each may be
    MODEL_JSON: 64_000_000,
    HEAD: 2_000_000_000,
    "network.xml": 64_000_000,
    "network.bin": 8_000_000_000,
}
MOST_CLASSES = 100_000
MOST_TIMES = 50  # what a stranger's model may ask for, in times of our own limits


def save_classifier(classifier: Classifier, folder: Path) -> Path:
    """Write a classifier's folder; an existing folder is replaced only if it is a model of ours."""
    from safetensors.numpy import save

    if folder.is_file():
        raise OutputError(f"{folder} is a file: choose a folder for the model")
    if folder.is_dir() and not (folder / MODEL_JSON).is_file() and any(folder.iterdir()):
        raise OutputError(f"{folder} holds something that is no model: choose another folder")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("network.xml", "network.bin"):
            if (classifier.network.folder / name).absolute() != (folder / name).absolute():
                shutil.copyfile(classifier.network.folder / name, folder / name)
    write_bytes(folder / HEAD, save(classifier.head.arrays()))
    digests = {name: file_digest(folder / name) for name in MOST_BYTES if name != MODEL_JSON}
    write_json(folder / MODEL_JSON, _to_json(classifier, digests))
    write_bytes(folder / CARD, model_card(classifier).encode("utf-8"))
    return folder


def load_classifier(place: str | Path) -> Classifier:
    """Load a model folder, or the model of a run folder; raises ModelError in one line."""
    folder = find_model_folder(Path(place))
    stored = read_json(folder / MODEL_JSON, error=ModelError, most_bytes=MOST_BYTES[MODEL_JSON])
    _check_files(folder, stored)
    try:
        return _from_json(folder, stored)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise ModelError(
            f"{folder / MODEL_JSON} is damaged: {type(problem).__name__}: {problem}"
        ) from problem


def find_model_folder(place: Path) -> Path:
    """Return `place` or `place`/model, whichever holds a model.json; raises ModelError."""
    if not place.exists():
        raise ModelError(f"no such model: {place}; give a run folder or its model folder")
    for folder in (place, place / "model"):
        if (folder / MODEL_JSON).is_file():
            return folder
    raise ModelError(
        f"{place} holds no model ({MODEL_JSON} is missing): give a run folder or its model folder"
    )


def file_digest(path: Path) -> str:
    """Return the BLAKE2b-128 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _to_json(classifier: Classifier, digests: dict[str, str]) -> dict[str, Any]:
    network = classifier.network
    return {
        "classes": list(classifier.classes),
        "transform": classifier.transform.to_json(),
        "decoding": {
            "bands": list(classifier.decoding.bands) if classifier.decoding.bands else None,
            "max_pixels": classifier.decoding.max_pixels,
            "max_file_bytes": classifier.decoding.max_file_bytes,
        },
        "backbone": {
            "name": network.name,
            "weights_digest": network.weights_digest,
            "licence": network.licence,
            "features": network.features,
        },
        "head": classifier.head.kind,
        "checked_with": dict(classifier.checked_with),
        "headline": classifier.headline,
        "card": dict(classifier.card),
        "files": digests,
        "trained_on": sorted(classifier.trained_on),
    }


def _check_files(folder: Path, stored: dict[str, Any]) -> None:
    digests = stored.get("files")
    if not isinstance(digests, dict):
        raise ModelError(f"{folder / MODEL_JSON} is damaged: its list of files is missing")
    for name, most in MOST_BYTES.items():
        path = folder / name
        if path.is_symlink():
            raise ModelError(f"{path} is a link: a model folder holds its own files")
        if not path.is_file():
            raise ModelError(f"the model in {folder} is incomplete: {name} is missing")
        if path.stat().st_size > most:
            raise ModelError(f"{path} is larger than {most:,} bytes: this is no model of tellapart")
        if name != MODEL_JSON and digests.get(name) != file_digest(path):
            raise ModelError(
                f"{path} is damaged: its content is not what model.json says; copy the model again"
            )


def _from_json(folder: Path, stored: dict[str, Any]) -> Classifier:
    from tellapart.engines.openvino import check_network

    classes = _checked_classes(stored["classes"])
    transform = Transform.from_json(stored["transform"])
    backbone, decoding = stored["backbone"], stored["decoding"]
    features = int(backbone["features"])
    check_network(folder / "network.xml", size=transform.size, features=features)
    return Classifier(
        classes=classes,
        transform=transform,
        decoding=Decoding(
            bands=tuple(decoding["bands"]) if decoding["bands"] else None,
            max_pixels=_limit(decoding["max_pixels"], MAX_PIXELS),
            max_file_bytes=_limit(decoding["max_file_bytes"], MAX_FILE_BYTES),
        ),
        network=Network(
            folder=folder,
            name=str(backbone["name"]),
            weights_digest=str(backbone["weights_digest"]),
            licence=str(backbone["licence"]),
            features=features,
        ),
        head=_load_head(folder / HEAD, _kind(stored["head"]), features, len(classes)),
        checked_with=dict(stored["checked_with"]),
        headline=_checked_headline(stored["headline"]),
        trained_on=frozenset(stored["trained_on"]),
        card=dict(stored["card"]),
    )


def _checked_classes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("its classes are no list of names")
    if not 2 <= len(value) <= MOST_CLASSES or len(set(value)) < len(value):
        raise ValueError("its classes are too few, too many or not distinct")
    return tuple(value)


def _limit(value: Any, ours: int) -> int:
    if not 1 <= int(value) <= MOST_TIMES * ours:
        raise ValueError(f"a limit of decoding is {value}")
    return int(value)


def _checked_headline(value: Any) -> dict[str, Any] | None:
    """Return a headline that can be shown; raises KeyError, TypeError or ValueError."""
    if value is None:
        return None
    headline = {name: value[name] for name in ("name", "value", "low", "high", "pictures", "split")}
    headline_text(headline)
    return headline


def _kind(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("its head has no name")
    return value


def _load_head(path: Path, kind: str, features: int, classes: int) -> Any:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from tellapart.heads.linear import LinearHead

    try:
        arrays = load_file(os.fspath(path))
    except (SafetensorError, OSError) as problem:
        raise ModelError(f"{path} is damaged: {problem}") from problem
    held = {name: f"{array.dtype} {array.shape}" for name, array in arrays.items()}
    if held != {"weights": f"float32 {(features, classes)}", "bias": f"float32 {(classes,)}"}:
        raise ModelError(
            f"{path} does not fit this model: it holds {held}, where float32 for {features}"
            f" features and {classes} classes is needed"
        )
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ModelError(f"{path} is damaged: it holds numbers that are not finite (NaN)")
    return LinearHead.from_arrays(kind, arrays)
