"""How well the engine that predicts agrees with torch, measured on pictures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone
from tellapart.data.pictures import Source
from tellapart.engines.records import usable_cores
from tellapart.finetuning.pictures import Pictures, hold_tables, in_threads
from tellapart.finetuning.views import AHEAD, CHUNK, normalised
from tellapart.heads.linear import LinearHead
from tellapart.optional import need_torch
from tellapart.progress import Stage
from tellapart.settings import Decoding


def agreement_words(
    backbone: Backbone,
    head: LinearHead,
    sources: Sequence[Source],
    answers: NDArray[np.float32],
    decoding: Decoding,
    bands: tuple[int, ...],
    stage: Stage,
) -> str:
    """Return "1,000 of 1,000 answers equal, ..." for the engine's `answers` [n, k].

    bands  what the network is shown, indices among the decoded bands

    torch computes in float32 on the CPU.
    """
    found = _by_torch(backbone, head, sources, decoding, bands, stage)
    equal = int((found.argmax(axis=1) == answers.argmax(axis=1)).sum())
    most = float(np.abs(found - answers).max(initial=0.0))
    return (
        f"The saved network agrees with torch: {equal:,} of {len(found):,} answers equal, largest"
        f" difference of a probability {most:.1g}."
    )


def _by_torch(
    backbone: Backbone,
    head: LinearHead,
    sources: Sequence[Source],
    decoding: Decoding,
    bands: tuple[int, ...],
    stage: Stage,
) -> NDArray[np.float32]:
    torch = need_torch()
    network = backbone.torch_module().eval().to(memory_format=torch.channels_last)
    pictures = Pictures(
        sources, [""] * len(sources), backbone.transform, decoding, backbone.transform.size,
        "none", False, 0, hold_tables(sources, decoding), bands,
    )  # fmt: skip
    drawn = in_threads(pictures.whole, range(len(sources)), usable_cores(), AHEAD)
    parts = []
    with torch.inference_mode():
        while some := list(itertools.islice(drawn, CHUNK)):
            pixels = torch.from_numpy(np.stack(some))
            parts.append(network(normalised(pixels, backbone.transform, "cpu")).numpy())
            stage.advance(len(some))
    return head.probabilities(np.concatenate(parts))
