"""Checks before the first node the pretrained encoders that a run needs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.commands import run_command

from ..flags import all_flags
from .compute import SEARCH_INPUT, trained_variants

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.parameters import ModelParameters, Parameters

logger = logging.getLogger(__name__)


def check_encoders(
    pipeline: Pipeline,
    catalog: DataCatalog,
    parameters: Parameters,
    request: Mapping[str, Any],
) -> tuple[list[str], list[tuple[str, int]]]:
    """Find the pretrained encoders that the run needs and that are missing or cannot be used.

    Args:
        pipeline: The pipeline that will run.
        catalog: The catalog, which holds the store of encoders.
        parameters: All parameters.
        request: The run that Kedro was asked for.

    Returns:
        The faults, and of each encoder of images that can be used its name and how large it sees
        them: the length of their shorter side, px.
    """
    from multimodal_sentiment.datasets import EncoderStoreDataset

    datasets = [catalog.get(name) for name in sorted(pipeline.inputs())]
    stores = [dataset for dataset in datasets if isinstance(dataset, EncoderStoreDataset)]
    if not stores:
        return [], []
    from multimodal_sentiment.encoders import EncoderError, MissingEncoderError, find_encoder

    faults: list[str] = []
    seen: list[tuple[str, int]] = []
    lines: dict[str, None] = {}  # several models may read one encoder, each in its own way
    missing: dict[tuple[str, str], str] = {}  # by modality and name, what is said of it
    needed = _needed_encoders(pipeline, parameters)
    if needed:
        logger.info("Checking the pretrained encoders")  # the first line, and it takes seconds
    for modality, name, model in needed:
        try:
            encoder = find_encoder(stores[0].load(), modality, name)
            identity = encoder.identify()
            from multimodal_sentiment.model import (  # imports torch
                load_image_encoder,
                load_text_encoder,
            )

            if modality == "image":
                config, _ = load_image_encoder(encoder, model.image.size, model.image.resize)
                seen.append((encoder.name, config["resize"]))
            else:
                load_text_encoder(encoder, model.text.max_tokens, model.text.pooling)
            licence = identity["licence"] or "not stated"
            lines[f"{encoder}, SHA-256 {identity['sha256']:.8}, licence: {licence}"] = None
        except MissingEncoderError as error:
            missing[modality, name] = str(error)
        except EncoderError as error:
            faults.append(str(error))
    for line in lines:
        logger.info("%s", line)
    faults += _missing_faults(pipeline, missing, parameters, request)
    return list(dict.fromkeys(faults)), list(dict.fromkeys(seen))


def _missing_faults(
    pipeline: Pipeline,
    missing: Mapping[tuple[str, str], str],
    parameters: Parameters,
    request: Mapping[str, Any],
) -> list[str]:
    """Say how to get the encoders that are missing: those of the model by one command.

    The pipeline that fetches knows the model only; for another encoder it is told another model.

    Args:
        pipeline: The pipeline that will run.
        missing: What is said of each, by its modality and name.
        parameters: All parameters.
        request: The run that Kedro was asked for.
    """
    from multimodal_sentiment.encoders import INSTALL, is_packaged

    def ways(names: Iterable[str], changes: Mapping[str, str] | None = None) -> str:
        install = f"{INSTALL}, or " if any(map(is_packaged, names)) else ""
        return f'{install}run "{run_command()} --pipeline=encoders{all_flags(request, changes)}"'

    faults: list[str] = []
    own: dict[str, str] = {}
    group = "search.space" if SEARCH_INPUT in pipeline.inputs() else "comparison.variants"
    for (modality, name), said in missing.items():
        if parameters.model.encoders.get(modality) == name:
            own[name] = said
        else:
            changes = {"model.modality": modality, f"model.{modality}.encoder": name}
            faults.append(f"{group}: {said}: {ways([name], changes)} first, or leave it out")
    if own:
        faults.append(
            f"{'; '.join(own.values())}: {ways(own)}, or train without pretrained encoders with "
            "--env=scratch and no encoder in --params"
        )
    return faults


def _needed_encoders(
    pipeline: Pipeline, parameters: Parameters
) -> list[tuple[str, str, ModelParameters]]:
    """Return modality and name of each pretrained encoder that the run needs, and the model.

    Of models that ask the same of an encoder, one stands for all.
    """
    trained = trained_variants(pipeline, parameters)
    models = [variant.model for variant in trained] or [parameters.model]
    needed = {
        (modality, name, getattr(model, modality).model_dump_json()): model
        for model in models
        for modality, name in model.encoders.items()
    }
    return [
        (modality, name, needed[modality, name, asked]) for modality, name, asked in sorted(needed)
    ]
