import shutil
from pathlib import Path

import pytest

from tellapart.errors import OutputError
from tellapart.places import write_json
from tellapart.run_folder import RUN_JSON, building, default_place


def finish(out: Path, text: str) -> None:
    with building(out) as folder:
        write_json(folder / RUN_JSON, {"text": text})


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_run_replaces_the_older_one_whole(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "a"
    finish(out, "first")
    finish(out, "second")
    assert '"second"' in (out / RUN_JSON).read_text()
    assert names(tmp_path / "runs") == ["a"]


def test_a_failed_run_leaves_the_older_one_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "a"
    finish(out, "first")
    with pytest.raises(KeyboardInterrupt), building(out) as folder:
        write_json(folder / RUN_JSON, {"text": "second"})
        raise KeyboardInterrupt
    assert '"first"' in (out / RUN_JSON).read_text()
    assert names(tmp_path) == ["a"]


def test_what_a_killed_run_left_is_mended(tmp_path: Path) -> None:
    out = tmp_path / "a"
    finish(out, "first")
    out.rename(tmp_path / "a.old")  # killed between the two renames
    (tmp_path / "a.partial").mkdir()
    (tmp_path / "a.partial" / "metrics.json").write_text("{}")
    (tmp_path / "a.partial" / ".run.json.4711.partial").write_text("{")  # killed while it wrote
    with pytest.raises(ValueError, match="stop"), building(out):
        assert '"first"' in (out / RUN_JSON).read_text()
        raise ValueError("stop")
    assert names(tmp_path) == ["a"]


def test_a_stranger_s_folder_where_the_old_run_steps_aside_is_not_deleted(tmp_path: Path) -> None:
    out = tmp_path / "a"
    finish(out, "first")
    (tmp_path / "a.old" / "model").mkdir(parents=True)  # somebody's, though the name is one of ours
    with pytest.raises(OutputError, match=r"a\.old holds something that is no run"), building(out):
        pass
    assert names(tmp_path / "a.old") == ["model"]


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with (
        pytest.raises(OutputError, match="holds something that is no run of tellapart: choose"),
        building(tmp_path),
    ):
        pass
    assert names(tmp_path) == ["thesis.doc"]


def test_a_run_that_also_holds_something_else_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "a"
    finish(out, "first")
    (out / "notes.txt").write_text("mine")
    with (
        pytest.raises(OutputError, match="also holds 'notes.txt', which is not part of a run"),
        building(out),
    ):
        pass
    assert (out / "notes.txt").read_text() == "mine"


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    with (
        pytest.raises(OutputError, match="is a file: choose a folder with --out"),
        building(tmp_path / "a"),
    ):
        pass


def test_a_second_run_on_the_same_place_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "a"
    with (
        building(out),
        pytest.raises(OutputError, match="another tellapart is writing"),
        building(out),
    ):
        pass


def test_a_file_manager_s_own_file_is_no_hindrance(tmp_path: Path) -> None:
    finish(tmp_path / "a", "first")
    (tmp_path / "a" / ".DS_Store").write_bytes(b"\x00")
    finish(tmp_path / "a", "second")
    assert names(tmp_path / "a") == [RUN_JSON]


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_the_folder_one_stands_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(OutputError, match="in which you stand: choose"), building(Path(out)):
        pass


def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    finish(tmp_path / "disk" / "a", "first")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "a")
    finish(tmp_path / "link", "second")
    assert (tmp_path / "link").is_symlink()
    assert '"second"' in (tmp_path / "disk" / "a" / RUN_JSON).read_text()
    assert names(tmp_path) == ["disk", "link"]
    assert names(tmp_path / "disk") == ["a"]


def test_an_older_run_comes_back_where_the_new_one_cannot_take_its_place(tmp_path: Path) -> None:
    out = tmp_path / "a"
    finish(out, "first")
    with pytest.raises(OutputError, match="cannot write"), building(out) as folder:
        shutil.rmtree(folder)  # so that its rename fails
    assert '"first"' in (out / RUN_JSON).read_text()
    assert names(tmp_path) == ["a"]


def test_the_default_place_counts_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_place("photos/") == Path("runs/photos-1")
    (tmp_path / "runs" / "photos-1").mkdir(parents=True)
    assert default_place("photos/") == Path("runs/photos-2")
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "labels.csv").write_text("")
    assert default_place("pets/labels.csv") == Path("runs/pets-labels-1")
    monkeypatch.chdir(tmp_path / "pets")
    assert default_place("../photos") == Path("runs/photos-1")
    assert default_place(".") == Path("runs/pets-1")
    assert default_place("..") == Path(f"runs/{tmp_path.name}-1")
