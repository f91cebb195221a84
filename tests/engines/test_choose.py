"""Which engine runs: by name, and by what is there."""

from __future__ import annotations

import sys

import pytest

from tellapart.engines import choose, choose_engine
from tellapart.errors import MissingExtra, OptionError


def test_names() -> None:
    assert choose_engine("openvino") == "openvino"
    with pytest.raises(OptionError, match=r"unknown engine 'openvin'; did you mean 'openvino'\?"):
        choose_engine("openvin")


def test_torch_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r'pip install "tellapart\[torch\]"'):
        choose_engine("torch")


def test_auto_without_a_driver_does_not_ask_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> bool:
        raise AssertionError("torch must not be imported where no driver is")

    monkeypatch.setattr(choose, "_torch_sees_cuda", ask)
    monkeypatch.setattr(choose, "has_cuda_driver", lambda: False)
    assert choose_engine("auto") == "openvino"


@pytest.mark.parametrize(("sees", "engine"), [(True, "torch"), (False, "openvino")])
def test_auto_with_a_driver(monkeypatch: pytest.MonkeyPatch, sees: bool, engine: str) -> None:
    pytest.importorskip("torch", reason="the extra [torch] is not installed")
    monkeypatch.setattr(choose, "has_cuda_driver", lambda: True)
    monkeypatch.setattr(choose, "_torch_sees_cuda", lambda: sees)
    assert choose_engine("auto") == engine


def test_auto_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "has_cuda_driver", lambda: True)
    monkeypatch.setattr(choose.importlib.util, "find_spec", lambda name: None)
    assert choose_engine("auto") == "openvino"
