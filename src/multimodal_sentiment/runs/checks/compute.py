"""Checks before the first node what a run trains, and what it computes on."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.parameters import Parameters, Variant

SEARCH_INPUT = "params:search"
INSTALL = 'searching needs optuna: pip install "multimodal-sentiment[search]"'
_COMPUTE = "params:compute"
_FITTED, _COMPARED = "fitted_model", "comparison_predictions"
_SEARCHED = "search_study"
TRAINED = {_FITTED, _COMPARED, _SEARCHED}


def check_device(pipeline: Pipeline, parameters: Parameters) -> list[str]:
    """Find out whether the device that a run asks for is missing, or lacks the precision.

    Torch is imported only where that can be: it takes seconds.
    """
    asked = parameters.compute
    needs_none_by_choice = asked.device == "auto" and asked.precision != "bf16"
    if _COMPUTE not in pipeline.inputs() or asked.device == "cpu" or needs_none_by_choice:
        return []
    from multimodal_sentiment.compute.device import choose_device

    try:
        choose_device(asked)
    except ValueError as error:
        return [str(error)]
    return []


def check_optuna(pipeline: Pipeline) -> list[str]:
    """Find out whether Optuna is missing: the steps of a search and those of its space need it."""
    in_search = any(node.namespace == "searching" for node in pipeline.nodes)
    searches = in_search or SEARCH_INPUT in pipeline.inputs()
    return [INSTALL] if searches and find_spec("optuna") is None else []


def check_search(pipeline: Pipeline, parameters: Parameters) -> list[str]:
    """Find what is wrong with the space of a search, if the run is one."""
    if SEARCH_INPUT not in pipeline.inputs():
        return []
    from multimodal_sentiment.searching import Space, SpaceError

    try:
        Space.read(parameters.search.space, parameters.model, parameters.training)
    except SpaceError as error:
        return str(error).splitlines()
    return []


def check_processes(pipeline: Pipeline, parameters: Parameters) -> list[str]:
    """Find the batches that the processes of a training by gradient descent cannot share evenly."""
    from multimodal_sentiment.parameters import share_of_batch

    processes = parameters.compute.processes
    if workers := parameters.cluster.workers:
        # Each model of a comparison or a search is trained by one of them.
        processes = workers if _FITTED in pipeline.all_outputs() else 1
    faults: dict[str, None] = {}
    for variant in trained_variants(pipeline, parameters):
        try:
            if not variant.model.has_solved_heads:
                share_of_batch(variant.training.batch_size, processes)
        except ValueError as error:
            faults[str(error)] = None
    return list(faults)


def trained_variants(pipeline: Pipeline, parameters: Parameters) -> list[Variant]:
    """Return what a run may train; none if it trains nothing.

    Of a search these are the combinations of choices and of the ends of ranges.

    Args:
        pipeline: The pipeline that will run.
        parameters: All parameters, of which the space of a search can be read.
    """
    from multimodal_sentiment.parameters import vary

    model, training = parameters.model, parameters.training
    trained = TRAINED & pipeline.all_outputs()
    changed: list[Any] = []
    if trained & {_FITTED, _SEARCHED}:  # a search judges the default beside its settings
        changed.append({})
    if _COMPARED in trained:
        changed += parameters.comparison.compared.values()
    variants = [vary(model, training, changes or {}) for changes in changed]
    if _SEARCHED in trained:
        from multimodal_sentiment.searching import Space

        space = Space.read(parameters.search.space, model, training)
        variants += [space.apply(values) for values in space.samples()]
    return variants
