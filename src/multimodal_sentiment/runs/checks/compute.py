"""Checks before the first node what the run computes on, and how large it sees images."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.parameters import Parameters as ParameterTree
    from multimodal_sentiment.parameters import Variant

logger = logging.getLogger(__name__)

_COMPUTE = "params:compute"
_FITTED, _COMPARED = "fitted_model", "comparison_predictions"
_SEARCHED = "search_study"
_TRAINED = {_FITTED, _COMPARED, _SEARCHED}


def check_device(pipeline: Pipeline, parameters: Mapping[str, Any]) -> list[str]:
    """Find out whether the device that a run asks for is missing, or lacks the precision.

    Torch is imported only where that can be: it takes seconds.
    """
    asked = parameters.get("compute", {})
    needs_no_device = asked.get("device") == "cpu"
    needs_none_by_choice = asked.get("device") == "auto" and asked.get("precision") != "bf16"
    if _COMPUTE not in pipeline.inputs() or needs_no_device or needs_none_by_choice:
        return []
    from multimodal_sentiment.compute.device import choose_device
    from multimodal_sentiment.parameters import ComputeParameters

    try:
        choose_device(ComputeParameters.model_validate(asked))
    except ValueError as error:
        return [str(error)]
    return []


def check_processes(pipeline: Pipeline, parameters: Mapping[str, Any]) -> list[str]:
    """Find the batches that the processes of a training by gradient descent cannot share evenly."""
    if not _TRAINED & pipeline.all_outputs():
        return []
    from multimodal_sentiment.parameters import Parameters, share_of_batch

    whole = Parameters.model_validate(parameters)
    processes = whole.compute.processes
    if whole.cluster.workers:  # each model of a comparison or a search is trained by one of them
        processes = whole.cluster.workers if _FITTED in pipeline.all_outputs() else 1
    faults: dict[str, None] = {}
    for variant in trained_variants(pipeline, whole):
        try:
            if not variant.model.has_solved_heads:
                share_of_batch(variant.training.batch_size, processes)
        except ValueError as error:
            faults[str(error)] = None
    return list(faults)


def trained_variants(pipeline: Pipeline, whole: ParameterTree) -> list[Variant]:
    """Return what a run may train, of a search what `_searched` does; none if it trains nothing.

    Args:
        pipeline: The pipeline that will run.
        whole: All parameters.
    """
    from multimodal_sentiment.parameters import vary

    trained = _TRAINED & pipeline.all_outputs()
    if not trained:
        return []
    trains_default = trained & {_FITTED, _SEARCHED}  # a search judges it beside its settings
    changed: list[Any] = [{}] if trains_default else []
    changed += whole.comparison.compared.values() if _COMPARED in trained else []
    variants = [vary(whole.model, whole.training, changes or {}) for changes in changed]
    return variants + (_searched(whole) if _SEARCHED in trained else [])


def _searched(whole: ParameterTree) -> list[Variant]:
    """Return a variant for each combination of choices, and of the ends of ranges."""
    from multimodal_sentiment.searching import Space, SpaceError

    try:
        space = Space.read(whole.search.space, whole.model, whole.training)
    except SpaceError:  # which another check says
        return []
    return [space.apply(values) for values in space.samples()]


def warn_of_enlarged_images(
    pipeline: Pipeline, parameters: Mapping[str, Any], seen: Sequence[tuple[str, int]]
) -> None:
    """Warn of a model that is to see images larger than they are stored.

    Args:
        pipeline: The pipeline that will run.
        parameters: All parameters.
        seen: The pretrained encoders of images that the run needs: the name of each, and the length
            of an image's shorter side as it sees it, px.
    """
    trains = bool(_TRAINED & pipeline.all_outputs())
    if not (trains or seen):
        return
    from multimodal_sentiment.parameters import Parameters

    whole = Parameters.model_validate(parameters)
    image, stored = whole.model.image, whole.preparation.short_side
    sides = [(f"{name} sees images of", side) for name, side in seen]
    if trains and "image" in whole.model.modalities and image.encoder is None:
        name = "resize" if image.resize else "size"
        sides.append((f"model.image.{name} is", image.resize or image.size or 0))
    for what, side in sides:
        if side > stored:
            logger.warning(
                "%s %d px, but preparation.short_side keeps %d px of an image's shorter side: "
                "larger images lose detail, and are enlarged again: set it to %d",
                what,
                side,
                stored,
                side,
            )
