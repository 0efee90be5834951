"""The package works where only it is installed, as `kedro package` builds it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .commands import Project

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel holds."""
    place = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, place)
    for name in ("src", "conf"):
        ignore = shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(PROJECT / name, place / name, ignore=ignore)
    (place / "conf" / "local" / "credentials.yml").write_text("secret: mine\n")
    # `kedro package` does the same in an environment that is fetched for it.
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(place)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (place / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "installed")
    return place / "installed"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "multimodal_sentiment", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_the_configuration_but_nothing_of_the_users_own(installed: Path) -> None:
    conf = installed / "multimodal_sentiment" / "conf"
    held = {str(path.relative_to(conf)) for path in conf.rglob("*") if path.is_file()}
    ours = {str(path.relative_to(PROJECT / "conf")) for path in (PROJECT / "conf").rglob("*.yml")}
    assert held == {name for name in ours if not name.startswith("local")} | {"local/.gitkeep"}


def test_the_wheel_holds_what_is_no_code(installed: Path) -> None:
    here, there = PROJECT / "src" / "multimodal_sentiment", installed / "multimodal_sentiment"
    kinds = {".html", ".css", ".js", ".md", ".txt"}
    ours = {path.relative_to(here) for path in here.rglob("*") if path.suffix in kinds}
    assert len(ours) > 5
    assert ours <= {path.relative_to(there) for path in there.rglob("*")}


@pytest.mark.fault("run", "kedro package, then python -m multimodal_sentiment", "it runs")
def test_the_wheel_runs_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "raw" / "data").mkdir(parents=True)
    tags = ["negative", "neutral", "positive"] * 3
    rows = [f"{guid},{tag}\n" for guid, tag in enumerate(tags)]
    (tmp_path / "raw" / "train.txt").write_text("guid,tag\n" + "".join(rows))
    for guid in range(len(tags)):
        (tmp_path / "raw" / "data" / f"{guid}.txt").write_text(f"what a day {guid}")
    done = run(
        installed, tmp_path, "--pipeline=ingestion", "--params=raw=raw,data=out,model.modality=text"
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) < 12, done.stderr
    (posts,) = (tmp_path / "out" / "02_intermediate" / "labelled" / "posts.csv").rglob("posts.csv")
    assert "what a day 2" in posts.read_text()


def test_a_configuration_of_ones_own_is_the_packages_with_what_differs(
    installed: Path, tmp_path: Path
) -> None:
    local = tmp_path / "conf" / "local"
    local.mkdir(parents=True)
    (local / "parameters.yml").write_text("trainin: 1\n")
    command = ["--pipeline=reading", "--params=raw=nowhere"]

    without = run(installed, tmp_path, *command)
    packaged = installed / "multimodal_sentiment" / "conf"
    shutil.copytree(packaged, tmp_path / "conf", dirs_exist_ok=True)  # as docs/parameters.md says
    own = run(installed, tmp_path, *command)

    assert without.stderr.count("conf/local is not read, as there is no conf/base: copy the ") == 1
    assert "trainin" not in without.stderr
    assert own.stderr == "Error: unknown parameter trainin: did you mean training?\n"


def test_the_wheel_leads_from_a_frame_to_answers(installed: Path, tmp_path: Path) -> None:
    """In an empty folder, in which it leaves no file."""
    code = """if True:
        import pandas as pd
        from multimodal_sentiment import train
        words = ["good", "bad"] * 20
        frame = pd.DataFrame({"tweet": words, "mood": words}, [f"post {n}" for n in range(40)])
        small = {"hidden_size": 16, "layers": 1, "heads": 2}
        parameters = {"model.modality": "text", "model.text.scratch": small}
        classifier = train(frame, tag="mood", env="scratch", parameters=parameters)
        print(classifier.predict(frame.tail(2)).index.tolist())
    """
    environment = {**os.environ, "PYTHONPATH": str(installed), "TMPDIR": str(installed)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("['post 38', 'post 39']\n")
    assert "Next: python -m multimodal_sentiment --pipeline=inference --env=scratch" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_container_would_start(installed: Path, trained_project: Project, tmp_path: Path):
    """Its command runs in an empty folder; its host, model and token are put in their places."""
    recipe = (PROJECT / "Containerfile").read_text()
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", recipe, re.MULTILINE)
    model = trained_project.path / "data" / "06_models" / "fusion_model"
    for there, here in {
        "0.0.0.0": "127.0.0.1",  # noqa: S104
        "/models/fusion_model": str(model),
        "/run/secrets/token": "token",
    }.items():
        assert there in entry
        entry = entry.replace(there, here)
    (tmp_path / "token").write_text("a-token-of-this-test")
    words = [sys.executable, *json.loads(entry)[1:], "--allow-host", "service", "--port", "0"]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = iter(process.stderr.readline, "")
        url = next(found[1] for line in said if (found := re.search(r"answers at (\S+);", line)))
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.request("GET", "/ready", headers={"Host": "service"})
        version = max(path.name for path in model.iterdir())
        assert json.load(connection.getresponse()) == {"status": "ready", "model": version}
        connection.request("GET", "/metrics")
        assert connection.getresponse().status == 401
    finally:
        process.terminate()
        assert process.wait(30) == 0
