"""Opens the cluster of a run before its first node, so that a missing one is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

_CLUSTER = "params:cluster"
PARALLEL = "ParallelRunner"


def open_run_cluster(
    pipeline: Pipeline, request: Mapping[str, Any], parameters: Mapping[str, Any]
) -> ExitStack:
    """Open the cluster that a run asks for, if one of its nodes uses it.

    Args:
        pipeline: The pipeline that will run.
        request: The run that Kedro was asked for.
        parameters: All parameters.

    Returns:
        What is to be closed when the run has ended.

    Raises:
        click.ClickException: If there is no such cluster.
    """
    opened = ExitStack()
    asked = parameters.get("cluster", {})
    if not asked.get("workers") or _CLUSTER not in pipeline.inputs():
        return opened
    from multimodal_sentiment.cluster import ClusterError, open_cluster
    from multimodal_sentiment.parameters import ClusterParameters

    if PARALLEL in str(request.get("runner")):
        raise click.ClickException(
            f"--runner={PARALLEL} starts processes that cannot share cluster.workers: leave it "
            "out, or set cluster.workers to 0"
        )
    try:
        opened.enter_context(open_cluster(ClusterParameters.model_validate(asked)))
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
    return opened
