"""Which version a run reads: the newest; and if that cannot be read, it says so and ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click
import pytest

MODEL = "06_models/fusion_model.json"
FILE = "fusion_model.json"


@pytest.fixture
def trained(project, monkeypatch):
    """A project with two models."""
    monkeypatch.chdir(project.path)
    project.run("training")
    project.run("training")
    return project


def damage(path: Path, how: str) -> None:
    """Make a version one that cannot be read."""
    file = path / path.parent.name
    match how:
        case "half":
            file.write_text('{"rows"')
        case "empty":
            file.write_text("")
        case "lost":
            file.unlink()
        case "folder in its place":
            file.unlink()
            file.mkdir()
        case "dangling link":
            file.unlink()
            path.rmdir()
            path.symlink_to("nowhere")
        case "file closed":
            file.chmod(0)
        case "folder closed":
            path.chmod(0)


@pytest.mark.fault("run", "the newest version of an input is broken", "an error, with the way out")
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("half", "cannot be read: "),
        ("empty", "cannot be read: "),
        ("lost", "holds no fusion_model.json"),
        ("folder in its place", "cannot be read: "),
        ("dangling link", "holds no fusion_model.json"),
    ],
)
def test_a_broken_newest_version_is_an_error_with_two_ways_out(trained, how, words):
    older, newest = trained.versions(MODEL)
    damage(trained.data / MODEL / newest, how)

    line = refusal(trained)

    assert line.startswith(f"fusion_model: version {newest} {words}")
    assert line.endswith(
        f": read the one before it with --load-versions fusion_model:{older}, "
        f"or move data/{MODEL}/{newest} away"
    )
    assert len(line.splitlines()) == 1
    assert not (trained.data / "07_model_output").exists()


def refusal(project, **options) -> str:
    with pytest.raises(click.ClickException) as caught:
        project.run("inference", **options)
    return str(caught.value.message)


@pytest.mark.fault("run", "the newest version may not be read", "said as that, with the way out")
@pytest.mark.parametrize(
    ("how", "place"), [("file closed", f"/{FILE}"), ("folder closed", f"/{FILE}")]
)
def test_a_version_that_may_not_be_read_is_said_as_that(trained, as_nobody_special, how, place):
    older, newest = trained.versions(MODEL)
    damage(trained.data / MODEL / newest, how)

    status, output = trained.kedro("run", "--pipeline=inference", wrapper=as_nobody_special)

    assert status == 1
    assert output == (
        f"Error: fusion_model: version {newest} cannot be read: {newest}{place}: Permission denied"
        f": read the one before it with --load-versions fusion_model:{older}, "
        f"or move data/{MODEL}/{newest} away\n"
    )
    if how == "file closed":
        pruned, said = trained.kedro("prune", "--keep=2", wrapper=as_nobody_special)
        assert (pruned, said) == (0, f"Nothing to remove from {trained.data}.\n")


@pytest.mark.fault("run", "versions that may not be listed", "said as that")
def test_a_folder_of_versions_that_may_not_be_listed(trained, as_nobody_special):
    (trained.data / MODEL).chmod(0)
    status, output = trained.kedro("run", "--pipeline=inference", wrapper=as_nobody_special)
    (trained.data / MODEL).chmod(0o755)

    assert status == 1
    assert output.splitlines()[-1].endswith(
        f"{MODEL}: Permission denied: allow this user to, or take another folder"
    )


def test_the_only_version_is_broken(trained):
    older, newest = trained.versions(MODEL)
    damage(trained.data / MODEL / older, "lost")
    (trained.data / MODEL / older).rmdir()
    damage(trained.data / MODEL / newest, "half")

    assert refusal(trained).endswith(f": move data/{MODEL}/{newest} away")


def test_a_broken_version_that_was_asked_for_is_said_as_that(trained):
    older, _newest = trained.versions(MODEL)
    damage(trained.data / MODEL / older, "half")

    line = refusal(trained, load_versions={"fusion_model": older})

    assert line.startswith(f"fusion_model: version {older} cannot be read: ")


def test_an_older_broken_version_does_not_matter(trained):
    older, newest = trained.versions(MODEL)
    damage(trained.data / MODEL / older, "half")

    trained.run("inference")

    assert trained.records()[-1]["reads"] == {"fusion_model": newest}


@pytest.mark.fault("run", "foreign files among the versions", "they are no versions")
def test_what_is_no_version_is_none(trained):
    newest = trained.versions(MODEL)[-1]
    place = trained.data / MODEL
    (place / "notes").mkdir()
    (place / "zzz.txt").touch()
    (place / "2999-01-01T00.00.00.000Z").touch()  # a file
    (place / ".9999").mkdir()

    trained.run("inference")

    assert trained.records()[-1]["reads"] == {"fusion_model": newest}


def test_a_version_copied_by_hand_counts_whatever_it_is_called(trained, caplog):
    place = trained.data / MODEL
    (place / "99-from-Anna").mkdir()
    (place / "99-from-Anna" / FILE).write_text('{"rows": 7}')

    trained.run("inference")

    assert trained.records()[-1]["reads"] == {"fusion_model": "99-from-Anna"}
    assert "fusion_model: no run on record wrote version 99-from-Anna" in caplog.text


@pytest.mark.fault("run", "a model trained by another user", "its files follow the umask")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_files_follow_the_umask(project, umask):
    former = os.umask(umask)
    try:
        project.run()
    finally:
        os.umask(former)

    made = [path for path in (project.data / "06_models").rglob("*") if "scratch" not in path.parts]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {
        0o666 & ~umask
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o777 & ~umask}
