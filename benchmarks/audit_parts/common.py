"""What the parts share: looking at pictures without a cache, the rivals' process, tables."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png")


class Options(NamedTuple):
    """What every part is given."""

    sets: Path
    seeds: tuple[int, ...]
    peer: str


def pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)


def looked_at(files: Sequence[Path]):
    """Return what tellapart sees of files, Lite0, nothing cached: ids, features, masters."""
    from tellapart.backbones import get_backbone
    from tellapart.data import FileSource, PictureSet
    from tellapart.features import look, open_cache
    from tellapart.progress import Progress
    from tellapart.settings import Decoding

    names, nothing = tuple(str(file) for file in files), (None,) * len(files)
    as_set = PictureSet(
        root="", paths=names, sources=tuple(FileSource(name) for name in names),
        labels=("a",) * len(files), groups=nothing, splits=nothing, classes=("a",), columns={},
    )  # fmt: skip
    with open_cache(None) as cache:
        seen = look(
            as_set, get_backbone("lite0"), "openvino", decoding=Decoding(), cache=cache,
            progress=Progress(),
        )  # fmt: skip
        ids = [seen.ids[row] for row in seen.usable]
        kept = seen.masters(ids)
    masters = np.stack([np.frombuffer(kept[one], np.uint8).reshape(128, 128) for one in ids])
    return [files[row] for row in seen.usable], ids, seen.features, masters


def audited(location: Path, cache: Path | None = None, **reading: Any):
    """Return tellapart's audit of a place; `reading` are fields of ReadSettings."""
    from tellapart.auditing import AuditSettings, audit
    from tellapart.settings import ReadSettings

    return audit(location, settings=AuditSettings(read=ReadSettings(**reading)), cache=cache)


class NoPeer(Exception):
    """The rival did not run; the message says why."""


def ask_peer(python: str, script: str, given: Any) -> Any:
    """Run a script in the rivals' venv: JSON on stdin, JSON on the last line of stdout."""
    try:
        done = subprocess.run(
            [python, "-c", script], input=json.dumps(given), capture_output=True, text=True,
            check=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise NoPeer(f"there is no {python} (make peers)") from error
    except subprocess.CalledProcessError as error:
        raise NoPeer(error.stderr.strip().splitlines()[-1]) from error
    return json.loads(done.stdout.splitlines()[-1])


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table; floats with three decimals."""
    print("| " + " | ".join(head) + " |")
    print("| " + " | ".join("---" for _ in head) + " |")
    for row in rows:
        cells = [f"{one:.3f}" if isinstance(one, float) else str(one) for one in row]
        print("| " + " | ".join(cells) + " |")
    print(flush=True)
