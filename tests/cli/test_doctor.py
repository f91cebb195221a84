import json
import shutil
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., tuple[int, str, str]]


def test_it_says_what_is_installed_and_what_would_run(command: Command, kept_cache: Path) -> None:
    code, said, err = command("doctor")
    assert (code, err) == (0, "")
    rows = dict(line.split(None, 1) for line in said.splitlines() if not line.startswith("!"))
    assert {"tellapart", "python", "numpy", "openvino", "network", "cache"} <= set(rows)
    assert "lite0 runs on" in rows["network"]
    assert str(kept_cache) in rows["cache"]


def test_json(command: Command) -> None:
    code, said, _ = command("doctor", "--json")
    found = json.loads(said)
    assert code == 0
    assert found["format"] == 1
    assert "lite0 runs on" in found["found"]["network"]
    assert isinstance(found["mend"], list)


def test_clear_empties_the_cache_and_nothing_else(
    command: Command, finished: Path, kept_cache: Path, tmp_path: Path
) -> None:
    cache = Path(shutil.copytree(kept_cache, tmp_path / "cache"))  # of a finished run
    assert finished.is_dir()
    (cache / "mine.txt").write_text("not tellapart's")
    code, said, _ = command("doctor", "--cache", cache, "--clear")
    assert code == 0
    assert said.splitlines()[-1].startswith("cache emptied: ")
    assert "cache emptied: 0.0 MB freed" not in said
    assert [one.name for one in cache.iterdir()] == ["mine.txt"]
