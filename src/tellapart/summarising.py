"""What a backbone or a saved model is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tellapart.backbones import Backbone, get_backbone
from tellapart.errors import MissingExtra, TellapartError
from tellapart.features import open_cache
from tellapart.finetuning.layers import Group, freeze_lower
from tellapart.finetuning.recipes import RECIPES
from tellapart.models.folder import load_classifier
from tellapart.optional import import_openvino, need, need_torch

DEPTH = 3  # of nested modules that are shown


@dataclass(frozen=True)
class Summary:
    """Rows of (what, value); `layers` is a table as text, "" where it cannot be had; notes."""

    rows: tuple[tuple[str, str], ...]
    layers: str
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that `summary --json` prints."""
        return {"found": dict(self.rows), "layers": self.layers, "notes": list(self.notes)}

    def _repr_html_(self) -> str:
        from tellapart.html import table

        return table(("what", "value"), self.rows)


def summarise(name: str, *, cache: str | Path | None = None) -> Summary:
    """Return what is known of a backbone ("lite0", "timm:...") or of a run's or model's folder.

    Raises a TellapartError where there is neither a folder nor a backbone of that name.
    """
    if Path(name).is_dir():
        return _of_model(name)
    with open_cache(cache) as kept:
        backbone = get_backbone(name, kept=kept)
    rows = (
        ("backbone", backbone.name),
        *_transform_rows(backbone.transform),
        ("features", f"{backbone.features:,}"),
        ("parameters", f"{backbone.parameters:,}; a run fits a head on the features alone"),
        ("licence", backbone.licence),
        ("weights", f"{backbone.source}, SHA-256 {backbone.weights_digest[:16]}..."),
    )
    if not backbone.is_network:
        return Summary(rows, "", ("It is no network: there are no layers to show.",))
    try:
        module = backbone.torch_module().eval()
        tuned = ("fine-tuning", _what_is_trained(module))
        return Summary((*rows, tuned), layer_table(backbone, module), ())
    except MissingExtra as missing:
        return Summary(rows, "", (f"For its layers: {missing}",))


def _what_is_trained(module: Any) -> str:
    """Freeze what fine-tuning freezes by default, and say so."""
    frozen, trained = freeze_lower(module, RECIPES["default"]["freeze"])
    number = sum(one.numel() for one in module.parameters() if one.requires_grad)
    return (
        f"trains {number:,} parameters: {_from_to(trained)}; {_from_to(frozen)} stay frozen"
        " (--freeze says how many)"
    )


def _from_to(groups: Sequence[Group]) -> str:
    names = [one.name or "the whole network" for one in groups]
    return " to ".join(dict.fromkeys((names[0], names[-1]))) if names else "none"


def layer_table(backbone: Backbone, module: Any) -> str:
    """Return torchinfo's table of a backbone's layers in torch; raises MissingExtra without it."""
    torch = need_torch()
    torchinfo = need("torchinfo", "torch")
    size = backbone.transform.size
    shown = torchinfo.summary(
        module,
        input_data=torch.zeros(1, len(backbone.transform.mean), size, size),
        depth=DEPTH,
        col_names=("input_size", "output_size", "num_params", "trainable"),
        row_settings=("var_names",),
        verbose=0,
    )
    return str(shown)


def _transform_rows(transform: Any) -> tuple[tuple[str, str], ...]:
    how = "squashed" if transform.fit == "squash" else f"crop of {transform.crop_share:.3g}"
    numbers = [f"{one / 255:.4g}" for one in (*transform.mean, *transform.std)]
    half = len(numbers) // 2
    return (
        ("input", f"{transform.size} x {transform.size} pixels, {how}, {transform.interpolation}"),
        ("mean", " ".join(numbers[:half])),
        ("std", " ".join(numbers[half:])),
    )


def _of_model(place: str) -> Summary:
    classifier = load_classifier(place)
    rows = [
        ("model", str(place)),
        ("classes", f"{len(classifier.classes):,}"),
        ("trained on", f"{len(classifier.trained_on):,} pictures"),
        ("head", f"{classifier.head.kind}: {_arrays(classifier.head)}, trained"),
    ]
    rows += [
        ("backbone", f"{part.name}, {part.features:,} features; licence {part.licence}")
        for part in classifier.parts
    ]
    layers = []
    for name, file in classifier.networks.items():
        found, lines = _network(file)
        layers += [f"{name}: {found}", *lines]
    return Summary(tuple(rows), "\n".join(layers), ())


def _arrays(head: Any) -> str:
    return ", ".join(
        f"{name} {' x '.join(map(str, array.shape))}" for name, array in head.arrays().items()
    )


def _network(xml: Path) -> tuple[str, list[str]]:
    """Return input and output of a network of ours, and how many layers of each kind it has."""
    try:
        model = import_openvino().Core().read_model(xml)
    except RuntimeError as problem:
        raise TellapartError(f"{xml} cannot be read: {problem}") from problem
    kinds = Counter(one.get_type_name() for one in model.get_ordered_ops())
    given, found = model.input(0).partial_shape, model.output(0).partial_shape
    lines = [
        f"  {count:>5,} {kind}"
        for kind, count in kinds.most_common()
        if kind not in ("Constant", "Parameter", "Result", "Convert")
    ]
    return f"uint8 {given} -> float32 {found}", lines
