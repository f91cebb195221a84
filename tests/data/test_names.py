from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tellapart.data.names import (
    PICTURE_SUFFIXES,
    SPLIT_WORDS,
    clean_label,
    counted_type,
    key_of,
    natural,
    side_of,
    type_of,
)


def test_every_picture_suffix_is_one_that_pillow_knows() -> None:
    assert set(Image.registered_extensions()) >= PICTURE_SUFFIXES


@given(st.text(st.characters(exclude_categories=())))
def test_keys_are_always_text_that_can_be_written(name: str) -> None:
    key = key_of(name)
    key.encode("utf-8")
    assert key_of(key) == key


def test_what_is_escaped() -> None:
    assert key_of(b"caf\xe9 \xc3\xa9".decode("utf-8", "surrogateescape")) == "caf%E9 é"
    assert key_of("\ud800x") == "%ED%A0%80x"
    assert key_of("50%.jpg") == "50%.jpg"


@given(st.lists(st.text(), max_size=20))
def test_natural_order_does_not_depend_on_the_order_given(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural) == sorted(backwards, key=natural)


def test_natural_order() -> None:
    assert sorted(["a10", "B1", "a2", "a02", "b1", "1"], key=natural) == [
        "1",
        "a02",
        "a2",
        "a10",
        "B1",
        "b1",
    ]


@given(st.text())
def test_cleaning_twice_is_cleaning_once(label: str) -> None:
    assert clean_label(clean_label(label)) == clean_label(label)


def test_split_words() -> None:
    assert {side_of(word.upper()) for word in SPLIT_WORDS} == {"train", "val", "test"}
    assert side_of("cat") is None


def test_types() -> None:
    assert type_of("x.MOV")[0] == "videos" and type_of(".x.jpg")[0] == "hidden files"
    assert type_of("x.tar.gz")[0] == "archives" and type_of("x.Odd")[0] == ".odd files"
    assert counted_type(1, "videos") == "1 video"
    assert counted_type(1, ".odd files") == "1 .odd file"
    assert counted_type(1200, "files without suffix") == "1,200 files without suffix"
