"""tellapart demo"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import print_run


def command(
    folder: Annotated[Path, typer.Argument(help="Where the pictures and the run go.")] = Path(
        "tellapart-demo"
    ),
    cache: options.CacheFolder = None,
    quiet: options.Quiet = False,
) -> None:
    """Run the main job on 1,797 handwritten digits that come with scikit-learn.

    It writes them as class folders, looks at every picture, splits, fits, judges and reports: the
    same as `tellapart run` on your own folder. Nothing is downloaded.
    """
    from tellapart import pipeline
    from tellapart.demo import write_digits

    progress = options.progress(quiet)
    with progress.stage("write the pictures"):
        pictures = write_digits(folder)
    run = pipeline.run(pictures, folder / "run", cache=cache, progress=progress)
    sample = next((pictures / "7").iterdir())
    print_run(run, more=(f"tellapart predict {folder / 'run'} {sample}",))
