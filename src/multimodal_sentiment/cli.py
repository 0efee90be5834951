"""This project's own commands, beside `kedro run`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.session import KedroSession

from multimodal_sentiment.kedro_run import PARAMS, run
from multimodal_sentiment.runs.error_lines import errors_in_one_line
from multimodal_sentiment.service.options import service_options

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata
    from kedro.io import CatalogProtocol


@click.group(name="kedro")
def cli() -> None:
    """Commands of this project."""


@cli.command()
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    required=True,
    help="How many versions of each dataset stay: the newest that are whole.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@env_option
@click.pass_obj
def prune(
    metadata: ProjectMetadata | None, keep: int, yes: bool, env: str | None, params: dict[str, Any]
) -> None:
    """Remove old versions, and what failed runs left.

    Shows what it will remove, and asks. A version stays if it is among the newest of its dataset,
    whichever run wrote it, or that of the promoted model. Features and checkpoints of an unfinished
    training stay.
    """
    from multimodal_sentiment.runs.lock import locked, promotion_locked
    from multimodal_sentiment.runs.pruning import (
        describe,
        find_leftovers,
        remove_all,
        versioned_datasets,
    )
    from multimodal_sentiment.runs.staging import recover
    from multimodal_sentiment.wording import size_in_words

    data, catalog = open_project(metadata, env, params)
    with errors_in_one_line(), locked(data):
        recover(data)
        datasets = versioned_datasets(data, catalog)
        leftovers = find_leftovers(data, datasets, keep)
        if not leftovers:
            click.echo(f"Nothing to remove from {data}.")
            return
        for line in describe(leftovers, data):
            click.echo(line)
        size = size_in_words(sum(leftover.size for leftover in leftovers))
        if not yes:
            click.confirm(f"Remove these {size} from {data}?", abort=True)
        with promotion_locked(data):
            remove_all(leftovers, datasets)
        click.echo(f"Removed {size}.")


@cli.command()
@click.argument("version", required=False)
@click.option("--back", is_flag=True, help="Take the promotion back: the newest answers again.")
@env_option
@click.pass_obj
def promote(
    metadata: ProjectMetadata | None,
    version: str | None,
    back: bool,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Have VERSION of the model answer, in inference and in Python, until another is promoted.

    Without VERSION, lists the models, and says which answers.
    """
    from multimodal_sentiment.runs.promoting import describe_models, promote_model

    data, catalog = open_project(metadata, env, params)
    if version and back:
        raise click.UsageError("--back promotes no VERSION: give one of the two")
    with errors_in_one_line():
        lines = (
            promote_model(data, catalog, version) if version or back else describe_models(catalog)
        )
    for line in lines:
        click.echo(line)


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--int8", is_flag=True, help="Keep the weights of matrix products in eight bits.")
@env_option
@click.pass_obj
def export(
    metadata: ProjectMetadata | None,
    folder: Path,
    int8: bool,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Write the model that answers into FOLDER as ONNX, with a page of Python that uses it.

    Needs the extra `export`; what it writes needs onnxruntime, tokenizers, numpy and Pillow.
    """
    from multimodal_sentiment.classifier.extras import EXPORT, check_packages
    from multimodal_sentiment.runs.promoting import load_answering

    with errors_in_one_line():
        check_packages("exporting", "export", EXPORT)
        _, catalog = open_project(metadata, env, params)
        model = load_answering(catalog)
        from multimodal_sentiment.publishing.export import PAGE, export_classifier

        settings = export_classifier(model, folder, int8=int8)
    worst = max(v for k, v in settings["checked"].items() if k.endswith("difference"))
    version = f", version {model.version}" if model.version else ""
    click.echo(
        f"{folder}: the model{version}; probabilities differ by {worst:.1g} at most from those in "
        f"fp32, in {len(settings['checked']['shapes'])} batches of random posts. "
        f"python {folder / PAGE} checks it where it is to be used"
    )


@cli.command()
@click.argument("repository")
@click.option("--public", is_flag=True, help="For everybody to see; else it is private.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@env_option
@click.pass_obj
def push(
    metadata: ProjectMetadata | None,
    repository: str,
    public: bool,
    yes: bool,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Send the model that answers, its card and its code, to REPOSITORY (OWNER/NAME) of a hub.

    Shows what would leave, and asks. The hub is that of encoders.endpoint or HF_ENDPOINT, else the
    Hugging Face hub; the user is whom HF_TOKEN or "hf auth login" names.
    """
    from multimodal_sentiment.runs.promoting import find_card, load_answering
    from multimodal_sentiment.wording import size_in_words

    _, catalog = open_project(metadata, env, params)
    with errors_in_one_line():
        model = load_answering(catalog)
        from multimodal_sentiment.publishing import push as sending

        endpoint = catalog["params:encoders.endpoint"].load()
        place = sending.check_repository(repository, endpoint, public=public)
        card = find_card(catalog, model.version)
        with sending.staged(model, card) as folder:
            for path in sorted(folder.iterdir()):
                click.echo(f"{size_in_words(path.stat().st_size):>10}  {path.name}")
            if card is None:
                click.echo(
                    "The card has no numbers: the run that trained the model left none here."
                )
            kind = "public" if public else "private"
            if not yes:
                click.confirm(f"Send these to {place.endpoint}/{repository}, {kind}?", abort=True)
            message = f"Model {model.version or ''}".strip()
            where = sending.push(place, folder, repository, message, public=public)
    click.echo(f"Sent to {where}, {kind}.")


@cli.command()
@service_options
@env_option
@click.pass_obj
def serve(
    metadata: ProjectMetadata | None, /, env: str | None, params: dict[str, Any], **options: Any
) -> None:
    """Answer posts over HTTP with the model that answers, and show a page for people at /.

    A newly promoted model (or a newer one, if none is promoted) is taken up without a restart.
    Another folder's model answers with --params model_folder=FOLDER. Needs the extra `serve`.

    This is not "kedro server start", which is Kedro's own, and runs pipelines for whoever asks.
    """
    from multimodal_sentiment.classifier.extras import SERVE, check_packages
    from multimodal_sentiment.runs.kedro_adapter import location

    with errors_in_one_line():
        check_packages("serving", "serve", SERVE)
        _, catalog = open_project(metadata, env, params)
        from multimodal_sentiment.service.server import serve as answer

        answer(location(catalog["fusion_model"]), **options)


for command in (prune, promote, export, push, serve):
    command.params.append(PARAMS)


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--labelled", default=400, show_default=True, help="Posts with a tag.")
@click.option("--unlabelled", default=80, show_default=True, help="Posts without.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws other posts.")
@click.option(
    "--size",
    default="small",
    show_default=True,
    help="Of the photos: small (8 KB), or lab, as large as real ones.",
)
@click.option("--noise", is_flag=True, help="Photos show nothing but noise: text alone can tell.")
@click.option("--workers", default=1, show_default=True, help="Processes that draw.")
def sample(folder: Path, **options: Any) -> None:
    """Write made-up posts into FOLDER: listings, texts, drawn photos, and what decides their tags.

    `decisive.jsonl` says of each post which modalities carry its judgement, and where: phrases as
    [start, end] in characters of the text, the box as [x0, y0, x1, y1] in pixels of the photo.
    """
    from multimodal_sentiment.commands import run_command
    from multimodal_sentiment.sample import write_sample

    try:
        write_sample(folder, **options)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    labelled, unlabelled = options["labelled"], options["unlabelled"]
    click.echo(
        f"{labelled} labelled and {unlabelled} unlabelled posts in {folder}: "
        f"{run_command()} --params {shlex.quote(f'raw={folder},data=ANOTHER_FOLDER')}"
    )


@errors_in_one_line()
def open_project(
    metadata: ProjectMetadata | None, env: str | None, params: dict[str, Any]
) -> tuple[Path, CatalogProtocol[Any, Any]]:
    """Return the data folder and the catalog of a project."""
    from multimodal_sentiment.runs.lock import data_folder

    session = KedroSession.create(
        metadata and metadata.project_path, env=env, runtime_params=params
    )
    context = session.load_context()
    data = data_folder(context.project_path, context.config_loader["parameters"]["data"])
    return data, context.catalog


cli.add_command(run)
