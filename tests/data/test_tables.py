from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tellapart.data import Note, PictureSet, read
from tellapart.errors import DataError, OptionError
from tellapart.settings import ReadSettings

Make = Callable[..., Path]
FILES = ("images/1.jpg", "images/2.jpg", "images/3.jpg", "images/10.jpg")
LABELS = ("cat", "cat", "dog", "dog")


def note(pictures: PictureSet, kind: str) -> Note:
    (found,) = [one for one in pictures.notes if one.kind == kind]
    return found


def write(table: Path, **columns: object) -> Path:
    frame = pl.DataFrame(columns)
    writers = {
        ".csv": frame.write_csv,
        ".tsv": lambda path: frame.write_csv(path, separator="\t"),
        ".jsonl": frame.write_ndjson,
        ".parquet": frame.write_parquet,
    }
    writers[table.suffix](table)
    return table


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_tables_of_all_kinds_read_alike(make_pictures: Make, suffix: str) -> None:
    root = make_pictures(*FILES)
    table = write(
        root / f"labels{suffix}",
        file=FILES,
        label=LABELS,
        place=["a", "a", "b", None],
        split=["train", "dev", "training", "test"],
        year=[2001, 2002, 2003, 2004],
    )
    pictures = read(table, ReadSettings(group_column="place"))
    assert pictures.paths == FILES and pictures.labels == LABELS
    assert pictures.groups == ("a", "a", "b", None)
    assert pictures.splits == ("train", "val", "train", "test")
    assert pictures.columns == {"year": ("2001", "2002", "2003", "2004")}
    assert pictures.root == str(root)
    assert Path(pictures.sources[3].file) == root / "images" / "10.jpg"
    guessed = [one.message for one in pictures.notes if one.kind == "guessed_column"]
    assert guessed == [
        f"labels{suffix}: 'file' taken as the path column",
        f"labels{suffix}: 'label' taken as the label column",
        f"labels{suffix}: 'split' taken as the split column",
    ]


def test_a_group_column_is_used_only_when_asked_for(make_pictures: Make) -> None:
    table = write(make_pictures(*FILES) / "l.csv", path=FILES, label=LABELS, group=[1, 2, 3, 4])
    assert read(table).groups == (None,) * 4
    assert read(table).columns["group"] == ("1", "2", "3", "4")


def test_numbers_as_labels_become_text(make_pictures: Make) -> None:
    root = make_pictures(*FILES)
    assert read(write(root / "a.csv", file=FILES, label=["007", "007", "7", "7"])).classes == (
        "007",
        "7",
    )
    assert read(write(root / "b.jsonl", file=FILES, label=[0, 0, 1, 1])).classes == ("0", "1")
    floats = [0.0, 0.0, 1.0, None]  # as pandas writes whole numbers beside an empty cell
    pictures = read(write(root / "c.parquet", file=FILES, label=floats))
    assert pictures.classes == ("0", "1")
    assert note(pictures, "unlabelled_rows").paths == ("images/10.jpg",)
    assert read(write(root / "d.jsonl", file=FILES, label=[True, True, False, False])).classes == (
        "false",
        "true",
    )


def test_two_candidates_for_a_column_are_said(make_pictures: Make) -> None:
    table = write(make_pictures(*FILES) / "l.csv", file=FILES, Label=LABELS, category=LABELS[::-1])
    pictures = read(table)
    assert pictures.labels == LABELS
    assert any(
        "('category' would do too: say with --label-column)" in n.message for n in pictures.notes
    )


def test_semicolons_and_a_byte_order_mark(make_pictures: Make) -> None:
    table = make_pictures(*FILES) / "labels.csv"
    rows = "\r\n".join(f"{f};{label}" for f, label in zip(FILES, LABELS, strict=True))
    table.write_bytes(b"\xef\xbb\xbf" + f"file;label\r\n{rows}\r\n".encode())
    pictures = read(table)
    assert pictures.labels == LABELS
    assert "parted by ';'" in note(pictures, "guessed").message


def test_the_guard_before_formulas_is_taken_off(make_pictures: Make) -> None:
    table = make_pictures(*FILES) / "labels.csv"
    table.write_text(
        "file,label\n"
        + "\n".join(f"{f},{x}" for f, x in zip(FILES, ("'=1+1", "'=1+1", "'s", "'s"), strict=True))
    )
    assert read(table).classes == ("'s", "=1+1")


def test_paths_with_backslashes_dots_and_absolute_ones(make_pictures: Make) -> None:
    root = make_pictures(*FILES)
    other = make_pictures("x.jpg", root="other")
    paths = [
        "images\\1.jpg",
        "./images/../images/2.jpg",
        str(root / FILES[2]),
        str(other / "x.jpg"),
    ]
    pictures = read(write(root / "l.csv", file=paths, label=LABELS))
    assert set(pictures.paths) == {*FILES[:3], (other / "x.jpg").as_posix()}


def test_a_place_named_over_its_parent(make_pictures: Make) -> None:
    root = make_pictures(*FILES)
    write(root / "l.csv", file=FILES, label=LABELS)
    assert read(root / "images" / ".." / "l.csv").paths == FILES


def test_a_table_in_a_folder_with_brackets(make_pictures: Make) -> None:
    root = make_pictures(*FILES, root="set [1]")
    for suffix in ("csv", "jsonl", "parquet"):
        assert len(read(write(root / f"l.{suffix}", file=FILES, label=LABELS))) == 4


def test_label_regex_on_a_table_without_labels(make_pictures: Make) -> None:
    root = make_pictures("a_1.jpg", "a_2.jpg", "b_1.jpg")
    table = write(root / "files.csv", file=["a_1.jpg", "a_2.jpg", "b_1.jpg"])
    assert read(table, ReadSettings(label_regex="^([a-z])_")).labels == ("a", "a", "b")


def test_rows_without_files_are_counted_and_all_named(make_pictures: Make) -> None:
    root = make_pictures(*FILES)
    gone = [f"gone/{number}.jpg" for number in range(7)]
    table = write(root / "l.csv", file=[*FILES, *gone], label=[*LABELS, *"abcdefg"])
    with pytest.raises(DataError) as caught:
        read(table)
    line = str(caught.value)
    assert "7 of 11 rows of" in line and "name files that are not there: gone/0.jpg, gone/1" in line
    assert line.endswith("--max-missing 0.64") and "and 2 more" in line and "\n" not in line
    pictures = read(table, ReadSettings(max_missing=0.64))
    assert len(pictures) == 4
    assert note(pictures, "missing_files").paths == tuple(gone)


def test_a_tenth_of_the_files_may_be_missing(make_pictures: Make) -> None:
    files = [f"{number}.jpg" for number in range(9)]
    root = make_pictures(*files)
    table = write(root / "l.csv", file=[*files, "gone.jpg"], label=["a", "b"] * 5)
    assert note(read(table), "missing_files").count == 1


def test_the_same_row_twice_counts_once(make_pictures: Make) -> None:
    root = make_pictures(*FILES)
    table = write(root / "l.csv", file=[*FILES, FILES[0]], label=[*LABELS, "cat "])
    pictures = read(table)
    assert pictures.paths == FILES and note(pictures, "same_file").count == 1


GOOD: dict[str, object] = {"file": FILES, "label": LABELS}
TWICE = [FILES[0], FILES[0], *FILES[2:]]
Case = tuple[dict[str, object], dict[str, object], type[Exception], str]
ERRORS: list[Case] = [
    (
        {"file": FILES, "lable": LABELS},
        {},
        DataError,
        r"mean 'lable'.*name one with --label-column; its columns: file, lable",
    ),
    (
        {"where": FILES, "label": LABELS},
        {},
        DataError,
        r"no column of paths that is known .*--path-column; its columns: where, label",
    ),
    (
        {"file": FILES, "breed": LABELS},
        {"label_column": "bred"},
        OptionError,
        r"--label-column 'bred' is no column of .*did you mean 'breed'",
    ),
    (
        {**GOOD, "place": LABELS},
        {"group_column": "plce"},
        OptionError,
        r"--group-column 'plce' is no column of .*did you mean 'place'",
    ),
    (
        {**GOOD, "fold": LABELS},
        {"split_column": "flod"},
        OptionError,
        r"--split-column 'flod' is no column of .*did you mean 'fold'",
    ),
    (
        GOOD,
        {"path_column": "fil"},
        OptionError,
        r"--path-column 'fil' is no column of .*did you mean 'file'",
    ),
    (
        GOOD,
        {"label_regex": "(a)"},
        OptionError,
        r"--label-regex would have no effect: the labels of .*stand in its column 'label'",
    ),
    (
        GOOD,
        {"group_column": "label"},
        OptionError,
        r"the column 'label' of .* cannot be both label and group",
    ),
    (
        {**GOOD, "split": ["train", "trian", "test", "test"]},
        {},
        DataError,
        r"row 2: 'split' holds 'trian', which is no split; did you mean 'train'.*known: train, tr",
    ),
    (
        {**GOOD, "split": ["train", None, None, "test"]},
        {},
        DataError,
        r"row 2: no split in 'split', while other rows have one: 2 rows to fill in",
    ),
    (
        {"file": TWICE, "label": ["cat", "dog", "dog", "dog"]},
        {},
        DataError,
        r"images/1\.jpg has several labels \(cat, dog\).*multi-label",
    ),
    (
        {"file": TWICE, "label": LABELS, "split": ["train", "test", "test", "test"]},
        {},
        DataError,
        r"images/1\.jpg stands in several splits \(train, test\)",
    ),
    (
        {"file": ["https://x.org/1.jpg", *FILES[1:]], "label": LABELS},
        {},
        DataError,
        r"row 1: https://x\.org/1\.jpg is a web address: download",
    ),
    ({"file": [*FILES[:3], None], "label": LABELS}, {}, DataError, "row 4: the path is empty"),
    ({**GOOD, "label": ["cat"] * 4}, {}, DataError, r"one class only, 'cat' \(4 pictures\)"),
    (
        {**GOOD, "label": [None, "", " ", None]},
        {},
        DataError,
        r"none of the 4 pictures of .* has a label",
    ),
]


@pytest.mark.parametrize(("columns", "settings", "error", "line"), ERRORS)
def test_wrong_tables_end_in_one_line(
    make_pictures: Make,
    columns: dict[str, object],
    settings: dict[str, str],
    error: type[Exception],
    line: str,
) -> None:
    table = write(make_pictures(*FILES) / "labels.csv", **columns)
    with pytest.raises(error, match=line) as caught:
        read(table, ReadSettings(**settings))
    assert "\n" not in str(caught.value)


def test_lists_of_labels_are_refused(make_pictures: Make) -> None:
    root = make_pictures(*FILES)
    for suffix in ("jsonl", "parquet"):
        table = write(
            root / f"l.{suffix}", file=FILES, label=[["cat"], ["cat", "dog"], [], ["dog"]]
        )
        with pytest.raises(DataError, match=r"'label' holds lists: .*\(multi-label\)"):
            read(table)


def test_a_nested_value_is_no_label(make_pictures: Make) -> None:
    table = write(make_pictures(*FILES) / "l.jsonl", file=FILES, label=[{"a": 1}] * 4)
    with pytest.raises(DataError, match=r"'label' holds Struct.*, which is no label"):
        read(table)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is empty"),
        (b"file,label\n", "has no rows"),
        (b"file,label\na,b,c,d\n", "cannot be read as a table"),
        ("file,label\nа.jpg,кот\n".encode("cp1251"), "cannot be read as a table: .*utf-?8"),
    ],
)
def test_damaged_tables(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "l.csv").write_bytes(content)
    with pytest.raises(DataError, match=f"(?i){line}") as caught:
        read(tmp_path / "l.csv")
    assert "\n" not in str(caught.value)


def test_a_damaged_parquet(tmp_path: Path) -> None:
    (tmp_path / "l.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(DataError, match="cannot be read as a parquet file"):
        read(tmp_path / "l.parquet")


def test_imagefolder_with_one_metadata_table(make_pictures: Make) -> None:
    root = make_pictures("train/1.jpg", "train/2.jpg", "test/1.jpg", "test/stray.jpg")
    names = ["train/1.jpg", "train/2.jpg", "test/1.jpg"]
    write(root / "metadata.csv", file_name=names, label=["a", "b", "a"], caption=["x", "y", "z"])
    pictures = read(root)
    assert pictures.paths == ("test/1.jpg", "train/1.jpg", "train/2.jpg")
    assert pictures.splits == ("test", "train", "train")
    assert pictures.columns == {"caption": ("z", "x", "y")}
    assert note(pictures, "left_out").paths == ("test/stray.jpg",)


def test_imagefolder_with_metadata_in_each_split(make_pictures: Make) -> None:
    root = make_pictures("train/1.jpg", "train/2.jpg", "validation/1.jpg")
    write(root / "train" / "metadata.jsonl", file_name=["1.jpg", "2.jpg"], label=["a", "b"])
    lines = [{"file_name": "1.jpg", "label": "b", "more": 5}]
    text = "\n".join(json.dumps(line) for line in lines)
    (root / "validation" / "metadata.jsonl").write_text(text)
    pictures = read(root)
    assert pictures.splits == ("train", "train", "val") and pictures.labels == ("a", "b", "b")
    assert pictures.columns == {"more": (None, None, "5")}


def test_metadata_without_labels_leaves_class_folders_as_they_are(make_pictures: Make) -> None:
    root = make_pictures("cat/1.jpg", "dog/1.jpg")
    write(root / "metadata.csv", image=["cat/1.jpg", "dog/1.jpg"], camera=["x", "y"])
    pictures = read(root)
    assert pictures.labels == ("cat", "dog") and note(pictures, "left_out").count == 1
    by_camera = read(root, ReadSettings(label_column="camera"))
    assert by_camera.labels == ("x", "y")


def test_real_tables(test_data: Path) -> None:
    breeds = read(test_data / "pets" / "labels.csv", ReadSettings(label_column="breed"))
    assert set(breeds.class_counts().values()) == {10} and len(breeds.classes) == 37
    naip = ReadSettings(
        label_column="tree_density", group_column="location", split_column="source_split"
    )
    chips = read(test_data / "naip_4band" / "labels.csv", naip)
    assert chips.class_counts() == {"dense": 91, "medium": 100, "sparse": 70}
    assert len(set(chips.groups)) == 8 and chips.splits.count("val") == 22
    with pytest.raises(DataError, match="its columns: file, breed, species"):
        read(test_data / "pets" / "labels.csv")
