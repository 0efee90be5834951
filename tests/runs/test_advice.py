"""Every command that a message names is run, in the situation in which it is named."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from multimodal_sentiment.datasets.promotion import PROMOTED
from multimodal_sentiment.runs.flags import all_flags

from ..commands import kedro
from .conftest import REPOSITORY

MODEL = "06_models/fusion_model.json"


def command_in(text: str) -> list[str]:
    """The one command that a message names: in quotes, or after "Next: " up to a comma."""
    found = re.findall(r'"kedro ([^"]+)"|Next: kedro (.+?), or kedro', text)
    (named,) = {first or second for first, second in found}
    return shlex.split(named)


def follow(project: Any, arguments: list[str]) -> str:
    """Run a command that was advised: it must work."""
    status, output = project.command(*arguments)
    assert status == 0, output
    return str(output)


def test_run_that_pipeline_first_then_what_comes_next(project, caplog):
    """From the refusal to the training that it names, and to the inference that this names."""
    start = ["run", "--pipeline=inference", "--params", "data=my data"]
    status, refusal = project.command(*start)
    assert status == 1

    follow(project, command_in(refusal))
    follow(project, start)
    follow(project, command_in(caplog.text))

    assert (project.path / "my data/07_model_output/submission.txt").exists()


def test_what_makes_a_single_input_first(project):
    project.run("counting")
    _, refusal = project.command("run", "--pipeline=auditing")

    follow(project, command_in(refusal))

    follow(project, ["run", "--pipeline=auditing"])


@pytest.mark.parametrize(
    ("step", "whole"), [("evaluation", "training"), ("comparing", "comparison")]
)
def test_the_features_that_a_step_lacks_come_from_the_pipeline_that_it_is_part_of(
    tmp_path, step, whole
):
    done = kedro("run", f"--pipeline={step}", "--params", f"data={tmp_path / 'data'}")

    assert "labelled.features: no version yet" in done.stderr
    assert set(re.findall(r"--pipeline=(\w+)", done.stderr)) == {whole}


def test_read_the_version_before_it_or_move_it_away(project):
    project.run("training")
    project.run("training")
    older, newest = project.versions(MODEL)
    (project.data / MODEL / newest / "fusion_model.json").write_text("{")
    _, refusal = project.command("run", "--pipeline=inference")

    (option,) = re.findall(r"(--load-versions \S+), or", refusal)
    follow(project, ["run", "--pipeline=inference", *option.split()])
    (place,) = re.findall(r"or move (.+) away$", refusal)
    (project.path / place).rename(project.path / "moved")
    follow(project, ["run", "--pipeline=inference"])

    assert [record["reads"] for record in project.records()[-2:]] == [{"fusion_model": older}] * 2


def test_the_damaged_version_is_replaced_by_the_one_before_it(project):
    project.run("counting")
    project.run("counting")
    older, newest = project.versions("02_intermediate/counts.csv")
    (project.data / "02_intermediate/counts.csv" / newest / "counts.csv").write_text('rows\n"1')
    _, refusal = project.command("run", "--pipeline=fitting")

    (option,) = re.findall(r"(--load-versions \S+), or", refusal)
    follow(project, ["run", "--pipeline=fitting", *option.split()])

    assert project.records()[-1]["reads"]["counts"] == older


@pytest.mark.parametrize(
    ("params", "way_out"),
    [
        ("data=o{namespace}", "data=other"),  # choose another folder
        ("data=pyproject.toml", "data=other"),  # name another folder with --params data=FOLDER
        ("raw=nowhere", "raw=data/01_raw"),  # name the folder it is in with --params raw=FOLDER
    ],
)
def test_another_folder_is_named(project, params, way_out):
    status, refusal = project.command("run", "--pipeline=training", f"--params={params}")
    assert status == 1
    assert len(refusal.splitlines()) == 1

    follow(project, ["run", "--pipeline=training", f"--params={way_out}"])


def test_all_outputs_are_there_so_without_the_option_they_are_made_anew(project, caplog):
    project.run("training")
    before = project.versions(MODEL)
    records = len(project.records())

    follow(project, ["run", "--pipeline=training", "--only-missing-outputs"])
    assert caplog.messages[-1] == (
        "Nothing to do: all outputs are there. Without --only-missing-outputs, they are made anew"
    )
    assert len(project.records()) == records
    assert project.versions(MODEL) == before

    project.run("training")
    assert len(project.versions(MODEL)) == len(before) + 1


def test_the_same_command_starts_an_interrupted_run_anew(project):
    held = project.start_held()
    (project.data / "06_models/scratch/state").unlink()  # it has not trained yet
    held.terminate()
    said, _ = held.communicate(timeout=30)
    assert said.endswith(": nothing of it is kept: the same command starts it anew\n")

    project.mark.unlink()
    follow(project, ["run", "--pipeline=training"])


@pytest.mark.parametrize("way", ["--back", "VERSION"])
@pytest.mark.parametrize("trouble", ["the promoted version is gone", "its name is damaged"])
def test_what_is_wrong_with_a_promotion_is_mended(project, trouble, way):
    project.run("training")
    project.run("training")
    older, newest = project.versions(MODEL)
    project.command("promote", older)
    if trouble == "its name is damaged":
        (project.data / MODEL / PROMOTED).write_text("{")
    else:
        (project.data / MODEL / older).rename(project.path / "moved")
    start = ["run", "--pipeline=inference"]
    status, refusal = project.command(*start)
    assert status == 1

    named = re.findall(r'"kedro (promote [^"]+)"', refusal)
    assert named == ["promote VERSION", "promote --back"]
    follow(project, ["promote", {"VERSION": newest}.get(way, way)])
    follow(project, start)

    assert project.records()[-1]["reads"]["fusion_model"] == newest


def test_a_promoted_version_that_is_damaged_gives_way(project):
    project.run("training")
    project.run("training")
    older, newest = project.versions(MODEL)
    project.command("promote", older)
    (project.data / MODEL / older / "fusion_model.json").write_text("{")
    _, refusal = project.command("run", "--pipeline=inference")

    follow(project, command_in(refusal))
    follow(project, ["run", "--pipeline=inference"])

    assert project.records()[-1]["reads"]["fusion_model"] == newest


def test_the_new_model_answers_once_it_is_promoted_as_advised(project, caplog):
    project.run("training")
    project.command("promote", *project.versions(MODEL))
    project.run("training")

    (command,) = re.findall(r"kedro (promote \S+) lets this one answer", caplog.text)
    follow(project, command.split())
    follow(project, ["run", "--pipeline=inference"])

    trained, read = project.records()[-2:]
    assert read["reads"]["fusion_model"] == trained["run"]


def test_of_a_disk_that_is_full_old_versions_are_pruned(project):
    """As `docs/troubles.md` advises for "No space left on device"."""
    for _ in range(3):
        project.run("counting")
    troubles = (REPOSITORY / "docs" / "troubles.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"`No space left on device` \| `kedro ([^`]+)`", troubles)

    follow(project, [*command.replace("3", "1").split(), "--yes"])

    assert len(project.versions("02_intermediate/counts.csv")) == 1


def test_training_with_corrected_tags_is_otherwise_the_same():
    given = {"raw": "my posts.csv", "columns": {"text": "caption"}, "corrections": None}
    corrected = {"corrections": "FILE"}
    assert all_flags({"env": "pretrained", "runtime_params": given}, corrected) == (
        " --env=pretrained --params 'raw=my posts.csv,columns.text=caption,corrections=FILE'"
    )
    assert all_flags({"env": None, "runtime_params": {}}, corrected) == " --params corrections=FILE"
