"""The public names: each is there, says what it does, and hides no module."""

from __future__ import annotations

from pathlib import Path

import pytest

import tellapart as ta
from tellapart import pipeline

MODULES = {one.stem for one in Path(ta.__file__).parent.iterdir()}


@pytest.mark.parametrize("name", [one for one in ta.__all__ if one != "__version__"])
def test_a_public_name_is_there_and_explained(name: str) -> None:
    found = getattr(ta, name)
    assert found.__doc__, name
    assert found.__name__ == {"load": "load_classifier"}.get(name, name)


def test_no_public_name_is_that_of_a_module() -> None:
    assert not MODULES & set(ta.__all__)


def test_what_is_no_name_is_told() -> None:
    with pytest.raises(AttributeError, match="module 'tellapart' has no attribute 'tune'"):
        _ = ta.tune


@pytest.mark.parametrize(("mode", "expected"), [("no", "yes"), ("auto", "auto")])
def test_finetune_is_run_with_the_network_trained_on(
    monkeypatch: pytest.MonkeyPatch, mode: str, expected: str
) -> None:
    asked = {}
    monkeypatch.setattr(pipeline, "run", lambda *_, **words: asked.update(words))
    settings = ta.RunSettings(seed=3, finetune=ta.FinetuneSettings(mode=mode, epochs=7))
    ta.finetune("photos", settings=settings)
    assert asked["settings"].finetune == ta.FinetuneSettings(mode=expected, epochs=7)
    assert asked["settings"].seed == 3
