"""What can be known to fail is said before the first node runs."""

from __future__ import annotations

import logging

import click
import pytest

MODEL = "06_models/fusion_model.json"


def refused(project, *arguments, **options):
    """The lines that say why a run does not start; that it did not."""
    before = project.records()
    with pytest.raises(click.ClickException) as caught:
        project.run(*arguments, **options)
    assert project.records() == before
    return caught.value.message.splitlines()


def test_no_model_yet_names_the_command_that_makes_one(project, monkeypatch):
    monkeypatch.chdir(project.path)

    assert refused(project, "inference") == [
        "fusion_model: no version yet in data/06_models/fusion_model.json: "
        'run "kedro run --pipeline=training" first'
    ]


def test_the_advised_command_works_on_the_same_folders(project, monkeypatch):
    monkeypatch.chdir(project.path)

    (line,) = refused(project, "inference", params={"data": "my data"})

    assert line.endswith("run \"kedro run --pipeline=training --params 'data=my data'\" first")


def test_one_pipeline_is_advised_for_all_that_is_missing(project):
    counts, model = refused(project, "auditing")

    assert counts.startswith("counts: no version yet")
    assert model.startswith("fusion_model: no version yet")
    assert '--pipeline=training" first' in counts
    assert '--pipeline=training" first' in model


def test_missing_raw_file_says_where_to_put_it(project, monkeypatch):
    monkeypatch.chdir(project.path)

    assert refused(project, "training", params={"raw": "nowhere"}) == [
        "source: no file nowhere/source.csv: put it there, or name the folder it is in with "
        "--params raw=FOLDER"
    ]


def test_newest_version_is_read_and_recorded(project):
    project.run("training")
    project.run("training")
    project.run("inference")

    first, second, inference = project.records()
    assert first["run"] < second["run"]
    assert inference["reads"] == {"fusion_model": second["run"]}


@pytest.mark.fault("run", "rows of a version that another program wrote", "a warning, one line")
def test_version_that_no_run_wrote_is_doubted_and_if_damaged_named(project, caplog):
    project.run("counting")
    counts = "02_intermediate/counts.csv"
    project.run("fitting")
    assert "no run on record" not in caplog.text
    whole = project.versions(counts)[0]
    foreign = project.data / counts / f"{whole}1"  # later than the whole one, and long past
    foreign.mkdir()
    (foreign / "counts.csv").write_text("rows\n1\n")

    project.run("fitting")

    assert f"counts: no run on record wrote version {foreign.name}: is it whole?" in caplog.text

    (foreign / "counts.csv").write_text('rows\n"1')
    status, output = project.kedro("run", "--pipeline=fitting")
    *_, line = output.splitlines()
    assert status == 1
    assert line.startswith(f"Error: train, loading counts {foreign.name}: ")
    assert line.partition(" (traceback")[0].endswith(
        f": the file is damaged: read the one before it with --load-versions counts:{whole}, or "
        f"move data/{counts}/{foreign.name} away"
    )


def test_pinned_version_is_read(project):
    project.run("training")
    (project.data / "01_raw/source.csv").write_text("guid,tag\n1,positive\n")
    project.run("training")
    first = project.versions(MODEL)[0]

    project.run("inference", load_versions={"fusion_model": first})

    assert project.records()[-1]["reads"] == {"fusion_model": first}
    assert (project.data / "07_model_output/submission.txt").read_text() == "rows\n2\n"


def test_pinned_version_that_is_not_there_lists_those_that_are(project, monkeypatch):
    monkeypatch.chdir(project.path)
    for _ in range(7):
        project.run("training")
    *older, e, d, c, b, a = project.versions(MODEL)
    assert len(older) == 2

    assert refused(project, "inference", load_versions={"fusion_model": "2001"}) == [
        "fusion_model: no version 2001 in data/06_models/fusion_model.json: "
        f"choose of {a}, {b}, {c}, {d}, {e}, 2 older"
    ]


def test_pin_that_would_be_ignored_is_refused(project):
    project.run("training")

    assert refused(project, "training", load_versions={"fusion_model": "2001"}) == [
        "--load-versions fusion_model: this run writes it, and reads what it wrote"
    ]
    assert refused(project, "inference", load_versions={"counts": "2001"}) == [
        "--load-versions counts: this run does not read it: choose of fusion_model"
    ]
    assert refused(project, "training", load_versions={"source": "2001"}) == [
        "--load-versions source: it has no versions"
    ]


@pytest.mark.fault("run", "a training joined to the inference after it", "one line that says how")
def test_what_a_run_writes_is_not_read_from_before_it(project, monkeypatch):
    monkeypatch.chdir(project.path)
    place = "data/06_models/fusion_model.json"
    (project.path / "conf/local/catalog.yml").write_text(
        f"counts: {{type: json.JSONDataset, filepath: {place}, versioned: true}}\n"
    )

    assert refused(project, "fitting", params={"raw": "x"}) == [
        f"counts: this run writes {place} anew, and cannot read what an earlier run wrote there: "
        'run its pipelines one after the other, or all at once with "kedro run --params raw=x"'
    ]


@pytest.mark.fault("run", "a report on a model that the run fits and does not judge", "one line")
def test_a_model_is_not_trained_to_be_described_by_the_numbers_of_another(project):
    project.run("training")

    assert refused(project, "copying") == [
        "metrics: those of an earlier fusion_model do not describe the one that this run trains: "
        "run evaluation too, as in --pipelines=fitting,evaluation,reporting"
    ]


@pytest.mark.fault("run", "a clock that went back", "one line, nothing written")
def test_clock_that_went_back_is_refused(project, monkeypatch):
    monkeypatch.chdir(project.path)
    future = project.data / "06_models/fusion_model.json/2999-01-01T00.00.00.000Z"
    future.mkdir(parents=True)
    (future / "fusion_model.json").write_text('{"rows": 1}')

    (line,) = refused(project, "training")

    assert line.startswith(
        "fusion_model: version 2999-01-01T00.00.00.000Z in data/06_models/fusion_model.json "
        "would count as newer than this run's "
    )
    assert line.endswith(": set the clock right, or move that version away")


def test_run_that_was_overtaken_is_refused(project):
    early = project.session()
    project.run()

    with pytest.raises(click.ClickException) as caught:
        early.run(pipeline_names=["training"])

    overtaking = project.records()[0]["run"]
    assert caught.value.message == (
        f"run {overtaking} has ended since this one was started: start it again"
    )


def test_home_folder_that_no_shell_has_expanded_is_refused(project):
    with pytest.raises(click.ClickException, match="~/x is not expanded in a file"):
        project.run(params={"data": "~/x"})


@pytest.mark.fault("run", "results asked for at an address", "one line, nothing written")
def test_an_address_to_write_to_is_refused(project):
    with pytest.raises(click.ClickException, match="data: s3://bucket/out is an address"):
        project.run(params={"data": "s3://bucket/out"})
    assert not (project.path / "s3:").exists()


@pytest.mark.fault("run", "a project below a folder whose name means another", "one line")
def test_a_project_below_a_folder_that_is_not_found_by_its_name(project):
    project.path = project.path.rename(project.path.with_name("a[1]"))
    conf = (project.path / "conf").rename(project.path.with_name("conf"))  # as of the package

    with pytest.raises(click.ClickException) as caught:
        project.session(conf_source=str(conf)).run(pipeline_names=["training"])
    assert caught.value.message == (
        f"data: {project.data} holds one of * ? [ ] {{ }}: choose another folder"
    )
    plain = {"data": str(project.path.with_name("plain"))}
    project.session(conf_source=str(conf), runtime_params=plain).run(pipeline_names=["training"])


@pytest.mark.fault("run", "pipelines that do not go together, or a runner that is none", "one line")
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--pipelines=training,copying", "must be unique"),
        (
            "--runner=ParalellRunner",
            "no attribute 'ParalellRunner': choose of SequentialRunner, ThreadRunner, Par",
        ),
        ("--runner=no.such.Runner", "No module named 'no': choose of Seq"),
    ],
)
def test_what_kedro_cannot_put_together_is_one_line(project, option, words):
    status, said = project.command("run", option)

    assert status == 1
    assert said.startswith("Error: ")
    assert words in said
    assert len(said.splitlines()) == 1


def test_refused_run_frees_the_folder(project):
    refused(project, "inference")

    project.run()


def test_environment_says_what_it_leaves_out(project, caplog):
    (project.path / "conf/other").mkdir()
    (project.path / "conf/local/parameters.yml").write_text("trouble:\n  ballast: 1\n")
    (project.path / "conf/local/catalog_broken.yml").write_text("[1, 2")
    (project.path / "conf/local/parameters").mkdir()
    (project.path / "conf/local/parameters/x.yaml").write_text("trouble: {fork: false}")
    (project.path / "conf/local/credentials.json").write_text('{"hub": {"token": 1}}')
    (project.path / "conf/local/globals.yml").symlink_to("nowhere")

    with caplog.at_level(logging.WARNING):
        project.session(env="other").load_context()

    assert (
        "--env=other takes the place of conf/local, and leaves out what stands there in "
        "catalog_broken.yml, credentials.json, globals.yml, parameters.yml, parameters/x.yaml\n"
    ) in caplog.text


def test_own_environment_leaves_nothing_out(project, caplog):
    (project.path / "conf/local/parameters.yml").write_text("trouble:\n  ballast: 1\n")

    with caplog.at_level(logging.WARNING):
        project.session().load_context()
        project.session(env="local").load_context()

    assert "leaves out" not in caplog.text
