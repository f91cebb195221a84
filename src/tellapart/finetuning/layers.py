"""A network as a row of layer groups: what is frozen, what is trained, and how fast each group.

Nothing here knows a network by name. The groups are found from the order in which a module names
its parts: the row is the first list of siblings, looking from the outside in, that holds at least
four parts with parts of their own; what stands before it is the stem, what stands after it the top.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tellapart.optional import need_torch

LEAST_ROW = 4  # composed parts that make a row: the stages of a ResNet, the blocks of a transformer
AGREEMENT = 1e-4  # of the largest feature: the two halves must give what the whole gives


@dataclass(frozen=True)
class Group:
    """Modules that stand together, by their dotted names."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Halves:
    """A network in two parts: upper(lower(x)) is what the whole network gives.

    lower    frozen, in evaluation mode; None where nothing is frozen, or where the network cannot
             be cut in two (then `upper` computes the frozen part too)
    upper    what is trained
    network  the network inside `upper` that holds the trained parameters under their own names
    trained  the groups that are trained, from the lowest to the highest
    frozen   the groups that stay as they are
    """

    lower: Any
    upper: Any
    network: Any
    trained: tuple[Group, ...]
    frozen: tuple[Group, ...]


def layer_groups(network: Any) -> tuple[Group, ...]:
    """Return a network's groups from its input to its output, one at least."""
    path = _row_path(network)
    before: list[str] = []
    after: list[str] = []
    for prefix, inner in itertools.pairwise(path):
        names = [f"{prefix}{name}" for name, _ in _named(network, prefix)]
        at = names.index(inner.removesuffix("."))
        before += names[:at]
        after = names[at + 1 :] + after
    return _grouped(network, before, _named(network, path[-1]), path[-1], after)


def _row_path(network: Any) -> list[str]:
    """Return the prefixes that lead from the network ("") to its row."""
    path, best = [""], [""]
    most = -1
    while True:
        children = _named(network, path[-1])
        composed = [name for name, child in children if _is_composed(child)]
        if len(composed) > most:
            most, best = len(composed), list(path)
        if most >= LEAST_ROW or not composed:
            return best
        largest = max(children, key=lambda one: _size(one[1]))
        if not _is_composed(largest[1]):
            return best
        path.append(f"{path[-1]}{largest[0]}.")


def _named(network: Any, prefix: str) -> list[tuple[str, Any]]:
    return list(network.get_submodule(prefix.removesuffix(".")).named_children())


def _is_composed(module: Any) -> bool:
    """Whether a module has parameters and leaves them to parts of its own."""
    return any(_size(child) for child in module.children())


def _size(module: Any) -> int:
    return sum(one.numel() for one in module.parameters())


def _grouped(
    network: Any, before: list[str], row: list[tuple[str, Any]], prefix: str, after: list[str]
) -> tuple[Group, ...]:
    """Give every part of the row a group; parts without their own join the one they follow."""
    parts: list[list[str]] = [before]
    last = max((at for at, (_, child) in enumerate(row) if _is_composed(child)), default=-1)
    for at, (name, child) in enumerate(row):
        if _is_composed(child) or (at == last + 1 and _size(child)):
            parts.append([])
        parts[-1].append(f"{prefix}{name}")
    if any(_size(network.get_submodule(name)) for name in after):
        parts.append([])
    parts[-1] += after
    if not any(_size(network.get_submodule(name)) for name in parts[0]) and len(parts) > 1:
        parts[1] = parts.pop(0) + parts[1] if len(parts[0]) else parts[1]
    named = [Group(part[0], tuple(part)) for part in parts if part]
    return tuple(named) or (Group("", ("",)),)


def cut(network: Any, freeze: float, example: Any) -> Halves:
    """Return the network cut so that about `freeze` (0..1) of its groups, the lowest, are frozen.

    example  float32 [2, bands, size, size]: the network is cut in two only where both halves
             together give what the whole gives for it
    """
    network.eval()
    frozen, trained = freeze_lower(network, freeze)
    if not frozen:
        return Halves(None, network, network, trained, ())
    if not trained:
        return Halves(network, need_torch().nn.Identity(), network, (), frozen)
    lower = _lower(network, trained[0].modules[0])
    upper = _upper(network, frozen, trained[0].modules[0], example)
    if upper is None or not _agree(network, lower, upper, example):
        return Halves(None, network, network, trained, frozen)
    return Halves(lower, upper, upper.network, trained, frozen)


def freeze_lower(network: Any, share: float) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Let only the upper groups of a network be trained; return those frozen and those trained.

    Parameters that belong to no group are trained only where nothing is frozen.
    """
    groups = layer_groups(network)
    number = min(len(groups), int((len(groups) + 1) * share + 1e-9))  # of 9 and one half: 5
    frozen, trained = groups[:number], groups[number:]
    network.requires_grad_(not frozen)
    for module in _modules(network, trained):
        module.requires_grad_(True)
    return frozen, trained


def _modules(network: Any, groups: Sequence[Group]) -> list[Any]:
    return [network.get_submodule(name) for group in groups for name in group.modules]


class _Reached(Exception):
    """Carries what the first trained module is given."""


def _lower(network: Any, first: str) -> Any:
    """Return a module that gives what the module `first` would be given."""
    torch = need_torch()

    def stop(_: Any, given: tuple[Any, ...]) -> None:
        raise _Reached(*given)

    Module: Any = torch.nn.Module

    class Lower(Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(network)
            self.network.get_submodule(first).register_forward_pre_hook(stop)

        def forward(self, x: Any) -> Any:
            try:
                self.network(x)
            except _Reached as reached:
                (between,) = reached.args
                return between
            raise RuntimeError(f"{first} was never called")

    return Lower().eval().requires_grad_(False)


def _upper(network: Any, frozen: Sequence[Group], first: str, example: Any) -> Any:
    """Return a module that goes on from what `first` is given; None where it cannot be made.

    Its frozen modules hand out zeros of the right shape, which cost nothing and which nobody sees:
    `first` gets the module's input in their stead.
    """
    shapes = _shapes(network, frozen, example[:1])
    return None if shapes is None else _zeroed(network, shapes, first, example.shape[1:])


def _zeroed(
    network: Any, shapes: dict[str, tuple[int, ...]], first: str, size: tuple[int, ...]
) -> Any:
    torch = need_torch()

    Module: Any = torch.nn.Module

    class Zeros(Module):  # type: ignore[misc]
        def __init__(self, shape: tuple[int, ...]) -> None:
            super().__init__()
            self.shape = shape

        def forward(self, x: Any, *_: Any) -> Any:
            return x.new_zeros(()).expand(self.shape)

    class Upper(Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(network)
            for name, shape in shapes.items():
                parent, _, own = name.rpartition(".")
                setattr(self.network.get_submodule(parent), own, Zeros(shape))
            self.network.get_submodule(first).register_forward_pre_hook(self._given)
            self.given: Any = None

        def _given(self, _: Any, __: tuple[Any, ...]) -> tuple[Any, ...]:
            return (self.given,)

        def forward(self, between: Any) -> Any:
            self.given = between
            return self.network(between.new_zeros((1, *size)))

    return Upper()


def _shapes(
    network: Any, frozen: Sequence[Group], example: Any
) -> dict[str, tuple[int, ...]] | None:
    """Return what shape each frozen module gives; None where one gives no tensor."""
    torch = need_torch()
    shapes: dict[str, tuple[int, ...]] = {}
    hooks = []
    for name in (name for group in frozen for name in group.modules):

        def note(_: Any, __: Any, given: Any, name: str = name) -> None:
            shapes[name] = tuple(given.shape)

        hooks.append(network.get_submodule(name).register_forward_hook(note))
    try:
        with torch.inference_mode():
            network(example)
    except AttributeError:  # what has no shape is no tensor
        return None
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def _agree(network: Any, lower: Any, upper: Any, example: Any) -> bool:
    """Whether the halves give what the whole gives; False where they cannot run alone."""
    torch = need_torch()
    try:
        with torch.inference_mode():
            whole, found = network(example), upper(lower(example))
    except Exception:  # any: someone else's network, called in a way that it was not made for
        return False
    close = found.shape == whole.shape
    return close and bool((found - whole).abs().max() <= AGREEMENT * whole.abs().max())


def rates(halves: Halves, head: Any, rate: float, decay: float) -> list[dict[str, Any]]:
    """Return the optimiser's parameter groups: the head at `rate`, each layer group at `decay`
    times the rate of the one above it, what belongs to no group at that of the lowest.

    Parameters of one dimension (biases, norms) have no weight decay.
    """
    rows = [(head, rate)]
    for depth, group in enumerate(reversed(halves.trained), start=1):
        rows += [(module, rate * decay**depth) for module in _modules(halves.network, [group])]
    rows.append((halves.network, rate * decay ** len(halves.trained)))
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    for module, own in rows:
        values = [p for p in module.parameters() if p.requires_grad and id(p) not in seen]
        seen.update(id(one) for one in values)
        for flat in (False, True):
            some = [one for one in values if (one.ndim <= 1) == flat]
            if some:
                found.append({"params": some, "lr": own, **({"weight_decay": 0.0} if flat else {})})
    return found
