"""tellapart evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tellapart.cli import options
from tellapart.cli.output import columns, say, say_json, say_wrapped
from tellapart.errors import OptionError, counted
from tellapart.settings import ReadSettings

if TYPE_CHECKING:
    from tellapart.checkpoints import Checkpoint
    from tellapart.evaluation import Estimate

MOST_CLASSES = 6  # columns of the table of checkpoints


def command(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL|RUN", help="A run folder or a model folder."),
    ],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="Labelled pictures; with --pick and --checkpoint none.",
            show_default=False,
        ),
    ] = None,
    pick: Annotated[
        str | None,
        typer.Option(
            metavar="precision=0.95:CLASS",
            help="Choose from which probability on CLASS is answered, so as to reach a precision or"
            " recall; of a run folder's judged pictures one half chooses, the other measures. Kept"
            " in the model.",
        ),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="all|NAME",
            help="all: how each kept checkpoint of a fine-tuned run does on training pictures that"
            " were held out, class by class. A name: that one (of several trainings their mean)"
            " becomes a model at --out.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new folder for metrics.json, predictions.parquet and predictions.txt; with"
            " --checkpoint for the model.",
            show_default=False,
        ),
    ] = None,
    tta: options.TestViews = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    label_regex: options.LabelRegex = None,
    label_map: options.LabelMap = None,
    max_missing: options.MaxMissing = 0.1,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Judge a saved classifier on new labelled pictures.

    Pictures that the classifier was fitted on are recognised by their content, left out, and
    counted.
    """
    _check_together(
        pick=pick, checkpoint=checkpoint, data=data, out=out,
        others={"--tta": tta, "--path-column": path_column, "--label-column": label_column,
                "--group-column": group_column, "--label-regex": label_regex,
                "--label-map": label_map,
                "--max-missing": None if max_missing == ReadSettings.max_missing else max_missing},
    )  # fmt: skip
    if pick is not None:
        _pick(model, pick, json=json)
        return
    if checkpoint is not None:
        _checkpoint(model, checkpoint, out, json=json)
        return
    if data is None:
        raise OptionError("name the labelled pictures to judge on: tellapart evaluate MODEL DATA")
    from tellapart.judging import evaluate

    settings = options.read_settings(
        path_column, label_column, group_column, None, label_regex, label_map, None, max_missing
    )
    judged = evaluate(
        model, data, out=out, tta=tta, settings=settings, progress=options.progress(quiet)
    )
    if json:
        say_json(judged.to_json())
    else:
        say("", *judged.words)
        if judged.out:
            say(f"written to {judged.out}")


def _check_together(
    *, pick: str | None, checkpoint: str | None, data: str | None, out: Path | None,
    others: dict[str, object],
) -> None:  # fmt: skip
    """Refuse what has no effect beside --pick or --checkpoint, which take a run's stored answers;
    `others` are options of reading and answering by name, None where not given.
    """
    if pick is not None and checkpoint is not None:
        raise OptionError("--pick and --checkpoint are two things: give one of them")
    if pick is None and checkpoint is None:
        return
    stored = "--pick" if pick is not None else "--checkpoint"
    if data is not None:
        raise OptionError(f"{stored} uses the run's stored answers: leave out DATA")
    for name, value in others.items():
        if value is not None:
            raise OptionError(f"{name} has no effect with {stored}, which uses stored answers")
    if pick is not None and out is not None:
        raise OptionError("--out has no effect with --pick, which changes the run's model alone")


def _pick(model: Path, target: str, *, json: bool) -> None:
    from tellapart.evaluation.operating import point_words
    from tellapart.picking import pick

    point = pick(model, target)
    if json:
        say_json(point.to_json())
    else:
        say("", *point_words(point), f"kept in {model}: predictions follow it from now on")


def _checkpoint(run: Path, name: str, out: Path | None, *, json: bool) -> None:
    from tellapart.checkpoints import score_checkpoints, write_checkpoint

    if name == "all":
        if out is not None:
            raise OptionError("--out has no effect with --checkpoint all: name one of them")
        found = score_checkpoints(run)
        if json:
            say_json({"checkpoints": [one.to_json() for one in found]})
        else:
            _show(run, found)
        return
    if out is None:
        raise OptionError(f"--checkpoint {name} makes a model: say where with --out FOLDER")
    write_checkpoint(run, name, out)
    if json:
        say_json({"checkpoint": name, "out": str(out)})
        return
    rows = [("model", str(out)), ("next", f"tellapart evaluate {out} DATA")]
    say("", f"{name} is a model now; it has not been judged yet.", *columns(rows))


def _show(run: Path, found: tuple[Checkpoint, ...]) -> None:
    """Print a line a checkpoint: balanced accuracy, log loss, precision / recall of classes."""
    from tellapart.evaluation.words import range_in_brackets

    kept = found[0].evaluation
    hardest = sorted(kept.per_class, key=lambda one: _value(one.recall))[:MOST_CLASSES]
    names = [one.name for one in kept.per_class if one in hardest]
    rows = [("checkpoint", "balanced accuracy", "log loss", *names)]
    for one in found:
        shown = [each for each in one.evaluation.per_class if each.name in names]
        headline, loss = one.evaluation.headline, one.evaluation.metrics["log_loss"]
        rows.append((
            one.name,
            f"{_value(headline):.3f}{range_in_brackets(headline)}",
            f"{_value(loss):.3f}",
            *(f"{_share(each.precision)} / {_share(each.recall)}" for each in shown),
        ))  # fmt: skip
    of = "" if len(names) == len(kept.per_class) else f" of the {len(names)} hardest (all: --json)"
    say("", *columns(rows), "")
    say_wrapped(
        f"Under each class precision / recall{of}, on {counted(kept.pictures, 'training picture')}"
        " that the trainings had not seen; the pictures that judge took no part. 'kept' is the"
        " model of the run.",
        indent=0,
    )
    names = [one.name for one in found if one.can_be_had]
    if names:
        say(f"next  tellapart evaluate {run} --checkpoint {names[-1]} --out FOLDER")


def _value(share: Estimate) -> float:
    return share.value or 0.0


def _share(share: Estimate) -> str:
    return "-" if share.value is None else f"{share.value:.2f}"
