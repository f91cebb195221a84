"""A backbone in int8 for OpenVINO, through NNCF (extra [quantize])."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone
from tellapart.errors import BackboneError, MissingExtra
from tellapart.optional import INSTALL, import_nncf, installed_version

if TYPE_CHECKING:
    import openvino

QUANTISE_VERSION = 1  # raise it whenever the same pictures quantise to another network
ATTENTION = ("Softmax", "ScaledDotProductAttention")  # operations that mark a transformer

Pixels = Callable[[], NDArray[np.uint8]]


def check_can_quantise() -> None:
    """Raise MissingExtra, with the install line, where NNCF is not installed; imports nothing."""
    if installed_version("nncf") is None:
        install = INSTALL.format(extra="quantize")
        raise MissingExtra(f"--precision int8 needs nncf, which is not installed: {install}")


def quantised(backbone: Backbone, ids: Sequence[str], pixels: Pixels) -> Backbone:
    """Return the backbone in int8, calibrated on pictures: weights and activations in 8 bits.

    ids     of the pictures that it is calibrated on: with the backbone and NNCF's version they
            make its identity, so that the network and its features are kept under their own keys
    pixels  reads them, uint8 [n, size, size, 3]; called only when the network is built

    Post-training quantisation with fast bias correction: the method of NNCF, whose defaults are
    kept (activations symmetric after ReLU-like functions, one scale a channel for weights).
    """
    parts = (backbone.weights_digest, "int8", QUANTISE_VERSION, installed_version("nncf"), *ids)
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    return replace(backbone, weights_digest=digest, build=partial(_build, backbone, pixels))


def _build(backbone: Backbone, pixels: Pixels) -> openvino.Model:
    nncf = import_nncf()
    model = backbone.build()
    kinds = {one.get_type_name() for one in model.get_ops()}
    given = pixels()
    dataset = nncf.Dataset([given[row : row + 1] for row in range(len(given))])
    attends = nncf.ModelType.TRANSFORMER if kinds.intersection(ATTENTION) else None
    try:
        with _quietly(nncf):
            return nncf.quantize(model, dataset, subset_size=len(given), model_type=attends)
    except (RuntimeError, ValueError, nncf.ValidationError) as problem:
        reason = str(problem).strip().splitlines()[-1]
        raise BackboneError(
            f"{backbone.name} cannot be quantised: {reason}; leave out --precision int8"
        ) from problem


@contextlib.contextmanager
def _quietly(nncf: Any) -> Iterator[None]:
    """Keep NNCF's bars and notes off stdout, which belongs to results."""
    nncf.set_log_level(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
