"""tellapart audit"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import say, say_json, say_wrapped
from tellapart.errors import OptionError
from tellapart.settings import MAX_PIXELS

if TYPE_CHECKING:
    from tellapart.audits import Audit

FINDINGS, PLAN = "Findings", "Plan"


def command(
    data: options.Data,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for audit.json and audit.html.", show_default=False),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="error|warning|note|KIND",
            help="Exit with 3 where something as grave, or of this kind, is found.",
            rich_help_panel=FINDINGS,
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="KIND,...", help="Look for these only.", rich_help_panel=FINDINGS),
    ] = None,
    skip: Annotated[
        str | None,
        typer.Option(metavar="KIND,...", help="Do not look for these.", rich_help_panel=FINDINGS),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="Write a CSV with a proposed decision a picture: edit it, then --apply it.",
            show_default=False,
            rich_help_panel=PLAN,
        ),
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option(
            help="Apply an edited plan; needs --to.", show_default=False, rich_help_panel=PLAN
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="CLEAN.parquet",
            help="The table that --apply writes, which every verb reads; originals stay.",
            show_default=False,
            rich_help_panel=PLAN,
        ),
    ] = None,
    new_classes: Annotated[
        bool,
        typer.Option("--new-classes", help="Let a plan name new classes.", rich_help_panel=PLAN),
    ] = False,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    group_regex: options.GroupRegex = None,
    split_column: options.SplitColumn = None,
    label_regex: options.LabelRegex = None,
    label_map: options.LabelMap = None,
    classes: options.Classes = None,
    max_missing: options.MaxMissing = 0.1,
    bands: options.Bands = None,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    no_mirror: options.NoMirror = False,
    seed: Annotated[
        int | None, typer.Option(help="Of the folds that checks use.", show_default="0")
    ] = None,
    engine: options.Engine = "auto",
    rehash: options.Rehash = False,
    cache: options.CacheFolder = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Say what is wrong with the data, before anything is trained.

    Every finding has a kind, a severity, the pictures concerned, why it matters and what to do,
    the costliest first. Nothing is changed: --plan proposes decisions, and --apply writes a table
    of what they leave.
    """
    from tellapart import auditing
    from tellapart.audits import check_fail_on, fails
    from tellapart.command_lines import quoted

    _check_together(
        apply=apply, to=to, new_classes=new_classes,
        others={"--out": out, "--fail-on": fail_on, "--only": only, "--skip": skip, "--plan": plan,
                "--json": json or None, "--no-mirror": no_mirror or None, "--seed": seed,
                "--engine": None if engine == "auto" else engine, "--bands": bands,
                "--max-pixels": None if max_pixels == MAX_PIXELS else max_pixels},
    )  # fmt: skip
    settings = auditing.AuditSettings(
        read=options.read_settings(
            path_column, label_column, group_column, split_column, label_regex, label_map, classes,
            max_missing, group_regex,
        ),
        decoding=options.decoding(bands, max_pixels),
        only=options.names(only),
        skip=options.names(skip),
        mirror=not no_mirror,
        engine=engine,
        rehash=rehash,
        seed=seed or 0,
    )  # fmt: skip
    check_fail_on(fail_on, settings.only, settings.skip)
    progress = options.progress(quiet)
    if apply is not None and to is not None:
        left = auditing.clean(
            data, apply, to, new_classes=new_classes, settings=settings, cache=cache,
            progress=progress,
        )  # fmt: skip
        say(f"{left.pictures:,} pictures stand in {to}", *left.notes)
        say(f"next  tellapart run {quoted(to)}{' --group-column group' if left.grouped else ''}")
        return 0
    found = auditing.audit(
        data, out=out, plan=plan, settings=settings, cache=cache, progress=progress
    )
    if json:
        say_json(found.to_json())
    else:
        _print(found, out, plan, auditing.next_commands(data, found, settings, plan))
    return 3 if fail_on is not None and fails(found, fail_on) else 0


def _check_together(
    *, apply: Path | None, to: Path | None, new_classes: bool, others: dict[str, object]
) -> None:
    """Refuse options that would have no effect together."""
    if (apply is None) != (to is None):
        raise OptionError("--apply PLAN.csv and --to CLEAN.parquet go together: give both")
    if apply is None and new_classes:
        raise OptionError("--new-classes has an effect with --apply only")
    if apply is not None:
        for name, value in others.items():
            if value is not None:
                raise OptionError(f"{name} has no effect with --apply, which only writes a table")


def _print(found: Audit, out: Path | None, plan: Path | None, commands: Sequence[str]) -> None:
    from tellapart.audits.table import summary, table_rows

    say("", summary(found))
    for row in table_rows(found):
        times = f"{row.findings:,} findings" if row.findings > 1 else "1 finding"
        pictures = f", {row.pictures:,} pictures" if row.pictures > 1 else ""
        say("", f"{row.severity}  {row.kind}  ({times}{pictures})")
        say_wrapped(row.message, indent=2)
        if row.example and row.example not in row.message:
            say_wrapped(f"such as {row.example}", indent=2)
        say_wrapped(f"-> {row.advice}", indent=2)
    say("")
    if out is not None:
        say(f"page  {out / 'audit.html'}")
    if plan is not None:
        say(f"plan  {plan}: edit it, then apply it")
    say(*(f"next  {one}" for one in commands))
