"""tellapart summary"""

from __future__ import annotations

from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import columns, say, say_json


def command(
    name: Annotated[
        str,
        typer.Argument(metavar="BACKBONE|MODEL", help="A backbone's name, a model or run folder."),
    ],
    cache: options.CacheFolder = None,
    json: options.Json = False,
) -> None:
    """Show what a backbone or a saved model is made of: layers, shapes, parameters.

    Layers need torch and torchinfo (the extra [torch]); what is known without them is always shown.
    """
    from tellapart.summarising import summarise

    found = summarise(name, cache=cache)
    if json:
        say_json(found.to_json())
        return
    say(*columns(found.rows))
    if found.layers:
        say("", found.layers)
    for line in found.notes:
        say(line)
