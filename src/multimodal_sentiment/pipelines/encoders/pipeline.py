"""Pretrained encoders are fetched: the only pipeline that touches the network."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import choose_encoders


def create_pipeline() -> Pipeline:
    """Create the step that fetches the model's pretrained encoders."""
    return Pipeline(
        [
            Node(
                choose_encoders,
                inputs=["params:model", "params:encoders"],
                outputs="pretrained_encoders",
                name="fetch_encoders",
            )
        ]
    )
