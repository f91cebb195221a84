"""tellapart: from a folder of pictures to a tested classifier, an honest number and a report.

>>> import tellapart as ta
>>> run = ta.run("photos/", out="runs/a")        # doctest: +SKIP
>>> ta.load("runs/a").predict(["x.jpg"])         # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tellapart.version import __version__

if TYPE_CHECKING:
    from tellapart.auditing import AuditSettings, audit, clean
    from tellapart.backbones import list_backbones
    from tellapart.comparing import BackboneComparison, compare_backbones
    from tellapart.data import PictureSet, read
    from tellapart.doctor import diagnose
    from tellapart.errors import TellapartError
    from tellapart.estimators import ImageClassifier, ImageEmbedder
    from tellapart.judging import evaluate
    from tellapart.models.classifier import Classifier, Prediction
    from tellapart.models.folder import load_classifier as load
    from tellapart.picking import pick
    from tellapart.pipeline import Run, finetune, run
    from tellapart.rate_finding import lr_find
    from tellapart.settings import (
        Decoding,
        FinetuneSettings,
        ReadSettings,
        RunSettings,
        SplitSettings,
    )
    from tellapart.summarising import summarise

_PLACES = {  # public name -> (module, name there); imported when first asked for
    "AuditSettings": ("tellapart.auditing", "AuditSettings"),
    "BackboneComparison": ("tellapart.comparing", "BackboneComparison"),
    "Classifier": ("tellapart.models.classifier", "Classifier"),
    "Decoding": ("tellapart.settings", "Decoding"),
    "FinetuneSettings": ("tellapart.settings", "FinetuneSettings"),
    "ImageClassifier": ("tellapart.estimators", "ImageClassifier"),
    "ImageEmbedder": ("tellapart.estimators", "ImageEmbedder"),
    "PictureSet": ("tellapart.data", "PictureSet"),
    "Prediction": ("tellapart.models.classifier", "Prediction"),
    "ReadSettings": ("tellapart.settings", "ReadSettings"),
    "Run": ("tellapart.pipeline", "Run"),
    "RunSettings": ("tellapart.settings", "RunSettings"),
    "SplitSettings": ("tellapart.settings", "SplitSettings"),
    "TellapartError": ("tellapart.errors", "TellapartError"),
    "audit": ("tellapart.auditing", "audit"),
    "clean": ("tellapart.auditing", "clean"),
    "compare_backbones": ("tellapart.comparing", "compare_backbones"),
    "diagnose": ("tellapart.doctor", "diagnose"),
    "evaluate": ("tellapart.judging", "evaluate"),
    "finetune": ("tellapart.pipeline", "finetune"),
    "list_backbones": ("tellapart.backbones", "list_backbones"),
    "load": ("tellapart.models.folder", "load_classifier"),
    "lr_find": ("tellapart.rate_finding", "lr_find"),
    "pick": ("tellapart.picking", "pick"),
    "read": ("tellapart.data", "read"),
    "run": ("tellapart.pipeline", "run"),
    "summarise": ("tellapart.summarising", "summarise"),
}

__all__ = [
    "AuditSettings",
    "BackboneComparison",
    "Classifier",
    "Decoding",
    "FinetuneSettings",
    "ImageClassifier",
    "ImageEmbedder",
    "PictureSet",
    "Prediction",
    "ReadSettings",
    "Run",
    "RunSettings",
    "SplitSettings",
    "TellapartError",
    "__version__",
    "audit",
    "clean",
    "compare_backbones",
    "diagnose",
    "evaluate",
    "finetune",
    "list_backbones",
    "load",
    "lr_find",
    "pick",
    "read",
    "run",
    "summarise",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'tellapart' has no attribute {name!r}")
    module, there = _PLACES[name]
    return getattr(importlib.import_module(module), there)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
