"""The model folder: written whole, read with suspicion (no pickle, literal names, digests)."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tellapart.backbones.classical import get_classical, is_classical
from tellapart.errors import BackboneError, ModelError, OutputError
from tellapart.images.bands import RGB, parse_bands
from tellapart.images.transforms import Transform
from tellapart.images.views import VIEWS
from tellapart.models.card import model_card
from tellapart.models.classifier import Classifier, ModelPart, headline_text
from tellapart.places import read_json, write_bytes, write_json, writing
from tellapart.settings import MAX_FILE_BYTES, MAX_PIXELS, Decoding

MODEL_JSON = "model.json"
HEAD = "head.safetensors"
CARD = "README.md"
WEIGHTS = "weights.safetensors"  # after fine-tuning: of the backbone, for torch; predict needs none
MOST_BYTES = {  # the files of a model folder by name or ending, and how large each may be
    MODEL_JSON: 64_000_000,
    HEAD: 2_000_000_000,
    ".xml": 64_000_000,
    ".bin": 8_000_000_000,
    WEIGHTS: 16_000_000_000,
}
# of the networks, in the order in which the parts name them
NETWORKS = ("network.xml", *(f"network{number}.xml" for number in range(2, 17)))
MOST_PARTS = 64
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
        for name, xml in classifier.networks.items():
            for ending in _ENDINGS:
                source, target = xml.with_suffix(ending), (folder / name).with_suffix(ending)
                if source.absolute() != target.absolute():
                    shutil.copyfile(source, target)
        _remove_others(folder, _files(classifier.networks))
    write_bytes(folder / HEAD, save(classifier.head.arrays()))
    written = _files(classifier.networks)
    if classifier.weights is not None:
        write_bytes(folder / WEIGHTS, save(dict(classifier.weights)))
        written.append(WEIGHTS)
    digests = {name: file_digest(folder / name) for name in written}
    write_json(folder / MODEL_JSON, _to_json(classifier, digests))
    write_bytes(folder / CARD, model_card(classifier).encode("utf-8"))
    return folder


def _files(networks: Iterable[str]) -> list[str]:
    """Return the names of a model's files beside model.json and the card."""
    return [HEAD, *(str(Path(name).with_suffix(end)) for name in networks for end in _ENDINGS)]


_ENDINGS = (".xml", ".bin")


def _remove_others(folder: Path, wanted: list[str]) -> None:
    """Remove the networks of an older model that the new one does not have."""
    for name in (*_files(NETWORKS), WEIGHTS):
        if name not in wanted:
            (folder / name).unlink(missing_ok=True)


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
    return {
        "classes": list(classifier.classes),
        "decoding": {
            "bands": list(classifier.decoding.bands) if classifier.decoding.bands else None,
            "max_pixels": classifier.decoding.max_pixels,
            "max_file_bytes": classifier.decoding.max_file_bytes,
        },
        "parts": [
            {
                **asdict(part),
                "transform": part.transform.to_json(),
                "bands": list(part.bands),
                "views": list(part.views),
            }
            for part in classifier.parts
        ],
        "tta": list(classifier.tta),
        "mirror": classifier.mirror,
        "head": classifier.head.kind,
        "checked_with": dict(classifier.checked_with),
        "headline": classifier.headline,
        **({} if classifier.operating is None else {"operating": dict(classifier.operating)}),
        "card": dict(classifier.card),
        "files": digests,
        "trained_on": sorted(classifier.trained_on),
    }


def _check_files(folder: Path, stored: dict[str, Any]) -> None:
    digests = stored.get("files")
    if not isinstance(digests, dict):
        raise ModelError(f"{folder / MODEL_JSON} is damaged: its list of files is missing")
    weights = [WEIGHTS] if WEIGHTS in digests else []
    for name in (MODEL_JSON, *_files(_named_networks(folder, stored)), *weights):
        path, most = folder / name, MOST_BYTES.get(name) or MOST_BYTES[Path(name).suffix]
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


def _named_networks(folder: Path, stored: dict[str, Any]) -> list[str]:
    """Return the networks that the parts name, each once: the first names of NETWORKS."""
    try:
        parts = list(stored["parts"])
        named = [name for name in dict.fromkeys(part["network"] for part in parts) if name]
    except (KeyError, TypeError) as problem:
        raise ModelError(
            f"{folder / MODEL_JSON} is damaged: {type(problem).__name__}: {problem}"
        ) from problem
    if tuple(named) != NETWORKS[: len(named)] or not 1 <= len(parts) <= MOST_PARTS:
        raise ModelError(
            f"{folder / MODEL_JSON} is damaged: its parts name other networks than a model holds"
        )
    return named


def _from_json(folder: Path, stored: dict[str, Any]) -> Classifier:
    from tellapart.engines.openvino import check_network

    classes = _checked_classes(stored["classes"])
    decoding = _decoding(stored["decoding"])
    parts = tuple(_part(one, len(decoding.bands or RGB)) for one in stored["parts"])
    for part in parts:
        if part.network:
            check_network(
                folder / part.network,
                size=part.transform.size,
                features=part.features,
                bands=part.transform.bands,
            )
    features = sum(part.features for part in parts)
    return Classifier(
        classes=classes,
        decoding=decoding,
        parts=parts,
        networks={part.network: folder / part.network for part in parts if part.network},
        head=_load_head(folder / HEAD, _kind(stored["head"]), features, len(classes)),
        checked_with=dict(stored["checked_with"]),
        headline=_checked_headline(stored["headline"]),
        trained_on=frozenset(stored["trained_on"]),
        card=dict(stored["card"]),
        operating=_checked_operating(stored.get("operating"), classes),
        tta=_views(stored.get("tta", []), parts),
        mirror=bool(stored.get("mirror", True)),
    )


def store_operating(folder: Path, point: Mapping[str, Any]) -> None:
    """Put an operating point (`OperatingPoint.to_json`) into a model folder, for its predictions.

    Raises OutputError where model.json cannot be written.
    """
    stored = read_json(folder / MODEL_JSON, error=ModelError, most_bytes=MOST_BYTES[MODEL_JSON])
    write_json(folder / MODEL_JSON, {**stored, "operating": dict(point)})


def _checked_operating(value: Any, classes: tuple[str, ...]) -> dict[str, Any] | None:
    """Return an operating point as it is stored; raises KeyError, TypeError or ValueError."""
    if value is None:
        return None
    name, threshold = str(value["name"]), float(value["threshold"])
    if name not in classes or not 0 <= threshold <= 1:
        raise ValueError(f"its operating point is {threshold} for the class {name!r}")
    return {**value, "name": name, "threshold": threshold}


def _decoding(value: Any) -> Decoding:
    bands = value["bands"]
    return Decoding(
        bands=parse_bands(",".join(bands)) if bands else None,
        max_pixels=_limit(value["max_pixels"], MAX_PIXELS),
        max_file_bytes=_limit(value["max_file_bytes"], MAX_FILE_BYTES),
    )


def _part(value: Any, decoded: int) -> ModelPart:
    """Return a part that can run on pictures of `decoded` bands; raises KeyError, TypeError or
    ValueError.
    """
    transform = Transform.from_json(value["transform"])
    bands, views = tuple(map(int, value["bands"])), tuple(value["views"])
    if len(bands) != transform.bands or not all(0 <= band < decoded for band in bands):
        raise ValueError(f"a part takes the bands {bands} of {decoded}")
    if not 1 <= len(set(views)) == len(views) or not set(views) <= set(VIEWS):
        raise ValueError("a part has views that are none")
    part = ModelPart(
        name=str(value["name"]),
        weights_digest=str(value["weights_digest"]),
        licence=str(value["licence"]),
        network=value["network"],
        transform=transform,
        bands=bands,
        views=views,
        features=int(value["features"]),
    )
    if part.network is None:
        _check_classical(part)
    return part


def _views(value: Any, parts: tuple[ModelPart, ...]) -> tuple[str, ...]:
    """Return the views whose probabilities are averaged; raises TypeError or ValueError."""
    views = tuple(value)
    if len(set(views)) < len(views) or not set(views) <= set(VIEWS):
        raise ValueError("it averages the probabilities of views that are none")
    if views and any(len(part.views) > 1 for part in parts):
        raise ValueError("it averages both the features and the probabilities of views")
    return views


def _check_classical(part: ModelPart) -> None:
    """Refuse a part without a network that is not what is computed here under its name."""
    if not is_classical(part.name):
        raise ValueError(f"{part.name} has no network")
    try:
        here = get_classical(part.name, part.transform.size, len(part.bands))
    except BackboneError as problem:
        raise ValueError(problem) from problem
    told = (here.features, here.transform, here.weights_digest)
    if told != (part.features, part.transform, part.weights_digest):
        raise ModelError(
            f"this model's {part.name} features are computed otherwise by this version of"
            " tellapart: fit it again"
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

    from tellapart.heads.saved import head_from, misfit

    try:
        arrays = load_file(os.fspath(path))
    except (SafetensorError, OSError) as problem:
        raise ModelError(f"{path} is damaged: {problem}") from problem
    wrong = misfit(kind, arrays, features, classes)
    if wrong:
        raise ModelError(f"{path} does not fit this model: {wrong}")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ModelError(f"{path} is damaged: it holds numbers that are not finite (NaN)")
    try:
        return head_from(kind, arrays)
    except ValueError as problem:
        raise ModelError(f"{path} is damaged: {problem}") from problem
