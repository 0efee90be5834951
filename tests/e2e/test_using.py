"""A trained model leaves its data folder: it is copied, predicts in Python, and is exported."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment import load_classifier

from ..commands import Project
from ..publishing.loopback import NAME, Hub

PREDICTIONS = "07_model_output/unlabelled/predictions.csv"


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"guid": str, "problems": str}, keep_default_na=False)


@pytest.fixture(scope="module")
def copied(trained_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder alone, under another name."""
    place = tmp_path_factory.mktemp("elsewhere") / "mine"
    return Path(shutil.copytree(trained_project.newest("06_models/fusion_model"), place))


def test_in_python_it_answers_as_inference_does(trained_project: Project) -> None:
    expected = read(trained_project.newest(PREDICTIONS))
    posts = trained_project.raw / "data"
    texts = [posts / f"{guid}.txt" for guid in expected["guid"]]
    images = [min(posts.glob(f"{guid}.[jpw]*"), default=None) for guid in expected["guid"]]

    answers = load_classifier(trained_project.data / "06_models" / "fusion_model").predict(
        [path.read_bytes() if path.exists() else None for path in texts], images, problems="codes"
    )

    said = ["predicted", "problems", "decided_by"]
    assert answers[said].to_numpy().tolist() == expected[said].to_numpy().tolist()
    numbers = [name for name in answers if name not in said]
    np.testing.assert_allclose(answers[numbers], expected[numbers], atol=1e-5)


def test_its_folder_alone_predicts_unlabelled_posts(
    trained_project: Project, copied: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(trained_project.raw, raw)
    (raw / "train.txt").unlink()
    data = tmp_path / "data"

    trained_project.kedro(
        *("run", "--pipeline=inference"),
        *("--params", f"raw={raw},data={data},model_folder={copied}"),
    )

    (answers,) = (data / PREDICTIONS).glob("*/predictions.csv")
    pd.testing.assert_frame_equal(read(answers), read(trained_project.newest(PREDICTIONS)))


def test_it_is_exported(trained_project: Project, copied: Path, tmp_path: Path) -> None:
    folder = tmp_path / "onnx"

    done = trained_project.kedro(
        "export", str(folder), "--int8", "--params", f"model_folder={copied}"
    )

    assert "probabilities differ by" in done.stdout
    page = [sys.executable, str(folder / "answer.py")]
    checked = subprocess.run(page, capture_output=True, text=True, check=False)
    assert checked.stdout.startswith("as expected"), checked.stderr


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_nothing_is_sent_to_a_hub_by_somebody_who_says_no(
    trained_project: Project, hub: Hub
) -> None:
    asked = trained_project.run(
        *("push", NAME, "--params", f"encoders.endpoint={hub.url}"), typed="n\n"
    )

    assert asked.returncode == 1
    assert "model.safetensors" in asked.stdout  # what would leave
    assert f"Send these to {hub.url}/{NAME}, private? [y/N]" in asked.stdout
    assert hub.seen  # whether there is a repository of this name
    assert {request.partition(" ")[0] for request in hub.seen} == {"GET"}


def test_it_is_sent_to_a_hub_with_its_numbers(trained_project: Project, hub: Hub) -> None:
    done = trained_project.kedro("push", NAME, "--yes", "--params", f"encoders.endpoint={hub.url}")

    assert f"Sent to {hub.url}/{NAME}, private." in done.stdout
    listed = {line.split()[-1] for line in done.stdout.splitlines()}
    assert set(hub.files) <= listed
    assert b"| this model | " in hub.files["README.md"]
    assert hub.private


def test_pictures_that_were_prepared_otherwise_are_prepared_as_advised(
    trained_project: Project, copied: Path, tmp_path: Path
) -> None:
    start = ["run", "--pipeline=inference", "--params"]
    given = f"raw={trained_project.raw},data={tmp_path / 'data'},model_folder={copied}"
    refused = trained_project.run(*start, f"{given},preparation.short_side=100")
    assert refused.returncode == 1

    (wanted,) = set(re.findall(r"whole inference pipeline with --params (\S+),", refused.stderr))
    trained_project.kedro(*start, f"{given},{wanted}")


def test_another_user_with_the_folder_alone_gets_the_same_predictions(
    trained_project: Project, copied: Path
) -> None:
    setpriv = shutil.which("setpriv")
    if not setpriv or os.geteuid() != 0:
        pytest.skip("only root may become another user")
    nobody = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    with tempfile.TemporaryDirectory() as place:  # the folders of tests are their user's alone
        home = Path(place)
        shutil.copytree(copied, home / "model")
        shutil.copytree(trained_project.raw, home / "raw")
        (home / "raw" / "train.txt").unlink()
        for name in ("src", "conf", "pyproject.toml", ".telemetry"):
            source = trained_project.path / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, home / name)
        (home / "data").mkdir()
        for path in (home, *home.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.chown(home / "data", 65534, 65534)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home / "data")}
        environment |= {"PYTHONPATH": str(home / "src"), "OMP_NUM_THREADS": "1"}
        options: dict[str, Any] = {
            "cwd": home, "env": environment, "capture_output": True, "text": True
        }  # fmt: skip
        able = subprocess.run(
            [*nobody, sys.executable, "-c", "import kedro, torch"], check=False, **options
        )
        if able.returncode:
            pytest.skip("another user may not read the environment")
        folders = f"raw={home / 'raw'},data={home / 'data'},model_folder={home / 'model'}"
        command = [sys.executable, "-m", "kedro", "run", "--pipeline=inference"]
        done = subprocess.run([*nobody, *command, f"--params={folders}"], check=False, **options)

        assert done.returncode == 0, done.stderr
        (answers,) = (home / "data" / PREDICTIONS).glob("*/predictions.csv")
        assert answers.stat().st_uid == 65534
        theirs, ours = read(answers), read(trained_project.newest(PREDICTIONS))
    said = [name for name in ours if ours[name].dtype.kind not in "fi"]
    pd.testing.assert_frame_equal(theirs[said], ours[said])
    numbers = ours.columns.difference(said)
    np.testing.assert_allclose(theirs[numbers], ours[numbers], atol=1e-5)
