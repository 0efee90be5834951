"""Which version of the model answers: the one asked for, the promoted one, else the newest."""

from __future__ import annotations

import json
import os
import signal
import time
from multiprocessing import get_context

import click
import pytest
from kedro.io.core import Version
from kedro_datasets.json import JSONDataset

from multimodal_sentiment.commands import MODULE
from multimodal_sentiment.datasets.promotion import (
    PROMOTED,
    answering_version,
    list_versions,
    promote,
    promoted_version,
)
from multimodal_sentiment.runs.lock import promotion_locked
from multimodal_sentiment.runs.pruning import Leftover, remove_all

MODEL = "06_models/fusion_model.json"


@pytest.fixture
def trained(project):
    """A project after three trainings."""
    for _ in range(3):
        project.run("training")
    return project


def answers(project) -> str:
    """The version that inference reads."""
    project.run("inference")
    return project.records()[-1]["reads"]["fusion_model"]


def test_the_promoted_version_answers_until_that_is_taken_back(trained):
    first, second, third = trained.versions(MODEL)
    assert answers(trained) == third

    status, said = trained.command("promote", second)
    assert (status, said) == (0, f"fusion_model {second}, the promoted one, answers from now on.\n")
    assert answers(trained) == second

    trained.command("promote", first)
    assert answers(trained) == first

    status, said = trained.command("promote", "--back")
    assert (status, said) == (0, f"fusion_model {third}, the newest, answers from now on.\n")
    assert answers(trained) == third
    assert not (trained.data / MODEL / PROMOTED).exists()


def test_a_version_that_is_asked_for_goes_before_it(trained):
    first, second, _ = trained.versions(MODEL)
    trained.command("promote", second)

    trained.command("run", "--pipeline=inference", f"--load-versions=fusion_model:{first}")

    assert trained.records()[-1]["reads"]["fusion_model"] == first


def test_a_newer_model_does_not_answer_before_it_is_promoted(trained, caplog):
    second = trained.versions(MODEL)[1]
    trained.command("promote", second)

    trained.run("training")
    newest = trained.records()[-1]["run"]
    assert f"the promoted model, {second}: kedro promote {newest} lets this one" in caplog.text
    assert answers(trained) == second


def test_it_is_listed(trained):
    first, second, third = trained.versions(MODEL)
    trained.command("promote", second)

    _, said = trained.command("promote")

    assert said == f"{third}  newest\n{second}  promoted, answers\n{first}\n"


def test_it_is_never_pruned(trained):
    first, _, third = trained.versions(MODEL)
    trained.command("promote", first)

    trained.command("prune", "--keep=1", "--yes")

    assert trained.versions(MODEL) == [first, third, PROMOTED]
    for of_its_run in ("08_reporting/metrics.json", "02_intermediate/counts.csv"):
        assert trained.versions(of_its_run) == [first, third]
    assert [record["run"] for record in trained.records()] == [first, third]
    assert answers(trained) == first


def test_what_is_promoted_while_others_are_pruned_stays(tmp_path):
    folders = [tmp_path / "model", tmp_path / "metrics"]
    versions = [folder / name for folder in folders for name in "ab"]
    for version in versions:
        (version / version.parent.name).mkdir(parents=True)
    records = [tmp_path / "runs" / f"{name}.json" for name in "ab"]
    records[0].parent.mkdir()
    for record in records:
        record.touch()
    promote(folders[0], "a")
    datasets = {
        folder.name: JSONDataset(filepath=str(folder), version=Version(None, None))
        for folder in folders
    }
    of_model, of_others = versions[:2], [*versions[2:], *records]

    # Of the model itself nothing is to go.
    remove_all([Leftover(path, "old version of x") for path in of_others], datasets)
    assert [list_versions(folder) for folder in folders] == [["b", "a"], ["a"]]
    assert [record.exists() for record in records] == [True, False]

    remove_all([Leftover(path, "old version of x") for path in of_model], datasets)
    assert [list_versions(folder) for folder in folders] == [["a"], ["a"]]
    assert [record.exists() for record in records] == [True, False]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"version": "2020"}', "version 2020 is promoted, and is not in"),
        ('{"version": "../../x"}', "version ../../x is promoted, and is not in"),
        ("{", "names no version: name one with"),
        ("[]", "names no version"),
        ('{"version": 5}', "names no version"),
    ],
)
def test_a_promotion_of_nothing_is_an_error_and_can_be_mended(trained, content, words):
    (trained.data / MODEL / PROMOTED).write_text(content)

    status, said = trained.command("run", "--pipeline=inference")
    assert status == 1
    assert words in said
    assert len(said.splitlines()) == 1

    trained.command("promote", "--back")
    assert answers(trained) == trained.versions(MODEL)[-1]


def test_where_only_the_package_is_installed_its_own_command_is_named(tmp_path):
    (tmp_path / PROMOTED).write_text('{"version": "2020"}')

    with (
        click.Context(click.Command("run"), info_name=MODULE),
        pytest.raises(ValueError, match='"python -m multimodal_sentiment promote --back"'),
    ):
        answering_version(tmp_path)


def test_what_there_is_is_listed_although_the_promoted_version_is_gone(trained):
    first, second, third = trained.versions(MODEL)
    trained.command("promote", first)
    (trained.data / MODEL / first).rename(trained.path / "moved")

    status, said = trained.command("promote")

    assert status == 0
    assert said.startswith(f"{third}  newest\n{second}\nversion {first} is promoted, and is not in")
    assert len(said.splitlines()) == 3


def test_a_promotion_is_taken_back_where_no_version_is_left(project):
    (project.data / MODEL).mkdir(parents=True)
    promote(project.data / MODEL, "2020")

    status, said = project.command("promote", "--back")

    assert (status, said) == (
        0,
        f"fusion_model: no version yet in data/{MODEL}, and none is promoted.\n",
    )
    assert promoted_version(project.data / MODEL) is None


def test_a_damaged_model_is_not_sent_away_and_the_reason_is_said(trained):
    third = trained.versions(MODEL)[-1]
    (trained.data / MODEL / third / "fusion_model.json").write_text("{")

    for command in (["export", "out"], ["push", "me/mine"], ["promote", third]):
        status, said = trained.command(*command)
        assert status == 1
        assert said.startswith(f"Error: fusion_model: version {third} cannot be read: ")
        assert 'have another answer with "kedro promote VERSION" and the same --env' in said
        assert len(said.splitlines()) == 1


@pytest.mark.fault("run", "wrong configuration under prune, promote, push", "one line each")
@pytest.mark.parametrize("command", [["prune", "--keep=1"], ["promote"], ["push", "me/mine"]])
def test_wrong_configuration_is_said_by_every_command(project, command):
    for name in "ab":
        (project.path / f"conf/local/parameters_{name}.yml").write_text("twice: 1\n")

    for env, words in (("local", "Duplicate keys found in "), ("nowhere", "does not exist")):
        status, said = project.command(*command, f"--env={env}")
        assert status == 1
        assert words in said
        assert len(said.splitlines()) == 1


def test_a_broken_promoted_version_is_an_error_and_not_passed_over(trained):
    first = trained.versions(MODEL)[0]
    trained.command("promote", first)
    (trained.data / MODEL / first / "fusion_model.json").write_text("{")

    status, said = trained.command("run", "--pipeline=inference")

    assert status == 1
    assert f"fusion_model: version {first} cannot be read" in said
    assert ': take its promotion back with "kedro promote --back"' in said


def test_only_what_can_be_read_is_promoted(trained):
    first, second, _ = trained.versions(MODEL)
    (trained.data / MODEL / first / "fusion_model.json").write_text("{")

    for version, words in (
        ("2020", f"choose of {trained.versions(MODEL)[-1]}"),
        (first, "cannot be"),
    ):
        status, said = trained.command("promote", version)
        assert status == 1
        assert words in said
    assert trained.command("promote", second, "--back")[0] == 2
    assert promoted_version(trained.data / MODEL) is None


def test_without_a_model_there_is_nothing_to_promote(project):
    assert "no version yet" in project.command("promote", "2020")[1]
    assert project.command("promote")[1] == "No model yet in data/06_models/fusion_model.json.\n"


def keep_promoting(data, versions):
    """Promote one after the other, and take that back, until somebody kills this process."""
    folder = data / MODEL
    while True:
        for version in (*versions, None):
            with promotion_locked(data):
                promote(folder, version)


def test_two_at_once_killed_in_between_leave_one_answer(tmp_path):
    versions = [f"2026-01-0{day}T00.00.00.000Z" for day in range(1, 6)]
    for version in versions:
        (tmp_path / MODEL / version).mkdir(parents=True)
    context = get_context("fork")
    seen = set()
    for _ in range(5):
        both = [context.Process(target=keep_promoting, args=[tmp_path, versions]) for _ in range(2)]
        for process in both:
            process.start()
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            seen.add(answering_version(tmp_path / MODEL))
        for process in both:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        assert answering_version(tmp_path / MODEL) in versions

    assert seen == set(versions)
    with promotion_locked(tmp_path):  # nobody who is gone has it
        promote(tmp_path / MODEL, versions[2])
    assert json.loads((tmp_path / MODEL / PROMOTED).read_text())["version"] == versions[2]
