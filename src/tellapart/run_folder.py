"""The run folder: built beside its place as OUT.partial, swapped in whole, never half there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tellapart.data.names import STRAY_FILES
from tellapart.errors import OutputError
from tellapart.places import only_one, read_json, writing

RUN_JSON = "run.json"
CHECKPOINTS = "checkpoints"
NAMES = frozenset(  # what a run folder may hold; anything else means that it is not ours alone
    (
        RUN_JSON,
        "metrics.json",
        "predictions.parquet",
        "predictions.txt",
        "split.parquet",
        "audit.json",
        "report.html",
        "model",
        CHECKPOINTS,
        "log.txt",
    )
)


def default_place(location: str | Path) -> Path:
    """Return runs/<data>-<n>, with the smallest n that is free."""
    data = Path(os.path.abspath(Path(location).expanduser()))  # noqa: PTH100  ("..": by its name)
    name = f"{data.parent.name}-{data.stem}" if data.is_file() else data.name or "pictures"
    n = 1
    while (place := Path("runs") / f"{name}-{n}").exists():
        n += 1
    return place


@contextmanager
def building(out: Path, *, resume: bool = False, force: bool = False) -> Iterator[Path]:
    """Yield OUT.partial to build a run in; it becomes OUT at the end, or goes away on an error.

    Checkpoints of a fine-tuning in it stay, though, until `resume` goes on with them or `force`
    begins anew. A lock refuses a second process on the same OUT. An old run at OUT stands until the
    new one is whole; one with checkpoints is replaced with `force` only. Raises OutputError where
    OUT holds something that is no run of ours.
    """
    out = _place_of(out)
    partial, old = (out.with_name(f"{out.name}.{word}") for word in ("partial", "old"))
    check_place(out)
    _keep_tuned(out, force=force)
    busy = f"another tellapart is writing {out}: wait for it, or choose another --out"
    with only_one(out.with_name(f"{out.name}.lock"), busy):
        _mend(out, partial, old, resume=resume, force=force)
        with writing(partial):
            partial.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            with writing(out):
                _swap(partial, out, old)
        except BaseException:
            _leave_checkpoints(partial)
            raise


def _keep_tuned(out: Path, *, force: bool) -> None:
    if (out / CHECKPOINTS).is_dir() and not force:
        raise OutputError(
            f"{out} holds a fine-tuned run: choose another --out, or replace it with --force"
        )


def _leave_checkpoints(partial: Path) -> None:
    """Delete what was built but for checkpoints, which cost hours."""
    if not (partial / CHECKPOINTS).is_dir():
        shutil.rmtree(partial, ignore_errors=True)
        return
    for one in partial.iterdir():
        if one.name != CHECKPOINTS:
            shutil.rmtree(one, ignore_errors=True) if one.is_dir() else one.unlink()


def _place_of(out: Path) -> Path:
    """Return the folder that `out` leads to; refuses one that no other can be put in place of."""
    real = out.resolve()
    if not real.name or Path.cwd().is_relative_to(real):
        raise OutputError(f"a run cannot replace {real}, in which you stand: choose another --out")
    return real if out.is_symlink() else out


def check_place(out: Path) -> None:
    """Raise OutputError unless OUT is free, empty, or a run of ours."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise OutputError(f"{out} is a file: choose a folder with --out")
    held = {one.name for one in out.iterdir()}
    if not held:
        return
    if RUN_JSON not in held:
        raise OutputError(
            f"{out} holds something that is no run of tellapart: choose another --out"
        )
    read_json(out / RUN_JSON)
    _only_ours(out)


def _only_ours(folder: Path) -> None:
    foreign = sorted(one.name for one in folder.iterdir() if not _is_ours(one.name))
    if foreign:
        raise OutputError(
            f"{folder} also holds {foreign[0]!r}, which is not part of a run: move it away, or"
            " choose another --out"
        )


def _is_ours(name: str) -> bool:
    """Whether a run folder may hold the name: of a run, half written, or a file manager's own."""
    half_written = name.startswith(".") and name.endswith(".partial")
    return name in NAMES or name in STRAY_FILES or half_written


def _mend(out: Path, partial: Path, old: Path, *, resume: bool, force: bool) -> None:
    """Clear what a killed run left: put an old run back, take a partial one away.

    Raises OutputError where checkpoints stand and nobody has said what becomes of them.
    """
    with writing(out):
        if old.is_dir():
            check_place(old)
            if out.exists():
                _remove(old)
            else:
                old.rename(out)
        if partial.is_dir():
            _only_ours(partial)
            if not (partial / CHECKPOINTS).is_dir() or force:
                shutil.rmtree(partial)
            elif resume:
                _leave_checkpoints(partial)
            else:
                raise OutputError(
                    f"{partial} holds the checkpoints of a fine-tuning that was not finished: go on"
                    " with --resume, or begin anew with --force"
                )


def _swap(partial: Path, out: Path, old: Path) -> None:
    if out.exists():
        out.rename(old)
    try:
        partial.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    with suppress(OSError):  # what stays (Windows: an open file), the next run takes
        _remove(old)


def _remove(old: Path) -> None:
    """Delete an old run, its run.json last: what a kill leaves of it can still be told as ours."""
    for one in old.iterdir() if old.is_dir() else ():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        elif one.name != RUN_JSON:
            one.unlink()
    if old.is_dir():
        (old / RUN_JSON).unlink(missing_ok=True)
        old.rmdir()
