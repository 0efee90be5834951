"""Checks before the first node the pretrained encoders that a run needs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..records import run_command
from .search import SEARCH_INPUT

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.parameters import ModelParameters

logger = logging.getLogger(__name__)


def check_encoders(
    pipeline: Pipeline, catalog: DataCatalog, parameters: Mapping[str, Any], flags: str
) -> list[str]:
    """Find the pretrained encoders that the run needs and that are missing or cannot be used.

    Args:
        pipeline: The pipeline that will run.
        catalog: The catalog, which holds the store of encoders.
        parameters: All parameters.
        flags: The options that make a command use the same folders and parameters.
    """
    from multimodal_sentiment.datasets import EncoderStoreDataset

    datasets = [catalog.get(name) for name in sorted(pipeline.inputs())]
    stores = [dataset for dataset in datasets if isinstance(dataset, EncoderStoreDataset)]
    if not stores:
        return []
    from multimodal_sentiment.encoders import (
        INSTALL,
        EncoderError,
        MissingEncoderError,
        find_encoder,
        is_packaged,
    )

    faults, missing, packaged = [], [], False
    fetch = f'"{run_command()} --pipeline=encoders{flags}"'
    needed = _needed_encoders(pipeline, parameters)
    if needed:
        logger.info("Checking the pretrained encoders")  # the first line, and it takes seconds
    for modality, name, model in needed:
        try:
            encoder = find_encoder(stores[0].load(), modality, name)
            identity = encoder.identify()
            from multimodal_sentiment.model import check_encoder  # imports torch

            check_encoder(encoder, modality, model)
            licence = identity["licence"] or "not stated"
            logger.info("%s, SHA-256 %.8s, licence: %s", encoder, identity["sha256"], licence)
        except MissingEncoderError as error:
            own = parameters["model"][modality]["encoder"]
            if SEARCH_INPUT in pipeline.inputs() and name != own:
                faults.append(  # what is fetched are the encoders of the model
                    f"search.space: {error}: leave it out, or name it in model.{modality}.encoder "
                    f"and run {fetch} first"
                )
                continue
            missing.append(str(error))
            packaged |= is_packaged(name)
        except EncoderError as error:
            faults.append(str(error))
    if missing:
        install = f"{INSTALL}, or " if packaged else ""
        advice = f"{install}run {fetch}, or {_from_scratch(flags)}"
        faults.append(f"{'; '.join(dict.fromkeys(missing))}: {advice}")
    return list(dict.fromkeys(faults))


def _from_scratch(flags: str) -> str:
    """Say how to do without pretrained encoders: --params goes before what an environment says."""
    named = " and no encoder in --params" if ".encoder=" in flags else ""
    return f"train without pretrained encoders with --env=scratch{named}"


def _needed_encoders(
    pipeline: Pipeline, parameters: Mapping[str, Any]
) -> list[tuple[str, str, ModelParameters]]:
    """Return modality and name of each pretrained encoder that the run needs, and the model.

    Of models that ask the same of an encoder, one stands for all.
    """
    from multimodal_sentiment.parameters import Parameters, vary

    whole = Parameters.model_validate(parameters)
    models = [whole.model]
    if "comparison_trainings" in pipeline.inputs():  # this run trains the variants
        changes = whole.comparison.compared.values()
        models = [vary(whole.model, whole.training, change).model for change in changes]
    if SEARCH_INPUT in pipeline.inputs():  # this run trains the settings of a search
        from multimodal_sentiment.searching import Space

        space = Space.read(whole.search.space, whole.model, whole.training)
        models = [setting.model for setting in space.encoder_settings()]
    needed = {
        (modality, name, getattr(model, modality).model_dump_json()): model
        for model in models
        for modality, name in model.encoders.items()
    }
    return [
        (modality, name, needed[modality, name, asked]) for modality, name, asked in sorted(needed)
    ]
