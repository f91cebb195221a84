from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tellapart.data import Note, PictureSet, read
from tellapart.errors import DataError, OptionError
from tellapart.settings import ReadSettings

Make = Callable[..., Path]
FOUR = ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg")


def note(pictures: PictureSet, kind: str) -> Note:
    (found,) = [one for one in pictures.notes if one.kind == kind]
    return found


def test_class_folders_give_labels_in_natural_order(make_pictures: Make) -> None:
    root = make_pictures("class10/b2.jpg", "class10/b10.jpg", "class9/deep/er/x.PNG")
    pictures = read(root)
    assert pictures.classes == ("class9", "class10")
    assert pictures.paths == ("class9/deep/er/x.PNG", "class10/b2.jpg", "class10/b10.jpg")
    assert pictures.labels == ("class9", "class10", "class10")
    assert pictures.root == str(root) and not pictures.has_given_split


def test_split_folders_match_classes_by_name(make_pictures: Make) -> None:
    root = make_pictures("Train/b/1.jpg", "Train/c/1.jpg", "valid/a/1.jpg", "valid/b/1.jpg")
    pictures = read(root)
    assert pictures.classes == ("a", "b", "c")
    by_path = dict(
        zip(pictures.paths, zip(pictures.labels, pictures.splits, strict=True), strict=True)
    )
    assert by_path["valid/a/1.jpg"] == ("a", "val")
    assert by_path["Train/b/1.jpg"] == ("b", "train")
    assert "Train (train) and valid (val)" in note(pictures, "guessed_split").message


def test_one_top_folder_that_is_no_split_makes_all_of_them_classes(make_pictures: Make) -> None:
    pictures = read(make_pictures("train/a/1.jpg", "test/a/1.jpg", "more/a/1.jpg"))
    assert pictures.classes == ("more", "test", "train") and not pictures.has_given_split
    assert "because more stand" in note(pictures, "guessed_split").message


def test_a_split_word_beside_pictureless_folders_is_still_a_split(make_pictures: Make) -> None:
    root = make_pictures("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "test/b/1.jpg")
    (root / "docs").mkdir()
    assert read(root).has_given_split


@pytest.mark.parametrize("contest", ["test/1.jpg", "test/images/1.jpg"])
def test_a_split_without_labels_is_left_out_and_said(make_pictures: Make, contest: str) -> None:
    pictures = read(make_pictures(*(f"train/{key}" for key in FOUR), contest))
    assert set(pictures.labels) == {"cat", "dog"} and len(pictures) == 4
    found = note(pictures, "unlabelled_split")
    assert (found.paths, found.count) == ((contest,), 1)
    assert not pictures.has_given_split  # train alone is no split
    assert "all pictures are marked train" in note(pictures, "one_side").message


def test_split_folders_without_class_folders_are_refused(make_pictures: Make) -> None:
    with pytest.raises(DataError, match=r"test and train in .* are splits, but hold no class fold"):
        read(make_pictures("train/1.jpg", "test/1.jpg"))


def test_what_is_no_picture_is_left_out_and_counted_by_type(
    make_pictures: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    root = make_pictures(*FOUR, "cat/a.heic", "cat/b.HEIC", "cat/c.nef", "dog/d.mp4", "cat/x.txt")
    (root / "cat" / "noext").write_text("")
    (root / "cat" / "._1.jpg").write_text("")
    said = {one.message: one.count for one in read(root).notes if one.kind == "left_out"}
    assert said == {
        "left out 1 .txt file": 1,
        'left out 2 HEIC pictures: pip install "tellapart[heic]" reads them': 2,
        "left out 1 RAW photograph: convert them to JPEG or TIFF first, e.g. with darktable": 1,
        "left out 1 file without suffix: pictures are known by theirs (.jpg, .png, ...)": 1,
        "left out 1 hidden file": 1,
        "left out 1 video: take pictures out of them first, e.g. with ffmpeg -i FILE -vf fps=1"
        " picture-%05d.jpg": 1,
    }


def test_heic_is_listed_where_pillow_heif_is_installed(
    make_pictures: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert "cat/a.heic" in read(make_pictures(*FOUR, "cat/a.heic")).paths


def test_hidden_and_stray_folders_are_left_out_and_said(make_pictures: Make) -> None:
    root = make_pictures(
        *FOUR, ".git/x/1.jpg", "cat/.ipynb_checkpoints/1.jpg", "__MACOSX/1.jpg", "dog/Thumbs.db"
    )
    pictures = read(root)
    assert pictures.paths == FOUR
    assert note(pictures, "hidden_folder").paths == (".git",)
    stray = note(pictures, "stray_folder")
    assert stray.paths == ("__MACOSX", "cat/.ipynb_checkpoints", "dog/Thumbs.db")
    assert stray.message == "left out 3 stray items that programs leave behind"


def test_empty_class_folders_are_named_and_no_class(make_pictures: Make) -> None:
    root = make_pictures(*FOUR)
    (root / "bird").mkdir()
    pictures = read(root)
    assert pictures.classes == ("cat", "dog")
    assert note(pictures, "empty_class").paths == ("bird",)


def test_pictures_beside_the_class_folders_have_no_label(make_pictures: Make) -> None:
    pictures = read(make_pictures(*FOUR, "loose.jpg"))
    assert pictures.paths == FOUR
    assert note(pictures, "unlabelled_rows").paths == ("loose.jpg",)


links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")


@links
def test_link_loops_end(make_pictures: Make) -> None:
    root = make_pictures(*FOUR)
    (root / "cat" / "loop").symlink_to(root, target_is_directory=True)
    (root / "cat" / "self").symlink_to("self")
    pictures = read(root)
    assert pictures.paths == FOUR
    assert note(pictures, "same_file").paths == ("cat/loop",)
    assert [n.message for n in pictures.notes if n.kind == "left_out"] == ["left out 1 broken link"]


@links
def test_links_outside_are_followed_and_their_loops_end(make_pictures: Make) -> None:
    pool = make_pictures("a/1.jpg", root="pool")
    (pool / "a" / "back").symlink_to(pool, target_is_directory=True)
    root = make_pictures(*FOUR)
    (root / "bird").symlink_to(pool, target_is_directory=True)
    pictures = read(root)
    assert [path for path in pictures.paths if "bird" in path] == ["bird/a/1.jpg"]


@links
def test_one_real_file_counts_once(make_pictures: Make) -> None:
    root = make_pictures(*FOUR)
    (root / "cat" / "0.jpg").symlink_to(root / "cat" / "1.jpg")
    (root / "dog" / "0.jpg").symlink_to(root / "cat" / "1.jpg")
    pictures = read(root)
    assert pictures.paths == FOUR
    assert note(pictures, "same_file").count == 2


@links
def test_links_alone_that_disagree_both_stay_for_the_audit(make_pictures: Make) -> None:
    pool = make_pictures("1.jpg", root="pool")
    root = make_pictures(*FOUR)
    for key in ("cat/l.jpg", "cat/m.jpg", "dog/l.jpg"):
        (root / key).symlink_to(pool / "1.jpg")
    pictures = read(root)
    linked = [path for path in pictures.paths if path not in FOUR]
    assert linked == ["cat/l.jpg", "dog/l.jpg"]


def test_unreadable_folders_are_said(make_pictures: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_pictures(*FOUR, "cat/locked/1.jpg")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    pictures = read(root)
    assert pictures.paths == FOUR
    assert note(pictures, "unreadable_folder").message == (
        "1 folder could not be opened: see to the permissions"
    )
    monkeypatch.setattr(os, "scandir", lambda path: scandir("locked"))
    with pytest.raises(DataError, match=r"cannot open the folder .*: Permission denied"):
        read(root)


def test_names_in_any_script_and_hostile_ones(make_pictures: Make) -> None:
    root = make_pictures(
        "кот/ы 1.jpg", "犬/１.jpg", "=1+1/[a]*?.jpg" if os.sep == "/" else "a/b.jpg"
    )
    assert set(read(root).labels) >= {"кот", "犬"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow only Unicode in names")
def test_bytes_that_are_no_utf8_are_escaped_and_still_open(make_pictures: Make) -> None:
    root = make_pictures(*FOUR)
    name = os.fsdecode(b"caf\xe9.jpg")
    (root / "cat" / "1.jpg").rename(root / "cat" / name)
    pictures = read(root)
    assert pictures.paths[1] == "cat/caf%E9.jpg"
    assert Path(pictures.sources[1].file).read_bytes()
    ("".join(pictures.paths)).encode("utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow only Unicode in names")
def test_two_names_that_escape_alike_are_refused(make_pictures: Make) -> None:
    root = make_pictures(*FOUR, "cat/%E9.jpg")
    (root / "cat" / "1.jpg").rename(root / "cat" / os.fsdecode(b"\xe9.jpg"))
    with pytest.raises(DataError, match=r"two files have the name 'cat/%E9.jpg'"):
        read(root)


def test_labels_are_trimmed_and_composed_and_the_merging_is_said(make_pictures: Make) -> None:
    root = make_pictures("caf\u00e9/1.jpg", "cafe\u0301/2.jpg", " dog/1.jpg", "dog/2.jpg")
    if len(list(root.iterdir())) < 4:
        pytest.skip("this file system composes names itself")
    pictures = read(root)
    assert pictures.classes == ("caf\u00e9", "dog")
    merged = [one for one in pictures.notes if one.kind == "merged_labels"]
    assert [one.count for one in merged] == [2, 2]
    assert any("' dog', 'dog' became one, 'dog'" in one.message for one in merged)


def test_label_regex_reads_flat_folders(make_pictures: Make) -> None:
    root = make_pictures("cat_1.jpg", "cat_2.jpg", "dog_1.jpg", "odd.jpg")
    pictures = read(root, ReadSettings(label_regex=r"([a-z]+)_\d+"))
    assert pictures.labels == ("cat", "cat", "dog")
    assert note(pictures, "unlabelled_rows").paths == ("odd.jpg",)


def test_label_regex_keeps_split_folders(make_pictures: Make) -> None:
    root = make_pictures("train/cat_1.jpg", "train/dog_1.jpg", "test/cat_2.jpg", "test/dog_2.jpg")
    pictures = read(root, ReadSettings(label_regex=r"([a-z]+)_\d+"))
    assert pictures.splits == ("test", "test", "train", "train")


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (r"(", "is no valid pattern"),
        (r"[a-z]+_", "has no group: put the label in brackets"),
        (r"(\d\d\d)", "matches none of 4 paths, such as 'cat/1.jpg'"),
    ],
)
def test_a_label_regex_that_cannot_work_is_refused(
    make_pictures: Make, pattern: str, line: str
) -> None:
    with pytest.raises(OptionError, match=line):
        read(make_pictures(*FOUR), ReadSettings(label_regex=pattern))


def test_label_map_and_classes(make_pictures: Make) -> None:
    root = make_pictures(*FOUR, "puppy/1.jpg", "bird/1.jpg", "bird/2.jpg")
    pictures = read(root, ReadSettings(label_map={"puppy": "dog"}, classes=("dog", "cat")))
    assert pictures.classes == ("dog", "cat")
    assert pictures.class_counts() == {"dog": 3, "cat": 2}
    assert note(pictures, "left_out").count == 2
    assert "classes that --classes does not name: bird" in note(pictures, "left_out").message


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (ReadSettings(label_map={"cta": "x"}), "names 'cta', which no picture has; did you mean"),
        (ReadSettings(label_map={"cat": " "}), "gives 'cat' no new label"),
        (ReadSettings(classes=("cat", "dgo")), "names 'dgo', which no picture has; did you mean"),
        (ReadSettings(classes=("cat", "cat ")), "names 'cat' more than once"),
        (ReadSettings(classes=("cat",)), "needs two classes or more"),
        (ReadSettings(max_missing=10), "--max-missing is a share from 0 to 1, not 10"),
        (ReadSettings(label_column="breed"), "--label-column breed would have no effect"),
        (ReadSettings(group_column="g"), "--group-column g would have no effect"),
        (ReadSettings(split_column="s"), "--split-column s would have no effect"),
        (ReadSettings(path_column="p"), "--path-column p would have no effect"),
    ],
)
def test_options_that_are_wrong_or_without_effect_are_refused(
    make_pictures: Make, settings: ReadSettings, line: str
) -> None:
    with pytest.raises(OptionError, match=line):
        read(make_pictures(*FOUR), settings)


def test_an_option_for_tables_on_a_folder_names_the_table(make_pictures: Make) -> None:
    root = make_pictures(*FOUR)
    (root / "labels.csv").write_text("file,label\n")
    with pytest.raises(OptionError, match=r"did you mean the table .*labels\.csv\?"):
        read(root, ReadSettings(label_column="label"))


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no pictures in .*empty: the folder is empty"):
        read(tmp_path / "empty")


def test_a_folder_without_pictures_tells_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("")
    (tmp_path / "b.txt").write_text("")
    with pytest.raises(DataError, match=r"it holds 1 \.txt file, 1 video \(take pictures out"):
        read(tmp_path)


def test_a_flat_folder_shows_both_ways_to_label(make_pictures: Make) -> None:
    root = make_pictures("1.jpg", "2.jpg")
    with pytest.raises(DataError) as caught:
        read(root)
    line = str(caught.value)
    assert "holds 2 pictures but no class folders" in line
    assert "photos/cat/1.jpg" in line and 'columns "file" and "label"' in line
    assert "\n" not in line


def test_one_class_only(make_pictures: Make) -> None:
    with pytest.raises(DataError, match=r"one class only, 'cat' \(2 pictures\): two or more"):
        read(make_pictures("cat/1.jpg", "cat/2.jpg"))


def test_one_class_that_holds_the_classes_is_suggested(make_pictures: Make) -> None:
    with pytest.raises(DataError, match=r"did you mean .*flowers, which holds 2 folders\?"):
        read(make_pictures("flowers/rose/1.jpg", "flowers/tulip/1.jpg"))


def test_real_sets(test_data: Path) -> None:
    ants = read(test_data / "ants_bees")
    assert ants.class_counts() == {"ants": 194, "bees": 204}
    assert (ants.splits.count("train"), ants.splits.count("val")) == (245, 153)
    assert read(test_data / "food_mini").splits.count("test") == 75
    assert set(read(test_data / "land_cover").class_counts().values()) == {64}
    with pytest.raises(DataError, match=r"did you mean the table .*labels\.csv"):
        read(test_data / "pets")
