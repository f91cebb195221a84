"""tellapart doctor"""

from __future__ import annotations

from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import columns, say, say_json


def command(
    clear: Annotated[
        bool, typer.Option("--clear", help="Empty the cache, after the look.")
    ] = False,
    cache: options.CacheFolder = None,
    json: options.Json = False,
) -> None:
    """Say what is installed, what would run, and where the cache is."""
    from tellapart.doctor import diagnose

    found = diagnose(cache)
    freed = None
    if clear:  # after the look, which keeps its network there
        from tellapart.features import clear_cache

        freed = clear_cache(cache)
    if json:
        say_json(found.to_json())
        return
    say(*columns(found.rows))
    for line in found.mend:
        say(f"! {line}")
    if freed is not None:
        say(f"cache emptied: {freed / 1e6:,.1f} MB freed")
