"""Names of licences, as libraries and model cards write them."""

from __future__ import annotations

from pathlib import Path

UNKNOWN = "unknown"
CARD = "README.md"
FENCE = "---"  # stands before and after the metadata of a model card
MOST_CARD_BYTES = 100_000
SPDX = {
    "apache-2.0": "Apache-2.0",
    "bsd-3-clause": "BSD-3-Clause",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "mit": "MIT",
}


def spdx(name: str | None) -> str:
    """Return a licence's SPDX name, another's own name as it is, "unknown" for none."""
    return SPDX.get(name.casefold(), name) if name else UNKNOWN


def licence_of_card(card: Path) -> str:
    """Return the licence in the metadata of a Hugging Face model card, "unknown" without one.

    The metadata is YAML between two lines of `---` at the file's beginning. Where `license` says
    "other", `license_name` holds the name.
    """
    try:
        with card.open(encoding="utf-8", errors="replace") as file:
            lines = file.read(MOST_CARD_BYTES).splitlines()
    except OSError:
        return UNKNOWN
    if not lines or lines[0].strip() != FENCE or FENCE not in lines[1:]:
        return UNKNOWN
    found = {}
    for line in lines[1 : lines.index(FENCE, 1)]:
        key, _, value = line.partition(":")
        found[key] = value.partition(" #")[0].strip().strip("\"'")
    named = found.get("license_name") if found.get("license") == "other" else None
    return spdx(named or found.get("license"))
