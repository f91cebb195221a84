"""Optional libraries: the one place that turns a failed import into an install line."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tellapart.errors import MissingExtra

INSTALL = 'pip install "tellapart[{extra}]"'


def need(module: str, extra: str) -> Any:
    """Import an optional module, or raise MissingExtra with the line that installs its extra."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"this needs {module}, which is not installed ({error}): {INSTALL.format(extra=extra)}"
        ) from error


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry.

    With the package openvino_telemetry in sight, `import openvino` writes ~/intel and reports the
    import to Google Analytics from a child process (seen with 2026.4). Hidden for that moment,
    OpenVINO takes the stub that it ships for its absence; what other code imports later is its own.
    """
    with _without_telemetry("openvino"):
        return importlib.import_module("openvino")


def import_nncf() -> Any:
    """Import NNCF (extra [quantize]), which would report to Google Analytics likewise."""
    import_openvino()
    with _without_telemetry("nncf"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        return need("nncf", "quantize")


@contextmanager
def _without_telemetry(module: str) -> Iterator[None]:
    """Hide the package that sends telemetry while `module` is imported for the first time."""
    hidden = {module, _TELEMETRY}.isdisjoint(sys.modules)
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]


_TELEMETRY = "openvino_telemetry"


def need_torch() -> Any:
    """Import torch, raising MissingExtra with the install line where it is absent."""
    return need("torch", "torch")


def need_timm() -> Any:
    """Import timm."""
    need_torch()
    _mend_torchvision()
    return need("timm", "torch")


def need_torchvision() -> Any:
    """Import torchvision."""
    need_torch()
    _mend_torchvision()
    return need("torchvision", "torch")


def need_transformers() -> Any:
    """Import transformers."""
    need_torchvision()  # which it imports
    transformers = need("transformers", "hf")
    transformers.utils.logging.set_verbosity_error()  # notes for its own developers
    transformers.utils.logging.disable_progress_bar()
    return transformers


def check_lightning() -> None:
    """Raise MissingExtra where Lightning is absent, without the seconds that its import takes."""
    for module in ("torch", "lightning"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(
                f"this needs {module}, which is not installed: {INSTALL.format(extra='finetune')}"
            )


def need_lightning() -> Any:
    """Import Lightning's trainer (lightning.pytorch)."""
    need("torch", "finetune")
    _mend_torchvision()  # which its metrics import
    return need("lightning.pytorch", "finetune")


def _mend_torchvision() -> None:
    """Import torchvision where it is installed, before the libraries that import it.

    A torchvision built for another torch fails with "operator torchvision::nms does not exist".
    tellapart uses none of torchvision's compiled operators, so on exactly this error their schemas
    are defined and the next import succeeds.
    """
    try:
        importlib.import_module("torchvision")
    except ImportError:
        return  # who needs it says so
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        _define_missing_operators()


def _define_missing_operators() -> None:
    """Define the schemas of torchvision's operators that its Python files register kernels for."""
    torch = need_torch()
    for name in [one for one in sys.modules if one.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half loaded
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(library)


_KEPT: list[Any] = []  # a torch.library.Library takes its definitions back when it is collected


def installed_version(distribution: str) -> str | None:
    """Return a distribution's version from its metadata, without importing it; None if absent."""
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


__all__ = [
    "check_lightning",
    "import_nncf",
    "import_openvino",
    "installed_version",
    "need",
    "need_lightning",
    "need_timm",
    "need_torch",
    "need_torchvision",
    "need_transformers",
]
