"""`kedro promote`: which version of the model answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from multimodal_sentiment.commands import own_command
from multimodal_sentiment.datasets.promotion import answering_version, promote, promoted_version

from .closing_summary import MODEL
from .kedro_adapter import is_versioned, location, place_in_words
from .lock import promotion_locked
from .versions import version_fault, versions_of

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol

    from multimodal_sentiment.model import SentimentClassifier


def describe_models(catalog: CatalogProtocol[Any, Any]) -> list[str]:
    """Return a line for each version of the model, the newest first."""
    dataset = _model(catalog)
    versions, folder = versions_of(dataset), location(dataset)
    notes: dict[str, list[str]] = {version: [] for version in versions}
    if versions:
        notes[versions[0]].append("newest")
    faults = []
    try:
        answers = answering_version(folder)
        if promoted := promoted_version(folder):
            notes[promoted].append("promoted")
        if answers:
            notes[answers].append("answers")
    except ValueError as error:  # the promoted version is gone: what is there can be promoted
        faults.append(str(error))
    lines = [f"{version}  {', '.join(words)}".rstrip() for version, words in notes.items()]
    return [*lines, *faults] or [f"No model yet in {place_in_words(dataset)}."]


def promote_model(data: Path, catalog: CatalogProtocol[Any, Any], version: str | None) -> list[str]:
    """Make a version of the model answer; the newest again if None.

    Args:
        data: The data folder.
        catalog: The catalog.
        version: The version.

    Returns:
        Lines that say which version answers from now on.

    Raises:
        click.ClickException: If there is no such version, or it cannot be read.
    """
    dataset = _model(catalog)
    folder = location(dataset)
    if not folder.is_dir():
        raise click.ClickException(f"{MODEL}: no version yet in {place_in_words(dataset)}")
    with promotion_locked(data):
        if version and (fault := version_fault(MODEL, dataset, version, _another())):
            raise click.ClickException(fault)
        promote(folder, version)
        answers = answering_version(folder)
    if answers is None:
        return [f"{MODEL}: no version yet in {place_in_words(dataset)}, and none is promoted."]
    what = "the promoted one" if version else "the newest"
    return [f"{MODEL} {answers}, {what}, answers from now on."]


def load_answering(catalog: CatalogProtocol[Any, Any]) -> SentimentClassifier:
    """Load the model that answers.

    Raises:
        click.ClickException: If there is none, or it cannot be read.
    """
    dataset = catalog[MODEL]
    if is_versioned(dataset):
        version = answering_version(location(dataset))
        if version is None:
            raise click.ClickException(
                f"{MODEL}: no version yet: train first, or name a trained model with --params "
                "model_folder=FOLDER"
            )
        if fault := version_fault(MODEL, dataset, version, _another()):
            raise click.ClickException(fault)
    model: SentimentClassifier = dataset.load()
    return model


def find_card(catalog: CatalogProtocol[Any, Any], version: str | None) -> str | None:
    """Return the card with the numbers of a version of the model, if the data folder has it."""
    place = location(catalog["model_card"])
    path = place / (version or "") / place.name
    return path.read_text(encoding="utf-8") if version and path.is_file() else None


def _another() -> str:
    """Say what to do about a model that cannot be read where no run is asked for."""
    return (
        f'have another answer with "{own_command("promote")} VERSION" and the same --env and '
        "--params, or train again"
    )


def _model(catalog: CatalogProtocol[Any, Any]) -> Any:
    """Return the dataset of the model.

    Raises:
        click.ClickException: If it keeps no versions, as it is one folder that was named.
    """
    dataset = catalog[MODEL]
    if not is_versioned(dataset):
        raise click.ClickException(
            f"{MODEL}: {place_in_words(dataset)} has no versions: leave model_folder out"
        )
    return dataset
