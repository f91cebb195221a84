"""The plan: proposed, written, edited, read and applied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.audits import run_audit
from tellapart.audits.plan import PlanRow, apply_plan, propose, read_plan, write_plan
from tellapart.audits.records import Audit, Finding, PictureRef
from tellapart.data.frames import guarded
from tellapart.errors import DataError, OutputError


def _plan(data):
    return propose(run_audit(data), data.pictures, data.ids)


def _decisions(rows):
    return {row.path: row.decision for row in rows}


def _audit_of(data, *findings):
    made = [
        Finding(kind, severity, score, data.refs(rows), labels, "why", "advice", also)
        for kind, severity, score, rows, labels, also in findings
    ]
    return Audit(len(data.pictures), tuple(made))


def test_one_of_several_copies_is_kept(make_input, make_facts):
    facts = [make_facts(row) for row in range(20)]
    facts[5] = facts[9] = facts[2]
    rows = _plan(make_input(["cat"] * 20, facts=facts))
    assert _decisions(rows) == {
        "cat/0002.jpg": "keep",
        "cat/0005.jpg": "drop",
        "cat/0009.jpg": "drop",
    }
    assert rows[0].kind == "duplicate_exact" and "3 times" in rows[0].why


def test_of_a_leak_the_judging_copy_is_dropped(make_input, make_facts):
    facts = [make_facts(row) for row in range(20)]
    facts[15] = facts[2]
    sides = ["test"] * 10 + ["train"] * 10
    rows = _plan(make_input(["cat"] * 20, facts=facts, sides=sides))
    assert _decisions(rows) == {"cat/0002.jpg": "drop", "cat/0015.jpg": "keep"}


def test_copies_under_two_labels_are_dropped_for_a_person_to_choose(make_input, make_facts):
    facts = [make_facts(row) for row in range(40)]
    facts[35] = facts[2]
    rows = _plan(make_input(["cat"] * 20 + ["dog"] * 20, facts=facts))
    assert set(_decisions(rows).values()) == {"drop"} and len(rows) == 2


def test_altered_copies_are_grouped_and_share_a_name_along_chains(make_input):
    data = make_input(["cat"] * 20)
    audit = _audit_of(
        data,
        ("duplicate_near", "warning", 0.9, [1, 2], ("cat",), ()),
        ("duplicate_near", "warning", 0.8, [2, 7], ("cat",), ()),
        ("duplicate_near", "warning", 0.8, [4, 5], ("cat",), ()),
    )
    rows = propose(audit, data.pictures, data.ids)
    assert {row.path[4:8]: row.to for row in rows} == {
        "0001": "copies of cat/0001.jpg",
        "0002": "copies of cat/0001.jpg",
        "0004": "copies of cat/0004.jpg",
        "0005": "copies of cat/0004.jpg",
        "0007": "copies of cat/0001.jpg",
    }
    assert {row.decision for row in rows} == {"group with"}


def test_pictures_of_a_users_group_keep_it(make_input):
    data = make_input(["cat"] * 4, groups=["a", None, None, None])
    audit = _audit_of(data, ("duplicate_near", "warning", 0.9, [0, 2], ("cat",), ()))
    assert set(_decisions(propose(audit, data.pictures, data.ids)).values()) == {"keep"}


def test_a_suspected_label_is_suggested_and_a_strong_suspicion_decided(make_input):
    data = make_input(["cat"] * 10 + ["dog"] * 10)
    audit = _audit_of(
        data,
        ("mislabeled", "warning", 0.97, [3], ("cat", "dog"), ()),
        ("mislabeled", "warning", 0.80, [4], ("cat", "dog"), ()),
    )
    rows = propose(audit, data.pictures, data.ids)
    assert [(row.decision, row.to) for row in rows] == [("relabel to", "dog"), ("keep", "dog")]


def test_what_cannot_be_used_is_dropped_and_the_costlier_reason_stands(make_input):
    data = make_input(["cat"] * 10)
    audit = _audit_of(
        data,
        ("truncated", "error", 1.0, [1], ("cat",), ()),
        ("mislabeled", "warning", 0.5, [2], ("cat", "dog"), ()),
        ("placeholder", "warning", 0.5, [2], ("cat",), ()),
        ("blurry", "warning", 0.5, [3], ("cat",), ()),
        ("odd_size", "note", 0.5, [4], ("cat",), ()),
    )
    assert _decisions(propose(audit, data.pictures, data.ids)) == {
        "cat/0001.jpg": "drop",
        "cat/0002.jpg": "drop",
        "cat/0003.jpg": "keep",
    }


def test_a_plan_survives_writing_and_reading(tmp_path):
    rows = (
        PlanRow("=1+1/a.jpg", "ab" * 16, "@cat", "relabel to", "-dog", "mislabeled", '+ why, "so"'),
        PlanRow("böse Tür/ 猫.jpg", "", "cat", "drop", "", "unreadable", "a\nline"),
    )
    write_plan(rows, tmp_path / "plan.csv")
    text = (tmp_path / "plan.csv").read_text(encoding="utf-8-sig")
    assert "'=1+1/a.jpg" in text and ",'@cat," in text and ",'-dog," in text
    assert read_plan(tmp_path / "plan.csv") == rows


def test_an_edited_plan_is_not_overwritten(tmp_path):
    (tmp_path / "plan.csv").write_text("hours of work")
    with pytest.raises(OutputError, match="exists and is not overwritten: name a new .* --plan"):
        write_plan((), tmp_path / "plan.csv")
    assert (tmp_path / "plan.csv").read_text() == "hours of work"


def test_an_empty_plan_is_written_and_refused_when_read(tmp_path):
    write_plan((), tmp_path / "plan.csv")
    with pytest.raises(DataError, match="has no rows"):
        read_plan(tmp_path / "plan.csv")


def _text(tmp_path, *lines):
    path = tmp_path / "plan.csv"
    path.write_text("path,id,decision,to\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_an_unknown_decision_names_its_row(tmp_path):
    path = _text(tmp_path, "a.jpg,x,keep,", "b.jpg,y,dorp,")
    with pytest.raises(
        DataError, match=r"row 2 \(b\.jpg\): 'dorp' is no decision; did you mean 'drop'\?"
    ):
        read_plan(path)
    with pytest.raises(DataError, match=r"row 1 \(a\.jpg\): '' is no decision"):
        read_plan(_text(tmp_path, "a.jpg,x,,"))


def test_relabel_and_group_need_a_name(tmp_path):
    with pytest.raises(DataError, match=r"'relabel to' needs the name of a class"):
        read_plan(_text(tmp_path, "a.jpg,x,relabel to,"))
    with pytest.raises(DataError, match=r"'group with' needs the name of a group"):
        read_plan(_text(tmp_path, "a.jpg,x,Group  with, "))


def test_a_table_that_is_no_plan_is_refused(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text("path,id,decison\na.jpg,x,keep\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"no column 'decision'; did you mean 'decison'\?"):
        read_plan(path)


def test_applying_drops_relabels_and_groups(make_input):
    data = make_input(["cat"] * 3 + ["dog"] * 3)
    paths, ids = data.pictures.paths, data.ids
    plan = [
        PlanRow(paths[0], ids[0], "cat", "drop"),
        PlanRow(paths[1], ids[1], "cat", "relabel to", "dog"),
        PlanRow(paths[2], ids[2], "cat", "group with", "burst"),
        PlanRow(paths[3], ids[3], "dog", "keep", "cat"),
    ]
    clean = apply_plan(plan, data.pictures, ids)
    assert clean.rows == (1, 2, 3, 4, 5)
    assert clean.labels == ("dog", "cat", "dog", "dog", "dog")
    assert clean.groups == (None, "burst", None, None, None)
    assert clean.notes == (
        "decisions: 1 keep, 1 drop, 1 relabel to, 1 group with; 1 picture left out",
    )


def test_decisions_hold_after_files_moved(make_input):
    data = make_input(["cat"] * 3)
    clean = apply_plan(
        [PlanRow("old/place.jpg", data.ids[1], "cat", "drop")], data.pictures, data.ids
    )
    assert clean.rows == (0, 2)


def test_copies_are_told_apart_by_path_and_asked_about_without(make_input, make_facts):
    facts = [make_facts(row) for row in range(4)]
    facts[2] = facts[0]
    data = make_input(["cat", "cat", "dog", "dog"], facts=facts)
    key = data.ids[0]
    right = [
        PlanRow("cat/0000.jpg", key, "cat", "drop"),
        PlanRow("dog/0002.jpg", key, "dog", "keep"),
    ]
    assert apply_plan(right, data.pictures, data.ids).rows == (1, 2, 3)
    with pytest.raises(
        DataError, match=r"row 1 \(x\.jpg\): its content stands at cat/0000.jpg, dog"
    ):
        apply_plan([PlanRow("x.jpg", key, "cat", "drop")], data.pictures, data.ids)


def test_a_copy_that_is_gone_does_not_hit_the_one_that_stayed(make_input):
    data = make_input(["cat"] * 3)
    plan = [
        PlanRow("cat/0001.jpg", data.ids[1], "cat", "keep"),
        PlanRow("cat/copy.jpg", data.ids[1], "cat", "drop"),
    ]
    with pytest.raises(DataError, match=r"row 2 \(cat/copy\.jpg\): this picture is gone"):
        apply_plan(plan, data.pictures, data.ids)


def test_two_moved_rows_with_one_id_are_asked_about(make_input):
    data = make_input(["cat"] * 3)
    plan = [PlanRow(f"old/{name}.jpg", data.ids[1], "cat", "drop") for name in "ab"]
    with pytest.raises(DataError, match=r"row 1 \(old/a\.jpg\): its content stands at cat/0001"):
        apply_plan(plan, data.pictures, data.ids)


def test_a_changed_file_is_said(make_input):
    data = make_input(["cat"] * 3)
    with pytest.raises(DataError, match="the file has changed since the plan was written"):
        apply_plan([PlanRow("cat/0001.jpg", "ff" * 16, "cat", "drop")], data.pictures, data.ids)


def test_a_class_that_does_not_exist_names_the_nearest(make_input):
    data = make_input(["rose"] * 3 + ["tulip"] * 3)
    plan = [PlanRow("rose/0001.jpg", data.ids[1], "rose", "relabel to", "tulpi")]
    with pytest.raises(
        DataError,
        match=r"row 1 \(rose/0001\.jpg\): there is no class 'tulpi'; did you mean 'tulip'",
    ):
        apply_plan(plan, data.pictures, data.ids, where="plan.csv")
    assert apply_plan(plan, data.pictures, data.ids, new_classes=True).labels[1] == "tulpi"


def test_two_decisions_on_one_picture_are_refused(make_input):
    data = make_input(["cat"] * 3)
    rows = [PlanRow("cat/0001.jpg", data.ids[1], "cat", one) for one in ("keep", "drop")]
    with pytest.raises(DataError, match=r"row 2 .*: row 1 decides 'keep' on the same picture"):
        apply_plan(rows, data.pictures, data.ids)
    assert len(apply_plan([rows[0], rows[0]], data.pictures, data.ids).rows) == 3


def test_a_plan_that_drops_everything_is_refused(make_input):
    data = make_input(["cat"] * 2)
    rows = [
        PlanRow(p, k, "cat", "drop") for p, k in zip(data.pictures.paths, data.ids, strict=True)
    ]
    with pytest.raises(DataError, match="drops all 2 pictures: nothing is left"):
        apply_plan(rows, data.pictures, data.ids)


def test_dropping_judging_pictures_for_their_looks_is_said(make_input):
    data = make_input(["cat"] * 10, sides=["train"] * 6 + ["test"] * 4)
    paths, ids = data.pictures.paths, data.ids
    flattering = PlanRow(paths[8], ids[8], "cat", "drop", "", "mislabeled")
    honest = PlanRow(paths[9], ids[9], "cat", "drop", "", "leak_duplicate, duplicate_exact")
    notes = apply_plan([flattering, honest], data.pictures, ids).notes
    assert "1 picture of 4 that judge is dropped for how they look" in notes[1]
    assert len(apply_plan([honest], data.pictures, ids).notes) == 1
    training = replace(flattering, path=paths[1], id=ids[1])
    assert len(apply_plan([training], data.pictures, ids).notes) == 1


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n'"), max_size=20))
def test_guarded_cells_come_back(cell):
    shown = guarded(cell)
    assert not shown.startswith(("=", "+", "-", "@", "\t"))
    assert (shown[1:] if shown != cell else shown) == cell


def test_refs_carry_what_findings_name(make_input):
    data = make_input(["cat"] * 2, sides=["train", "test"])
    assert data.refs(np.array([1])) == (PictureRef("cat/0001.jpg", data.ids[1], "test"),)
