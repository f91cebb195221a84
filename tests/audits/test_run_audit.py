"""Running checks: which ones, in what order, each group of pictures once."""

from __future__ import annotations

import pytest

from tellapart.audits import CHECKS, KINDS, check_fail_on, fails, run_audit
from tellapart.audits.records import SEVERITIES, Audit
from tellapart.errors import OptionError


def test_every_check_names_known_kinds_and_every_kind_has_a_check():
    made = [kind for check in CHECKS for kind in check.kinds]
    assert set(made) == set(KINDS)
    assert all(kind.severity in SEVERITIES and kind.why for kind in KINDS.values())


def test_a_clean_set_has_no_findings(make_input):
    data = make_input(["cat"] * 30 + ["dog"] * 30)
    assert run_audit(data) == Audit(pictures=60, findings=())


def test_one_group_of_pictures_is_one_finding_under_its_costliest_kind(make_input, make_facts):
    facts = [make_facts(row) for row in range(40)]
    facts[25] = facts[5]
    labels = ["cat"] * 20 + ["dog"] * 20
    sides = ["train"] * 10 + ["test"] * 10 + ["test"] * 10 + ["train"] * 10
    audit = run_audit(make_input(labels, facts=facts, sides=sides))
    (finding,) = audit.findings
    assert finding.kind == "leak_duplicate"
    assert finding.also == ("label_conflict", "duplicate_exact")
    assert {one.split for one in finding.pictures} == {"train", "test"}
    assert fails(audit, "error") and fails(audit, "label_conflict")
    assert not fails(audit, "blurry")


def test_findings_come_gravest_first(make_input, make_facts):
    facts = [make_facts(row) for row in range(60)]
    facts[3] = facts[2]
    facts[7] = make_facts(7, problem="cut", problem_kind="truncated")
    labels = ["cat"] * 50 + ["Cat"] * 10
    audit = run_audit(make_input(labels, facts=facts))
    assert [one.kind for one in audit.findings] == [
        "truncated",
        "label_spelling",
        "duplicate_exact",
        "imbalance",
    ]
    assert audit.findings[0].severity == "error"


def test_only_and_skip_choose_kinds(make_input, make_facts):
    facts = [make_facts(row) for row in range(60)]
    facts[3], facts[7] = facts[2], make_facts(7, problem="gone")
    data = make_input(["cat"] * 30 + ["dog"] * 30, facts=facts)
    only = run_audit(data, only=("duplicate_exact",))
    assert [one.kind for one in only.findings] == ["duplicate_exact"]
    skipped = run_audit(data, skip=("duplicate_exact",))
    assert [one.kind for one in skipped.findings] == ["unreadable"]


def test_unknown_kinds_are_refused_with_the_nearest(make_input):
    data = make_input(["cat"] * 30)
    with pytest.raises(OptionError, match=r"--only: .* 'blury'; did you mean 'blurry'\?"):
        run_audit(data, only=("blury",))
    with pytest.raises(OptionError, match=r"--skip: .* 'leak_duplicates'; .*'leak_duplicate'"):
        run_audit(data, skip=("leak_duplicates",))
    with pytest.raises(OptionError, match="leave nothing to look for"):
        run_audit(data, only=("dark",), skip=("dark",))


def test_fail_on_takes_severities_and_kinds_that_are_looked_for():
    with pytest.raises(
        OptionError, match=r"'mislabelled' is neither .*; did you mean 'mislabeled'"
    ):
        check_fail_on("mislabelled")
    with pytest.raises(OptionError, match="--fail-on dark has no effect"):
        check_fail_on("dark", skip=("dark",))
    check_fail_on("warning")
    check_fail_on(None)


def test_fail_on_a_severity_counts_graver_findings_too(make_input, make_facts):
    facts = [make_facts(row) for row in range(40)]
    facts[3] = facts[2]
    audit = run_audit(make_input(["cat"] * 20 + ["dog"] * 20, facts=facts))
    assert fails(audit, "warning") and fails(audit, "note") and not fails(audit, "error")


def test_the_order_of_files_changes_nothing(make_input, make_facts):
    facts = [make_facts(row) for row in range(40)]
    facts[30] = facts[4]
    facts[9] = make_facts(9, problem="broken")
    labels = ["cat"] * 20 + ["dog"] * 20
    paths = [f"{label}/{row:03d}.jpg" for row, label in enumerate(labels)]
    turned = [*range(20, 40), *range(20)][::-1]
    one = run_audit(make_input(labels, facts=facts, paths=paths))
    other = run_audit(
        make_input(
            [labels[row] for row in turned],
            facts=[facts[row] for row in turned],
            paths=[paths[row] for row in turned],
        )
    )
    assert {(f.kind, frozenset(p.path for p in f.pictures)) for f in one.findings} == {
        (f.kind, frozenset(p.path for p in f.pictures)) for f in other.findings
    }
    assert [f.kind for f in one.findings] == [f.kind for f in other.findings]
