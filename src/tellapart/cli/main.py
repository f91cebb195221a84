"""The command line: a table of verbs, each loaded only when it is called.

Exit codes: 0 done, 1 a bug, 2 the input or the command line, 3 --fail-on was reached,
130 interrupted.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

VERBS = {  # verb -> one line for --help; the verb's code is cli/<verb>.py, its function `command`
    "run": "From a folder of pictures to a tested classifier and a report.",
    "finetune": "The main job, with the network itself trained on where it pays.",
    "lr-find": "Look for a learning rate: a curve with suggestions.",
    "audit": "Say what is wrong with the data, before anything is trained.",
    "predict": "Predict the classes of pictures with a saved classifier.",
    "evaluate": "Judge a saved classifier on new labelled pictures.",
    "probe": "Compare backbones on a set, the best first.",
    "backbones": "List the networks that can be had, here or by a download.",
    "summary": "Show what a backbone or a saved model is made of.",
    "demo": "Try it: the main job on handwritten digits, offline.",
    "doctor": "Say what is installed, what would run, and where the cache is.",
}

KEEPING = ("run", "finetune", "probe", "audit", "demo")  # verbs whose results stay in the cache

HELP = """From a folder of pictures to a tested classifier, an honest number and a report.

Every verb has its own --help. --debug shows the traceback of an error, --version the version."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # Pillow warns of odd EXIF tags in a line of its own source; what matters becomes a problem.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\b")
    # GNU's OpenMP lets threads that wait spin for milliseconds: beside other work a training took
    # ten times as long. Some microseconds are as good on a quiet machine.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Or Python looks for cycles among all that torch has loaded, for a second, when it ends.
    atexit.register(gc.freeze)
    sys.exit(run_verb(given, _interrupts()))


def run_verb(given: list[str], interrupts: Interrupts | None = None) -> int:
    """Run one command line and return its exit code; every error a user can cause is one line.

    An error after Ctrl-C struck is the interrupt, whatever a library made of it.
    """
    if given[:1] == ["--version"]:
        from tellapart.version import __version__

        print(f"tellapart {__version__}")  # noqa: T201
        return 0
    debug = "--debug" in given
    given = [one for one in given if one != "--debug"]
    try:
        return _dispatch(given)
    except BrokenPipeError:  # the reader of our output (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        struck = interrupts is not None and interrupts.struck
        code, line = _ending(KeyboardInterrupt() if struck else error, given)
        print(f"tellapart: {line}", file=sys.stderr)  # noqa: T201
        return code


def _ending(error: BaseException, given: list[str]) -> tuple[int, str]:
    """Return the exit code and the one line that a command line ends with."""
    from tellapart.errors import TellapartError

    if isinstance(error, KeyboardInterrupt):
        goes_on = "; what was computed is kept, the same command goes on from there"
        return 130, f"interrupted{goes_on if _verb(given) in KEEPING else ''}"
    if isinstance(error, TellapartError):
        return 2, str(error)
    return 1, (
        f"this is a bug: {type(error).__name__}: {error}; please report it with what the same"
        " command prints with --debug"
    )


class Interrupts:
    """What Ctrl-C calls: it raises KeyboardInterrupt, and remembers that it did.

    Compiled modules that are just being imported make an ImportError of it, which a library may
    even pass over; `progress` looks here before it begins a stage.
    """

    struck = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        self.struck = True
        signal.default_int_handler(number, frame)


def _interrupts() -> Interrupts:
    """Return what Ctrl-C calls from now on, unless it is ignored (as by nohup)."""
    found = Interrupts()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, found)
    return found


def _dispatch(given: list[str]) -> int:
    import typer

    app = typer.Typer(
        help=HELP,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    verb = _verb(given)
    for name, line in VERBS.items():
        if name == verb:
            command = importlib.import_module(f"tellapart.cli.{name.replace('-', '_')}").command
            app.command(name, help=command.__doc__)(_parsed(command))
        else:
            app.command(name, help=line)(_options)
    try:
        # standalone_mode=False: usage errors reach us, to be worded in one line.
        parsed = typer.main.get_command(app).main(
            args=given, prog_name="tellapart", standalone_mode=False
        )
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _usage(error)
    result = parsed() if callable(parsed) else parsed
    return result if isinstance(result, int) else 0


def _parsed(command: Callable[..., Any]) -> Callable[..., Callable[[], Any]]:
    """Return the verb as typer shall call it: it hands back the call, which runs outside of typer.

    Inside, typer answers an interrupt or a broken pipe itself, without a word of ours.
    """

    @functools.wraps(command)
    def parsed(**options: Any) -> Callable[[], Any]:
        return functools.partial(command, **options)

    return parsed


def _verb(given: list[str]) -> str | None:
    return next((one for one in given if not one.startswith("-")), None)


def _usage(error: Any) -> int:
    """Word an error of the command line itself; typer bundles or imports click, so no type."""
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(context.get_help())  # noqa: T201
        return 2
    where = context.command_path if context is not None else "tellapart"
    message = " ".join(str(error.format_message()).split())
    print(f"tellapart: {message} (see '{where} --help')", file=sys.stderr)  # noqa: T201
    return 2


def _options() -> None:
    """Stand in for the main command, and for the verbs that were not called."""


if __name__ == "__main__":
    main()
