"""tellapart finetune, through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

SMALL = ("--epochs", "2", "--image-size", "64", "--size", "64", "--views", "1", "--folds", "2",
         "--batch", "8")  # fmt: skip
QUICK = (*SMALL, "--lr", "1e-3")
ASKED = ("--alphas", "0.5,1", "--tta", "3", "--save-every", "1")


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, shapes, kept_cache) -> Path:
    """A run on the shapes whose network was tuned."""
    from tellapart.cli.main import run_verb

    out = tmp_path_factory.mktemp("tuned") / "run"
    asked = ["finetune", str(shapes), "--out", str(out), "--cache", str(kept_cache), "--quiet"]
    assert run_verb([*asked, *QUICK, *ASKED]) == 0
    return out


def test_a_tuned_run_predicts_what_it_was_judged_by_without_torch(
    tuned, process, shapes, load_json
):

    told = load_json(tuned / "run.json")
    assert told["finetune"]["kept"] == "network"
    assert told["finetune"]["alpha"] in (0.5, 1.0)
    assert told["finetune"]["tta"]["views"] == ["whole", "whole, mirrored", "middle"]
    assert [one["name"] for one in told["finetune"]["histories"]] == ["fold 1", "fold 2"]
    assert told["seconds"]["finetune"] > 0
    assert (tuned / "model" / "weights.safetensors").is_file()
    judged = pl.read_parquet(tuned / "predictions.parquet")
    names = [str(shapes / path) for path in judged["path"]]
    script = "import sys; sys.modules['torch'] = None; from tellapart.cli.main import main; main()"
    page = (tuned / "report.html").read_text(encoding="utf-8")
    assert '<section id="training">' in page
    assert '<img class="sheet" src="data:image/jpeg;base64,' in page
    code = process("predict", tuned, *names, "--format", "jsonl", script=script)
    out, err = code.communicate()
    assert code.returncode == 0, err
    for line, row in zip(out.splitlines(), judged.iter_rows(named=True), strict=True):
        found = json.loads(line)
        assert found["predicted"] == row["predicted"]
        for name, value in found["probabilities"].items():
            assert value == pytest.approx(row[f"p:{name}"], abs=1e-6)


def test_the_saved_weights_are_those_of_the_network(tuned):

    from tellapart.finetuning.export import digest_of
    from tellapart.models.folder import load_classifier

    weights = load_file(tuned / "model" / "weights.safetensors")
    (part,) = load_classifier(tuned).parts
    assert part.weights_digest == digest_of(weights)
    assert part.name == "lite0 (fine-tuned)"


def test_the_probabilities_of_views_are_averaged_and_gain_and_cost_told(
    tuned, command, shapes, load_json
):
    from tellapart.models.folder import load_classifier

    clf = load_classifier(tuned)
    files = sorted(shapes.glob("boxes/*.png"))[:3]
    each = [
        replace(clf, tta=(), parts=(replace(clf.parts[0], views=(view,)),)).predict_proba(files)
        for view in clf.tta
    ]
    np.testing.assert_allclose(clf.predict_proba(files), np.mean(each, axis=0), atol=1e-6)
    assert not np.allclose(each[0], clf.predict_proba(files), atol=1e-4)
    code, said, err = command("predict", tuned, *files, "--tta", "1", "--json")
    assert code == 0, err
    for line, row in zip(said.splitlines(), each[0], strict=True):
        assert list(json.loads(line)["probabilities"].values()) == pytest.approx(row, abs=1e-6)
    stored = load_json(tuned / "run.json")["finetune"]["tta"]
    sentence = "3 views of each picture, probabilities averaged (--tta): balanced accuracy"
    assert sentence in (tuned / "report.html").read_text(encoding="utf-8")
    code, said, err = command("evaluate", tuned, shapes)
    assert code == 0, err
    assert sentence in said
    assert "ms a picture instead of" in said
    gain = 100 * (stored["averaged"] - stored["whole"])
    low, high = (100 * stored["difference"][end] for end in ("low", "high"))
    assert f"{gain:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})" in said
    headline = load_json(tuned / "metrics.json")["headline"]["value"]
    assert stored["averaged"] == pytest.approx(headline)


def test_views_that_cannot_be_averaged_are_refused(refused, finished, tuned, shapes, tmp_path):
    line = refused("finetune", shapes, "--out", tmp_path / "run", "--tta", "13")
    assert "--tta 13: 1 to 12 views are there" in line
    assert "--tta 0: 1 to 12 views" in refused("predict", finished, shapes, "--tta", "0")
    line = refused("evaluate", tuned, "--pick", "recall=0.5:boxes", "--tta", "2")
    assert "--tta has no effect with --pick" in line


def test_a_tuned_run_is_not_replaced_unasked(tuned, refused, shapes):
    line = refused("finetune", shapes, "--out", tuned, *QUICK)
    assert "holds a fine-tuned run: choose another --out, or replace it with --force" in line
    line = refused("run", shapes, "--out", tuned)
    assert "holds a fine-tuned run" in line


def test_what_is_wrong_is_said_before_any_work(refused, shapes, tmp_path):
    out = tmp_path / "run"
    for words, expected in (
        (("--lr", "0"), "--lr is 0.0: a number above 0 is needed"),
        (("--lr", "nan"), "--lr is nan"),
        (("--auto", "--scratch"), "--auto and --scratch say two different things"),
        (("--alphas", "0,x"), "--alphas takes numbers with commas between, got '0,x'"),
        (("--time-budget", "soon"), "--time-budget takes 30s, 10m or 1h, got 'soon'"),
        (("--batch", "900"), "--batch 900 is more than the"),
    ):
        assert expected in refused("finetune", shapes, "--out", out, *words)
    line = refused("run", shapes, "--out", out, "--finetune", "yes", "--refit")
    assert "--refit cannot go with fine-tuning" in line
    assert "--finetune 'maybe' is unknown" in refused("run", shapes, "--finetune", "maybe")
    assert "--resume has an effect with fine-tuning only" in refused("run", shapes, "--resume")
    assert not out.exists()


def test_without_lightning_the_install_line_comes_before_any_picture_is_read(
    refused, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "lightning", None)
    for verb in ("finetune", "lr-find"):
        line = refused(verb, tmp_path / "gone")
        assert line.endswith('lightning, which is not installed: pip install "tellapart[finetune]"')


def test_half_of_lightning_is_found_before_any_checkpoint(refused, shapes, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    line = refused("finetune", shapes, "--out", tmp_path / "run")
    assert 'pip install "tellapart[finetune]"' in line
    assert not list(tmp_path.glob("run*"))
    monkeypatch.setattr("tellapart.finetuning.finetune.make_bench", None)
    assert 'pip install "tellapart[finetune]"' in refused("lr-find", shapes)


def test_a_wrong_path_waits_for_no_library(tmp_path):
    code = (
        "import sys; from tellapart.cli.main import run_verb;"
        f"code = run_verb(['finetune', {str(tmp_path / 'gone')!r}]);"
        "print(code, [one for one in ('torch', 'lightning') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2 []"
    assert "no such path" in done.stderr


def test_kill_9_and_resume_ends_as_if_nothing_had_happened(tuned, process, command, shapes):
    out = tuned.parent / "killed"
    asked = ("finetune", shapes, "--out", out, *QUICK, *ASKED)
    first = process(*asked)
    checkpoints = out.with_name("killed.partial") / "checkpoints"
    deadline = time.monotonic() + 120
    while not (checkpoints / "fold-2").is_dir() and time.monotonic() < deadline:
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    first.kill()
    first.communicate()
    code, _, err = command(*asked)
    assert code == 2
    assert "go on with --resume, or begin anew with --force" in err
    code, _, err = command(*asked, "--resume")
    assert code == 0, err
    whole, again = (json.loads((one / "metrics.json").read_text()) for one in (tuned, out))
    assert whole == again
    assert "fold 1, epoch 1" not in (out / "log.txt").read_text()


def test_from_scratch_the_pretrained_network_stands_beside_it(
    command, write_pictures, tmp_path, load_json
):
    """On a set that has a class in its test part alone, which is said, too."""
    data = write_pictures(tmp_path / "data" / "train", count=8).parent
    write_pictures(data / "test", ("boxes", "dots", "lines", "rings"), count=4, start=8)
    words = ("--scratch", "--epochs", "1", "--image-size", "64", "--batch", "8")
    code, said, err = command("finetune", data, "--out", tmp_path / "run", *words)
    assert code == 0, err
    found = load_json(tmp_path / "run" / "run.json")["finetune"]["pretrained"]
    metrics = load_json(tmp_path / "run" / "metrics.json")["headline"]
    value = found["difference"]["value"]
    assert value == pytest.approx(found["balanced_accuracy"] - metrics["value"])
    assert (
        np.sum(found["confusion"]) == found["difference"]["pictures"] == metrics["pictures"] == 12
    )
    assert "Class 'rings' has no training pictures: it cannot be learned, and its 4 eval" in said
    (line,) = (one for one in said.splitlines() if one.startswith("Pretraining: "))
    assert f"pretraining is worth {100 * value:+.1f} points (95 % interval" in line
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert page.index('"spec-confusion-pretrained"') < page.index('"spec-confusion-scratch"')
    assert "What pretraining is worth" in page


def test_damaged_weights_are_noticed(tuned, refused, tmp_path, shapes):
    import shutil

    model = shutil.copytree(tuned / "model", tmp_path / "model")
    content = bytearray((model / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (model / "weights.safetensors").write_bytes(content)
    line = refused("predict", model, shapes)
    assert "weights.safetensors is damaged" in line


def test_checkpoints_are_scored_on_pictures_held_out_and_one_becomes_a_model(
    tuned, command, shapes, tmp_path, load_json
):
    code, said, err = command("evaluate", tuned, "--checkpoint", "all", "--json")
    assert code == 0, err
    found = {one["name"]: one for one in json.loads(said)["checkpoints"]}
    assert list(found) == ["kept", "epoch-1", "epoch-2"]
    sides = pl.read_parquet(tuned / "split.parquet")["split"].to_list()
    told = load_json(tuned / "run.json")["finetune"]
    kept, mixes = told["alpha"], {one["alpha"]: one for one in told["mixes"]}
    for name, alpha in (("kept", kept), ("epoch-2", 1.0)):
        headline = found[name]["headline"]
        assert headline["pictures"] == sides.count("train")  # none of those that judge
        assert headline["value"] == pytest.approx(mixes[alpha]["accuracy"])
        assert headline["low"] < headline["value"] < headline["high"]
    assert [one["class"] for one in found["epoch-1"]["per_class"]] == ["boxes", "dots", "lines"]
    code, said, err = command("evaluate", tuned, "--checkpoint", "all")
    assert code == 0, err
    recall = found["epoch-1"]["per_class"][0]["recall"]["value"]
    (line,) = [line for line in said.splitlines() if line.startswith("epoch-1 ")]
    assert f" / {recall:.2f} " in line
    assert f"{sides.count('train')} training pictures that the trainings had not seen" in said
    out = tmp_path / "chosen"
    code, said, err = command("evaluate", tuned, "--checkpoint", "epoch-1", "--out", out)
    assert code == 0, err
    assert "it has not been judged yet" in said
    assert load_json(out / "model.json")["headline"] is None
    code, said, err = command("evaluate", out, shapes, "--json")
    assert code == 0, err
    judged = json.loads(said)
    assert judged["headline"]["pictures"] == sides.count("test")
    assert judged["left_out"]["trained_on"] == sides.count("train")


def test_a_checkpoint_as_a_model_is_that_checkpoint(tuned, tmp_path):
    from tellapart.checkpoints import write_checkpoint
    from tellapart.finetuning.training import checkpoint_state

    clf = write_checkpoint(tuned, "epoch-1", tmp_path / "model")
    places = [tuned / "checkpoints" / f"fold-{fold}" / "epoch-001.ckpt" for fold in (1, 2)]
    first, second = (checkpoint_state(one) for one in places)
    state = {name: (one + second[name]) / 2 for name, one in first.items()}
    weights = load_file(tmp_path / "model" / "weights.safetensors")
    last = load_file(tuned / "model" / "weights.safetensors")
    own = {name.removeprefix("network."): one for name, one in state.items()}
    changed = [name for name in weights if not np.array_equal(weights[name], last[name])]
    assert changed
    for name in changed:
        np.testing.assert_allclose(weights[name], own[name], rtol=1e-5, atol=1e-7)
    head = state["head.weight"].numpy()
    scale = np.abs(clf.head.weights).sum() / np.abs(head).sum()  # one temperature
    np.testing.assert_allclose(clf.head.weights.T, scale * head, rtol=1e-4)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("all", "--out", "x"), "--out has no effect with --checkpoint all"),
        (("epoch-1",), "--checkpoint epoch-1 makes a model: say where with --out FOLDER"),
        (("epoch-7", "--out", "x"), "--checkpoint epoch-7: unknown; did you mean 'epoch-"),
        (("kept", "--out", "x"), "--checkpoint kept: that is the model of the run"),
        (("all", "--tta", "2"), "--tta has no effect with --checkpoint"),
        (("all", "--pick", "recall=0.5:dots"), "--pick and --checkpoint are two things"),
    ],
)
def test_checkpoints_that_cannot_be_had_are_refused(refused, tuned, words, line):
    assert line in refused("evaluate", tuned, "--checkpoint", *words)


def test_runs_without_checkpoints_are_refused(refused, finished, tuned, shapes):
    line = refused("evaluate", finished, "--checkpoint", "all")
    assert "holds no checkpoints to choose from: --checkpoint takes the folder of a" in line
    line = refused("evaluate", tuned, shapes, "--checkpoint", "all")
    assert "--checkpoint uses the run's stored answers: leave out DATA" in line
