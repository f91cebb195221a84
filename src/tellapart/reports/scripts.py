"""The JavaScript and styles of our pages, and the content security policy that admits only them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from tellapart.errors import OutputError
from tellapart.optional import installed_version
from tellapart.places import write_bytes

TEMPLATES = Path(__file__).parent / "templates"


def vega_bundle(cache_folder: Path | None) -> str:
    """Return Vega, Vega-Lite and vega-embed as one script, from the cache where it is whole.

    vl_convert carries these libraries and bundles them without a network, which takes a second.
    The first line holds the digest of the rest, so a damaged file is made anew.
    """
    version = installed_version("vl-convert-python")
    kept = cache_folder and cache_folder / f"vega-{version}.js"
    if kept and (script := _read_whole(kept)):
        return script
    import vl_convert

    script = _fit_for_page(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
    if kept:
        with suppress(OutputError, OSError):  # without a writable cache: a second more next time
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(kept, f"{_digest(script)}\n{script}".encode())
    return script


def _read_whole(kept: Path) -> str | None:
    try:
        digest, _, script = kept.read_bytes().decode("utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return script if digest == _digest(script) else None


def _fit_for_page(script: str) -> str:
    """Escape what would end a script element or change under the page's newline rules."""
    script = script.replace("\r\n", "\n").replace("\r", "\n")
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


@cache
def own_text(name: str) -> str:
    """Return a script or style sheet of ours, with newlines as the browser will hash them."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Return a policy under which nothing is loaded and only these scripts and styles run.

    No 'unsafe-inline' and no 'unsafe-eval': Vega's expressions go through its interpreter.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_source, scripts))}",
            f"style-src {' '.join(map(_source, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
