"""Checks before the first node the space of a search."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

SEARCH_INPUT = "params:search"
INSTALL = 'searching needs optuna: pip install "multimodal-sentiment[search]"'


def check_search(pipeline: Pipeline, parameters: Mapping[str, Any]) -> list[str]:
    """Find what is wrong with the space of a search, if the run is one."""
    if SEARCH_INPUT not in pipeline.inputs():
        return []
    if find_spec("optuna") is None:
        return [INSTALL]
    from multimodal_sentiment.parameters import Parameters
    from multimodal_sentiment.searching import Space, SpaceError

    whole = Parameters.model_validate(parameters)
    try:
        Space.read(whole.search.space, whole.model, whole.training)
    except SpaceError as error:
        return str(error).splitlines()
    return []
