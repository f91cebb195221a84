from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from tellapart.data import PictureSet, RowSource, read, read_bytes
from tellapart.errors import DataError, OptionError
from tellapart.settings import ReadSettings

PICTURES = [bytes([number]) * 5 for number in range(4)]
NAMES = {"label": {"_type": "ClassLabel", "names": ["ant", "bee", "wasp"]}}


def pack(
    file: Path, labels: list[object] | None, features: object = None, **columns: object
) -> Path:
    """Write a parquet as Hugging Face does: image structs, and class names in the metadata."""
    file.parent.mkdir(parents=True, exist_ok=True)
    count = len(labels) if labels is not None else 2
    images = [{"bytes": PICTURES[i % 4], "path": f"{i}.jpg"} for i in range(count)]
    data = {"image": images, **({} if labels is None else {"label": labels}), **columns}
    about = {"huggingface": json.dumps({"info": {"features": features}})} if features else None
    pl.DataFrame(data).write_parquet(file, metadata=about)
    return file


def kinds(pictures: PictureSet) -> dict[str, str]:
    return {one.kind: one.message for one in pictures.notes}


def test_one_file_with_class_names_from_its_metadata(tmp_path: Path) -> None:
    pictures = read(pack(tmp_path / "set.parquet", [1, 0, 1, -1], NAMES, year=[1, 2, 3, 4]))
    assert pictures.paths == ("set.parquet#0", "set.parquet#1", "set.parquet#2")
    assert pictures.labels == ("bee", "ant", "bee") and pictures.classes == ("ant", "bee")
    assert pictures.sources[2] == RowSource(str(tmp_path / "set.parquet"), 2, "image", "bytes")
    assert pictures.columns == {"year": ("1", "2", "3")}
    assert "1 picture without a label" in kinds(pictures)["unlabelled_rows"]


def test_shards_are_matched_by_name_and_split_by_their_files(tmp_path: Path) -> None:
    other = {"label": {"_type": "ClassLabel", "names": ["wasp", "bee"]}}
    for number in (10, 2):
        pack(tmp_path / "data" / f"train-{number:05}-of-00011.parquet", [0, 1], NAMES)
    pack(tmp_path / "data" / "validation-00000-of-00001.parquet", [0, 1], other)
    pictures = read(tmp_path)
    assert pictures.classes == ("ant", "bee", "wasp")
    assert pictures.splits == ("train",) * 4 + ("val",) * 2
    assert pictures.labels == ("ant", "bee", "ant", "bee", "wasp", "bee")
    assert pictures.paths[0] == "data/train-00002-of-00011.parquet#0"
    assert "validation-00000-of-00001.parquet (val)" in kinds(pictures)["guessed_split"]


def test_split_from_the_folders_of_the_files(tmp_path: Path) -> None:
    pack(tmp_path / "train" / "0000.parquet", ["a", "b"])
    pack(tmp_path / "test" / "0000.parquet", ["a", "b"])
    assert read(tmp_path).splits == ("test", "test", "train", "train")


@pytest.mark.parametrize("labels", [None, [-1, -1]])
def test_a_file_without_labels_is_left_out_and_said(
    tmp_path: Path, labels: list[object] | None
) -> None:
    pack(tmp_path / "train.parquet", [0, 1], NAMES)
    pack(tmp_path / "validation.parquet", [0, 1], NAMES)
    pack(tmp_path / "test.parquet", labels, NAMES if labels else None)
    pictures = read(tmp_path)
    assert set(pictures.splits) == {"train", "val"}
    said = "left out 2 pictures in test.parquet: they have no labels"
    assert kinds(pictures)["unlabelled_split"] == said


def test_plain_bytes_and_a_named_column(tmp_path: Path) -> None:
    data = {"first": PICTURES, "second": PICTURES[::-1], "label": ["a", "a", "b", "b"]}
    pl.DataFrame(data).write_parquet(tmp_path / "x.parquet")
    pictures = read(tmp_path / "x.parquet")
    assert read_bytes(pictures.sources[0]) == PICTURES[0]
    assert any("'second' would do too: say with --path" in one.message for one in pictures.notes)
    named = read(tmp_path / "x.parquet", ReadSettings(path_column="second"))
    assert read_bytes(named.sources[0]) == PICTURES[3]


def test_a_class_label_column_of_another_name_is_found(tmp_path: Path) -> None:
    features = {"fine": {"_type": "ClassLabel", "names": ["a", "b"]}}
    images = [{"bytes": one, "path": ""} for one in PICTURES[:2]]
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    pl.DataFrame({"img": images, "fine": [0, 1]}).write_parquet(
        tmp_path / "x.parquet", metadata=about
    )
    assert read(tmp_path / "x.parquet").labels == ("a", "b")


def test_metadata_of_another_writer_is_no_hindrance(tmp_path: Path) -> None:
    frame = pl.DataFrame({"image": PICTURES, "label": ["a", "a", "b", "b"]})
    for text in ("{", "[]", '{"info": 3}', '{"info": {"features": {"label": 1}}}'):
        frame.write_parquet(tmp_path / "x.parquet", metadata={"huggingface": text})
        assert read(tmp_path / "x.parquet").classes == ("a", "b")


def test_labels_outside_of_the_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 2: label 7 has no name: the schema names 0 to 2"):
        read(pack(tmp_path / "x.parquet", [0, 7], NAMES))


@pytest.mark.parametrize(
    ("settings", "error", "line"),
    [
        (ReadSettings(label_regex="(a)"), OptionError, "--label-regex would have no effect"),
        (ReadSettings(path_column="imge"), OptionError, "'imge' is no column .*mean 'image'"),
        (ReadSettings(label_column="lable"), OptionError, "'lable' is no column .*mean 'label'"),
    ],
)
def test_wrong_options(
    tmp_path: Path, settings: ReadSettings, error: type[Exception], line: str
) -> None:
    with pytest.raises(error, match=line):
        read(pack(tmp_path / "x.parquet", [0, 1], NAMES), settings)


def test_lists_of_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="multi-label"):
        read(pack(tmp_path / "x.parquet", [["a"], ["a", "b"]]))


def test_a_parquet_without_a_label_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column of labels .* its columns: image, breed"):
        read(pack(tmp_path / "x.parquet", None, breed=["a", "b"]))


def test_a_folder_of_data_sets_is_not_taken_for_its_parquets(
    tmp_path: Path, make_pictures: Callable[..., Path]
) -> None:
    root = make_pictures("cat/1.jpg", "dog/1.jpg")
    pack(root / "packed" / "train.parquet", [0, 1], NAMES)
    assert read(root).classes == ("cat", "dog")


def test_cifar(test_data: Path) -> None:
    pictures = read(test_data / "cifar10")
    assert len(pictures) == 60_000 and set(pictures.class_counts().values()) == {6_000}
    assert pictures.classes[:3] == ("airplane", "automobile", "bird")
    assert (pictures.splits.count("train"), pictures.splits.count("test")) == (50_000, 10_000)
    assert pictures.paths[:2] == ("test.parquet#0", "test.parquet#1")


def test_a_real_picture_comes_back(test_data: Path, tmp_path: Path) -> None:
    pictures = read(test_data / "cifar10" / "test.parquet")
    (tmp_path / "x.jpg").write_bytes(read_bytes(pictures.sources[5]))
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.size == (32, 32) and image.format == "JPEG"
