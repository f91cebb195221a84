from __future__ import annotations

import base64
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.html import data_uri, json_for_script, table


@given(st.recursive(st.text() | st.integers() | st.none(), lambda one: st.lists(one, max_size=3)))
def test_json_for_script_means_the_same_and_holds_nothing_that_ends_a_script(value: object) -> None:
    text = json_for_script(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


def test_json_for_script_escapes_inside_names_too() -> None:
    assert json_for_script({"</script>": 1}) == '{"\\u003c/script\\u003e":1}'


def test_json_for_script_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_for_script([float("nan")])


def test_data_uri_holds_the_bytes() -> None:
    head, _, body = data_uri(b"\xff\xd8picture").partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(body) == b"\xff\xd8picture"


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_table_escapes_every_cell_and_column() -> None:
    hostile = "</td><img src=x onerror=alert(1)>"
    parser = _Cells()
    parser.feed(table([hostile], [[hostile], [1234], [0.5], [True]]))
    assert "img" not in parser.tags
    assert parser.texts == [hostile, hostile, "1,234", "0.5", "True"]


def test_table_marks_numbers() -> None:
    assert '<td class="number">12</td>' in table(["a"], [[12]])
    assert "<td>12 of 13</td>" in table(["a"], [["12 of 13"]])
