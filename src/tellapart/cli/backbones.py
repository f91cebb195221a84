"""tellapart backbones"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import columns, say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tellapart.backbones import BackboneInfo


def command(
    pattern: Annotated[
        str | None,
        typer.Argument(
            help="Part of a name, or a pattern with * and ?; searches timm and torchvision too.",
            show_default=False,
        ),
    ] = None,
    cache: options.CacheFolder = None,
    json: options.Json = False,
) -> None:
    """List the backbones that can be had: here, offline; and what one download would bring."""
    from tellapart.backbones import list_backbones

    found = list_backbones(pattern, cache)
    if json:
        say_json(found.to_json())
        return
    if found.here:
        say("here, offline", *columns(_rows(found.here)), "")
    if found.recommended:
        say("recommended, one download each (timm)", *columns(_rows(found.recommended)), "")
    if found.downloads:
        say(*columns([(one.name, "needs one download") for one in found.downloads]))
    if found.more:
        say(f"and {found.more:,} more: give a narrower pattern")
    if not (found.here or found.recommended or found.downloads):
        say(f"no backbone's name holds or matches '{pattern}'")
    for line in found.notes:
        say(line)


def _rows(infos: Iterable[BackboneInfo]) -> list[tuple[str, ...]]:
    header = ("name", "pixels", "features", "parameters", "licence", "")
    return [
        header,
        *(
            (
                one.name,
                _number(one.input_size),
                _number(one.features),
                _number(one.parameters),
                one.licence or "-",
                one.about if one.installed or not one.install else f"{one.about}; {one.install}",
            )
            for one in infos
        ),
    ]


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
