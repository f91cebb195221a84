"""Heads: classifiers on features. `linear` is all that `predict` needs, and imports numpy alone."""

from typing import TYPE_CHECKING, Any

from tellapart.heads.linear import LinearHead

if TYPE_CHECKING:
    from tellapart.heads.probe import Probe, check_asked, fit_probe, refit

__all__ = ["LinearHead", "Probe", "check_asked", "fit_probe", "refit"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tellapart.heads' has no attribute {name!r}")
    from tellapart.heads import probe

    return getattr(probe, name)
