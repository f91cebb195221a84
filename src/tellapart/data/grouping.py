"""Groups from paths: a patient, a burst or a video that stands in a picture's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tellapart.data.pictures import Note
from tellapart.errors import OptionError, counted

if TYPE_CHECKING:
    from tellapart.data.gathering import Row


def grouped(
    rows: tuple[Row, ...], regex: str | None, group_column: str | None
) -> tuple[tuple[Row, ...], tuple[Note, ...]]:
    """Give each row the group that the regex finds in its path; a row without a match has none.

    Raises OptionError where the regex is none, has no group, matches no path, or finds the same
    in all of them.
    """
    if regex is None:
        return rows, ()
    if group_column is not None:
        raise OptionError("--group-regex and --group-column both say the group: give one of them")
    pattern = compiled(regex, "--group-regex", "group")
    found = [pattern.search(row.path) for row in rows]
    groups = [match.group(1) if match else None for match in found]
    kinds = {group for group in groups if group is not None}
    if not kinds:
        raise OptionError(f"--group-regex {regex!r} matches no path, such as {rows[0].path!r}")
    if len(kinds) == 1 and None not in groups:
        raise OptionError(
            f"--group-regex {regex!r} puts all {len(rows):,} pictures into one group,"
            f" {kinds.pop()!r}: nothing could be split"
        )
    result = tuple(row._replace(group=group) for row, group in zip(rows, groups, strict=True))
    without = [row.path for row in result if row.group is None]
    if not without:
        return result, ()
    message = f"--group-regex does not match {counted(len(without), 'picture')}: they have no group"
    return result, (Note.about("ungrouped", message, without),)


def compiled(pattern: str, option: str, what: str) -> re.Pattern[str]:
    """Return the pattern; raises OptionError where it is invalid or has no group for `what`."""
    try:
        search = re.compile(pattern)
    except re.error as problem:
        raise OptionError(f"{option} {pattern!r} is no valid pattern: {problem}") from problem
    if search.groups < 1:
        raise OptionError(
            f"{option} {pattern!r} has no group: put the {what} in brackets, e.g."
            r" '([^/]+)_\d+\.jpg$'"
        )
    return search
