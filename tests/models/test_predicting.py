from pathlib import Path

import pytest

from tellapart.errors import OptionError
from tellapart.models.predicting import choose_format, predict


@pytest.mark.parametrize(
    ("named", "out", "form"),
    [
        (None, None, "csv"),
        (None, "x.CSV", "csv"),
        (None, "x.jsonl", "jsonl"),
        (None, "x.parquet", "parquet"),
        (None, "x", "csv"),
        ("txt", "x.csv", "txt"),
    ],
)
def test_the_form_is_as_named_or_as_the_file_is(
    named: str | None, out: str | None, form: str
) -> None:
    assert choose_format(named, Path(out) if out else None) == form


def test_nothing_named(finished: Path) -> None:
    with pytest.raises(OptionError, match="no pictures were named"):
        predict(finished, [])
