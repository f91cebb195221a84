import csv
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image, ImageOps

from tellapart.audits import Audit

Command = Callable[..., tuple[int, str, str]]
QUIETLY = ("--quiet", "--no-advice")
Refused = Callable[..., str]
WritePictures = Callable[..., Path]
Json = Callable[[Path], dict[str, Any]]


@pytest.fixture
def faulty(shapes: Path, tmp_path: Path) -> Path:
    """Shapes with three faults: a copy under another label, an altered copy, a broken file."""
    folder = Path(shutil.copytree(shapes, tmp_path / "faulty"))
    shutil.copy(folder / "boxes" / "000.png", folder / "dots" / "same.png")
    with Image.open(folder / "lines" / "001.png") as whole:
        whole.crop((4, 4, 92, 92)).save(folder / "lines" / "cropped.jpg", quality=80)
    (folder / "lines" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


def bytes_of(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def edited(plan: Path, changes: dict[str, dict[str, str]]) -> Path:
    """Change rows of a plan by path, as a user does in a spreadsheet."""
    with plan.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    known = {row["path"] for row in rows}
    assert set(changes) <= known, known
    for row in rows:
        row.update(changes.get(row["path"], {}))
    return write_plan(plan, rows)


def write_plan(plan: Path, rows: Sequence[dict[str, str]]) -> Path:
    with plan.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return plan


# ---- what it prints and leaves


def test_a_table_for_people_costliest_first(command: Command, faulty: Path) -> None:
    before = bytes_of(faulty)
    code, said, err = command("audit", faulty, "--quiet")
    assert (code, err) == (0, "")
    lines = said.splitlines()
    assert lines[1].startswith("39 pictures: 2 errors, ")
    heads = [line for line in lines if line.startswith(("error", "warning", "note"))]
    assert heads[0] == "error  label_conflict  (1 finding, 2 pictures)"
    assert heads[1] == "error  truncated  (1 finding)"
    assert "warning  duplicate_near  (1 finding, 2 pictures)" in heads
    assert "  The same file is labelled 'boxes' and 'dots': at least one label is wrong" in said
    assert "  -> Decide which label is right and remove the other copies." in lines
    assert max(len(line) for line in lines if not line.startswith("next")) <= 100
    assert lines[-2] == f"next  tellapart audit {faulty} --plan plan.csv"
    assert bytes_of(faulty) == before


def test_nothing_found_leads_to_run(command: Command, shapes: Path) -> None:
    code, said, _ = command("audit", shapes, "--only", "duplicate_exact,unreadable")
    assert code == 0
    assert said.splitlines()[1:] == [
        "36 pictures: nothing found",
        "",
        f"next  tellapart run {shapes}",
    ]


def test_the_next_command_asks_what_this_one_did(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    asked = "--no-mirror", "--seed", 3, "--cache", tmp_path / "cache"
    _, said, _ = command("audit", shapes, "--only", "unreadable", *asked)
    assert said.splitlines()[-1] == f"next  tellapart run {shapes} --no-mirror --seed 3"


def test_json_prints_what_out_keeps(
    command: Command, faulty: Path, tmp_path: Path, load_json: Json
) -> None:
    out = tmp_path / "audit"
    code, said, _ = command("audit", faulty, "--json", "--quiet", "--out", out)
    assert code == 0
    found = json.loads(said)
    assert found == load_json(out / "audit.json")
    assert found["pictures"] == 39
    conflict = found["findings"][0]
    assert conflict["kind"] == "label_conflict"
    assert conflict["also"] == ["duplicate_exact"]
    assert conflict["labels"] == ["boxes", "dots"]
    paths = [one["path"] for one in conflict["pictures"]]
    assert paths == ["boxes/000.png", "dots/same.png"]
    assert len({one["id"] for one in conflict["pictures"]}) == 1
    page = (out / "audit.html").read_text(encoding="utf-8")
    assert "One picture, two labels" in page
    assert "data:image/jpeg;base64," in page
    assert {one.name for one in out.iterdir()} == {"audit.json", "audit.html"}
    assert command("audit", faulty, "--quiet", "--out", out)[0] == 0  # an older audit is replaced


def test_a_folder_with_something_else_is_no_place_for_an_audit(
    refused: Refused, shapes: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    line = refused("audit", shapes, "--out", tmp_path)
    assert f"{tmp_path} holds something that is no audit: name a new folder with --out" in line


def test_what_to_try_next_carries_the_reading_options(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    table = shapes.parent / "my table.csv"
    rows = [
        {"file": one.relative_to(table.parent).as_posix(), "what": one.parent.name}
        for one in sorted(shapes.glob("*/*.png"))
    ]
    pl.DataFrame([*rows, rows[0] | {"file": rows[1]["file"]}][:36]).write_csv(table)
    words = ("--label-column", "what", "--label-map", "dots=round things", "--only", "blurry,dark")
    _, said, _ = command("audit", table, *words, "--bands", "B,G,R")
    table.unlink()
    assert said.splitlines()[-1] == (
        f'next  tellapart run "{table}" --label-column what --label-map "dots=round things"'
        " --bands B,G,R"
    )


# ---- for pipelines


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fail-on", "error"), 3),
        (("--fail-on", "note"), 3),
        (("--fail-on", "label_conflict"), 3),
        (("--fail-on", "duplicate_exact"), 3),  # it stands in another finding's `also`
        (("--fail-on", "missing_class"), 0),
        (("--fail-on", "error", "--only", "duplicate_near"), 0),
        (("--fail-on", "warning", "--only", "duplicate_near"), 3),
        (("--fail-on", "error", "--skip", "label_conflict,truncated"), 0),
        ((), 0),
    ],
)
def test_fail_on_sets_the_exit_code(
    command: Command, faulty: Path, words: tuple[str, ...], code: int
) -> None:
    assert command("audit", faulty, "--quiet", *words)[0] == code


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--fail-on", "blury"), "--fail-on: 'blury' is neither a severity (error, warning, note)"),
        (("--fail-on", "blury"), "did you mean 'blurry'?"),
        (("--fail-on", "dark", "--skip", "dark"), "--fail-on dark has no effect: --only or --skip"),
        (("--only", "duplicate"), "--only: there is no kind of finding 'duplicate'; did you mean"),
        (("--skip", "leek_group"), "there is no kind of finding 'leek_group'; did you mean 'leak_"),
        (("--only", "dark", "--skip", "dark"), "--only and --skip together leave nothing"),
        (("--apply", "plan.csv"), "--apply PLAN.csv and --to CLEAN.parquet go together: give both"),
        (("--to", "clean.parquet"), "--apply PLAN.csv and --to CLEAN.parquet go together"),
        (("--new-classes",), "--new-classes has an effect with --apply only"),
        (("--apply", "p", "--to", "c", "--out", "o"), "--out has no effect with --apply"),
        (("--apply", "p", "--to", "c", "--no-mirror"), "--no-mirror has no effect with --apply"),
        (("--apply", "p", "--to", "c", "--seed", "0"), "--seed has no effect with --apply"),
        (("--apply", "p", "--to", "c", "--bands", "R,G,B"), "--bands has no effect with --apply"),
        (("--group-regex", "zebra(.)"), "--group-regex 'zebra(.)' matches no path, such as 'boxes"),
        (("--group-regex", "()[.]png"), "puts all 36 pictures into one group, ''"),
        (("--group-regex", "[a-z]+/"), "has no group: put the group in brackets"),
        (("--group-regex", "(["), "--group-regex '([' is no valid pattern"),
    ],
)
def test_what_would_have_no_effect_or_cannot_be_is_refused(
    refused: Refused, shapes: Path, words: tuple[str, ...], line: str
) -> None:
    assert line in refused("audit", shapes, *words)


# ---- the plan


@pytest.fixture
def plan(command: Command, faulty: Path, tmp_path: Path) -> Path:
    place = tmp_path / "my plan.csv"
    code, said, _ = command("audit", faulty, "--quiet", "--plan", place)
    assert code == 0
    assert f"plan  {place}: edit it, then apply it" in said
    assert f'next  tellapart audit {faulty} --apply "{place}" --to clean.parquet' in said
    return place


def test_a_plan_is_edited_applied_and_run(
    command: Command, faulty: Path, plan: Path, tmp_path: Path, load_json: Json
) -> None:
    before = bytes_of(faulty)
    changes = {
        "boxes/000.png": {"decision": "keep"},
        "dots/same.png": {"decision": "drop"},
        "lines/001.png": {"decision": "group with", "to": "one scene"},
        "lines/cropped.jpg": {"decision": "Group  with", "to": "one scene"},
    }
    clean = tmp_path / "clean.parquet"
    words = ("--apply", edited(plan, changes), "--to", clean, "--quiet")
    code, said, err = command("audit", faulty, *words)
    assert (code, err) == (0, "")
    assert said.splitlines()[0] == f"37 pictures stand in {clean}"
    assert f"next  tellapart run {clean} --group-column group" in said
    table = pl.read_parquet(clean)
    assert table.filter(pl.col("group") == "one scene").height == 2
    code, said, _ = command("audit", clean, "--group-column", "group", "--json", "--quiet")
    kinds = {one["kind"] for one in json.loads(said)["findings"]}
    assert code == 0
    assert not kinds & {"label_conflict", "duplicate_exact", "truncated"}
    out = tmp_path / "run"
    assert command("run", clean, "--group-column", "group", "--out", out, *QUIETLY)[0] == 0
    assert load_json(out / "run.json")["pictures"] == {"read": 37, "usable": 37}
    code, said, err = command("predict", out, clean, "--quiet", "--json")
    assert (code, err) == (0, "")
    assert bytes_of(faulty) == before


def test_a_plan_relabels_and_may_name_a_new_class_when_asked(
    command: Command, refused: Refused, faulty: Path, plan: Path, tmp_path: Path
) -> None:
    edited(plan, {"dots/same.png": {"decision": "relabel to", "to": "box"}})
    words = ("audit", faulty, "--apply", plan, "--to", tmp_path / "clean.parquet", "--quiet")
    assert "there is no class 'box'; did you mean 'boxes'?; --new-classes allows" in refused(*words)
    assert command(*words, "--new-classes")[0] == 0
    labels = pl.read_parquet(tmp_path / "clean.parquet")["label"]
    assert labels.value_counts().filter(pl.col("label") == "box")["count"].to_list() == [1]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"decision": "keep it"},
            "(dots/same.png): 'keep it' is no decision; did you mean 'keep'? (known: keep, drop,",
        ),
        ({"decision": "relabel to", "to": ""}, "'relabel to' needs the name of a class in the col"),
        (
            {"decision": "relabel to", "to": "dot"},
            "(dots/same.png): there is no class 'dot'; did you mean 'dots'?",
        ),
        ({"path": "dots/gone.png", "id": "0" * 32}, "(dots/gone.png): this picture is gone"),
    ],
)
def test_a_plan_that_cannot_be_followed_names_its_row_and_nothing_is_written(
    refused: Refused, faulty: Path, plan: Path, tmp_path: Path, change: dict[str, str], line: str
) -> None:
    with edited(plan, {"dots/same.png": change}).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    number = next(i for i, row in enumerate(rows, 1) if row["kind"].startswith("label_conflict")
                  and row["path"].startswith("dots"))  # fmt: skip
    clean = tmp_path / "clean.parquet"
    said = refused("audit", faulty, "--apply", plan, "--to", clean)
    assert f"row {number} " in said
    assert line in said
    assert not clean.exists()


def test_a_plan_is_applied_without_decoding_a_picture(
    command: Command, faulty: Path, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("tellapart.auditing.look_at", decoded)
    words = ("--apply", plan, "--to", tmp_path / "clean.parquet", "--cache", tmp_path / "other")
    code, said, _ = command("audit", faulty, *words, "--quiet")
    assert code == 0
    assert (tmp_path / "clean.parquet").exists(), said


def test_a_file_that_exists_is_refused_before_the_work(
    refused: Refused, faulty: Path, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    monkeypatch.setattr("tellapart.auditing.read", started)
    line = refused("audit", faulty, "--plan", plan)
    assert f"{plan} exists and is not overwritten: name a new file with --plan" in line
    line = refused("audit", faulty, "--apply", plan, "--to", plan)
    assert f"{plan} exists and is not overwritten: name a new file with --to" in line
    line = refused("audit", faulty, "--apply", plan, "--to", tmp_path / "clean.csv")
    assert "the table is parquet, so its name must end in .parquet" in line


# ---- copies


def test_every_picture_a_copy_of_one(command: Command, refused: Refused, tmp_path: Path) -> None:
    picture = Image.radial_gradient("L").resize((96, 96)).convert("RGB")
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(6):
            picture.save(tmp_path / "set" / name / f"{number}.png")
    code, said, _ = command("audit", tmp_path / "set", "--quiet")
    assert code == 0
    assert "error  label_conflict  (1 finding, 12 pictures)" in said
    line = refused("run", tmp_path / "set", "--out", tmp_path / "run", "--quiet")
    assert "class 'cat' has 6 pictures in one independent group (copies and groups stay" in line


def test_near_copies_that_leak_leave_the_headline_of_a_given_split(
    command: Command, write_pictures: WritePictures, tmp_path: Path, load_json: Json
) -> None:
    data = write_pictures(tmp_path / "set" / "train").parent
    write_pictures(data / "test", count=5, start=20)
    with Image.open(data / "train" / "dots" / "004.png") as trained:
        trained.resize((120, 120)).save(data / "test" / "dots" / "again.jpg", quality=85)
    code, said, _ = command("audit", data, "--quiet", "--only", "leak_duplicate")
    assert code == 0
    assert "error  leak_duplicate  (1 finding, 2 pictures)" in said
    out = tmp_path / "run"
    code, said, _ = command("run", data, "--out", out, *QUIETLY)
    assert code == 0
    assert "judged on 15 test pictures" in said
    assert "Left out: 1 picture that leaks from training; with it the number would be" in said
    assert load_json(out / "run.json")["split"]["proof"]["holds"]


def test_near_copies_stand_on_one_side_and_nothing_is_dropped_unasked(
    command: Command, write_pictures: WritePictures, tmp_path: Path, load_json: Json
) -> None:
    data = write_pictures(tmp_path / "set", count=10)
    for number in range(10):
        with Image.open(data / "boxes" / f"{number:03}.png") as whole:
            whole.crop((5, 3, 93, 91)).save(data / "boxes" / f"{number:03}-cut.jpg", quality=85)
    out = tmp_path / "run"
    assert command("run", data, "--out", out, *QUIETLY)[0] == 0
    split = pl.read_parquet(out / "split.parquet").filter(pl.col("path").str.contains("boxes/"))
    sides = dict(split.select("path", "split").iter_rows())
    assert set(sides.values()) == {"train", "test"}
    for number in range(10):
        assert sides[f"boxes/{number:03}.png"] == sides[f"boxes/{number:03}-cut.jpg"]
    assert split["counted"].all()
    assert load_json(out / "run.json")["pictures"] == {"read": 40, "usable": 40}


def test_a_second_audit_compares_nothing(
    command: Command, shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("audit", shapes, "--quiet")

    def compared(*_: object, **__: object) -> None:
        raise AssertionError("compared again")

    monkeypatch.setattr("tellapart.likeness.find_near_duplicates", compared)
    assert command("audit", shapes, "--quiet")[0] == 0
    assert command("audit", shapes, "--quiet", "--no-mirror")[0] == 1  # another question


def test_no_mirror_takes_mirrored_copies_for_different_pictures(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(shapes, tmp_path / "signs"))
    with Image.open(data / "lines" / "002.png") as sign:
        ImageOps.mirror(sign).save(data / "dots" / "mirrored.png")
    _, said, _ = command("audit", data, "--quiet", "--only", "label_conflict")
    assert "warning  label_conflict  (1 finding, 2 pictures)" in said
    assert "do left and right mean two classes here?" in " ".join(said.split())
    _, said, _ = command("audit", data, "--quiet", "--only", "label_conflict", "--no-mirror")
    assert "nothing found" in said


# ---- groups and order


def test_groups_from_paths_are_kept_together_and_leaks_named(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    regex = r"/0*(\d+)\.png$"  # the number: one of each class
    out = tmp_path / "run"
    assert command("run", shapes, "--group-regex", regex, "--out", out, *QUIETLY)[0] == 0
    split = pl.read_parquet(out / "split.parquet")
    assert split.group_by("group").agg(pl.col("split").n_unique())["split"].to_list() == [1] * 12
    data = Path(shutil.copytree(shapes, tmp_path / "given" / "train")).parent
    (data / "test" / "dots").mkdir(parents=True)
    (data / "test" / "boxes").mkdir()
    (data / "test" / "lines").mkdir()
    for name in ("dots", "boxes", "lines"):
        shutil.move(data / "train" / name / "003.png", data / "test" / name / "003.png")
    shutil.move(data / "train" / "dots" / "005.png", data / "test" / "dots" / "005.png")
    _, said, _ = command("audit", data, "--group-regex", regex, "--only", "leak_group", "--quiet")
    assert "error  leak_group  (1 finding, 3 pictures)" in said
    assert "The group '5' stands on 2 sides (2 in train, 1 in test)" in said


def test_a_column_and_a_regex_for_groups_exclude_each_other(
    refused: Refused, shapes: Path, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    rows = [{"path": str(p), "label": p.parent.name, "g": "1"} for p in shapes.glob("*/*.png")]
    pl.DataFrame(rows).write_csv(table)
    words = ("run", table, "--group-column", "g", "--group-regex", "(x)")
    assert "--group-regex and --group-column both say the group: give one" in refused(*words)


def test_a_split_by_a_columns_order(
    command: Command, refused: Refused, shapes: Path, tmp_path: Path, load_json: Json
) -> None:
    table = tmp_path / "t.csv"
    rows = [
        {"path": str(one), "label": one.parent.name, "day": f"2024-05-{int(one.stem) + 1:02}"}
        for one in sorted(shapes.glob("*/*.png"))
    ]
    pl.DataFrame(rows).write_csv(table)
    out = tmp_path / "run"
    code, said, _ = command("run", table, "--order-column", "day", "--out", out, *QUIETLY)
    assert code == 0
    how = "by the order of 'day': train 2024-05-01 to 2024-05-10 (83 %), test 2024-05-11 to"
    assert f"Split {how}" in said
    assert load_json(out / "run.json")["split"]["proof"]["origin"].startswith(how)
    split = pl.read_parquet(out / "split.parquet")
    late = split.filter(pl.col("split") == "test")["path"].str.extract(r"(\d+)\.png$").unique()
    assert sorted(late) == ["010", "011"]
    shown = f"Dealt {how}".replace("'", "&#39;").replace(" %", "\u00a0%")
    assert shown in (out / "report.html").read_text("utf-8")
    assert "'dya' is none of the columns" in refused("run", table, "--order-column", "dya")
    words = ("run", table, "--order-column", "day", "--split-from", out)
    assert "--split-from and --order-column both say the sides" in refused(*words)
    assert "(there are none: give a table)" in refused("run", shapes, "--order-column", "day")


# ---- real pictures


def test_the_same_ground_in_other_years_is_named_and_a_regex_proposed(
    command: Command, test_data: Path
) -> None:
    table = test_data / "naip_4band" / "labels.csv"
    words = ("--label-column", "tree_density", "--only", "group_hint,duplicate_near", "--json")
    code, said, _ = command("audit", table, *words, "--quiet")
    assert code == 0
    findings = json.loads(said)["findings"]
    (hint,) = [one for one in findings if one["kind"] == "group_hint"]
    assert "share the last number" in hint["message"]
    tiles = [
        {Path(picture["path"]).stem.rsplit("_", 2)[0::2] == [] or
         "_".join(Path(picture["path"]).stem.rsplit("_", 2)[::2]) for picture in one["pictures"]}
        for one in findings
        if one["kind"] == "duplicate_near"
    ]  # fmt: skip
    assert len(tiles) > 60
    assert all(len(one) == 1 for one in tiles)  # one place and tile each


def test_the_function_is_public(faulty: Path, cache: Path) -> None:
    import tellapart as ta

    found = ta.audit(faulty)
    assert isinstance(found, Audit)
    assert found.findings[0].kind == "label_conflict"
    assert "label_conflict" in found._repr_html_()
