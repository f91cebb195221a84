"""What is installed, what would run, where the cache is, and what is known not to fit together."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from tellapart.errors import TellapartError
from tellapart.optional import INSTALL, installed_version
from tellapart.version import __version__

CORE = (
    "numpy", "pillow", "tifffile", "openvino", "scikit-learn", "scipy", "polars", "safetensors",
    "typer", "rich", "altair", "vl-convert-python", "jinja2",
)  # fmt: skip
EXTRAS = {  # extra -> (distributions, what it adds)
    "torch": (
        ("torch", "timm", "torchvision", "torchinfo"),
        "the GPU engine, networks of timm and torchvision, summaries",
    ),
    "hf": (("transformers",), "networks of the Hugging Face hub"),
    "heic": (("pillow-heif",), "reading HEIC and HEIF pictures"),
    "quantize": (("nncf",), "networks in int8 (--precision int8)"),
}


@dataclass(frozen=True)
class Diagnosis:
    """What `doctor` found: rows of (what, finding) and lines on what should be mended."""

    rows: tuple[tuple[str, str], ...]
    mend: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the object that `doctor --json` prints."""
        return {"found": dict(self.rows), "mend": list(self.mend)}

    def _repr_html_(self) -> str:
        from tellapart.html import table

        return table(("what", "found"), self.rows)


def diagnose(cache: Path | None = None) -> Diagnosis:
    """Look at this installation; costs a second or two, more where torch is installed."""
    from tellapart.engines import usable_cores

    mend: list[str] = []
    rows = [
        ("tellapart", __version__),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        ("cores", str(usable_cores())),
        *_libraries(mend),
        *_extras(),
        *_network(cache, mend),
        *_torch(mend),
        _cache(cache),
    ]
    return Diagnosis(tuple(rows), tuple(mend))


def _libraries(mend: list[str]) -> list[tuple[str, str]]:
    rows = []
    for name in CORE:
        version = installed_version(name)
        if version is None:
            mend.append(f"{name} is missing: {sys.executable} -m pip install {name}")
        rows.append((name, version or "missing"))
    return rows


def _extras() -> list[tuple[str, str]]:
    rows = []
    for extra, (names, adds) in EXTRAS.items():
        found = {name: installed_version(name) for name in names}
        if all(found.values()):
            text = ", ".join(f"{name} {version}" for name, version in found.items())
        else:
            text = f"not installed; adds {adds}: {INSTALL.format(extra=extra)}"
        rows.append((f"[{extra}]", text))
    return rows


def _network(cache: Path | None, mend: list[str]) -> list[tuple[str, str]]:
    """Run the embedded network once on a gray picture, on the engine that `auto` takes."""
    import numpy as np

    from tellapart.backbones import get_backbone
    from tellapart.engines import open_engine
    from tellapart.features.store import open_cache

    try:
        backbone = get_backbone("lite0")
        with open_cache(cache) as kept:
            engine = open_engine(backbone, "auto", kept)
            size = backbone.transform.size
            vector = engine.embed(np.full((1, size, size, 3), 128, np.uint8))
    except TellapartError as error:
        mend.append(str(error))
        return [("network", f"does not run: {error}")]
    finite = "runs" if np.isfinite(vector).all() else "gives no finite numbers"
    return [
        (
            "network",
            f"{backbone.name} {finite} on {engine.name} {engine.version}, {engine.precision}",
        )
    ]


def _torch(mend: list[str]) -> list[tuple[str, str]]:
    if installed_version("torch") is None:
        return []
    from tellapart.optional import need_torch

    try:
        torch = need_torch()
    except TellapartError as error:
        mend.append(str(error))
        return [("torch device", "torch does not import")]
    device = "CUDA" if torch.cuda.is_available() else "CPU only"
    rows = [("torch device", device)]
    if installed_version("torchvision") is not None:
        rows.append(("torchvision", _torchvision(torch.__version__, mend)))
    return rows


def _torchvision(torch_version: str, mend: list[str]) -> str:
    """Say whether torchvision loads beside this torch, in a process of its own."""
    import subprocess

    tried = subprocess.run(
        [sys.executable, "-c", "import torchvision"], capture_output=True, text=True, check=False
    )
    if tried.returncode == 0:
        return "loads"
    last = (tried.stderr.strip().splitlines() or ["no message"])[-1]
    if "torchvision::nms does not exist" in tried.stderr:
        mend.append(
            "torchvision was built for another torch (operator torchvision::nms does not exist)."
            " tellapart works around it; for other programs install a pair that matches:"
            f" {sys.executable} -m pip install --force-reinstall torch torchvision"
        )
        return f"does not match torch {torch_version}; worked around"
    mend.append(f"torchvision does not import: {last}")
    return "does not import"


def _cache(cache: Path | None) -> tuple[str, str]:
    from tellapart.features.store import cache_size
    from tellapart.places import default_cache_folder

    folder = cache or default_cache_folder()
    return "cache", f"{folder}, {cache_size(folder) / 1e6:,.1f} MB"
