"""Why a picture cannot be used."""

from __future__ import annotations

KINDS: dict[str, str] = {
    "empty_file": "the file holds no bytes",
    "not_an_image": "the bytes are no picture, or of a kind that is not read",
    "truncated": "the end of the file is missing",
    "unreadable": "the file is damaged, or its variant of the format is not read",
    "too_large": "more pixels or bytes than allowed",
    "missing_library": "an optional library would be needed",
    "bands": "a band that was asked for is not in the file",
}


class ImageProblem(Exception):
    """One picture cannot be used: `reason` in words for a person, `kind` a key of KINDS."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
