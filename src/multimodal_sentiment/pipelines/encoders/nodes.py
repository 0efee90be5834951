"""Nodes of the encoders pipeline."""

from __future__ import annotations

from multimodal_sentiment.parameters import EncodersParameters, ModelParameters
from multimodal_sentiment.types import Json


def choose_encoders(model: ModelParameters, encoders: EncodersParameters) -> Json:
    """Return the `names` of the pretrained encoders that the model starts from, and the `endpoint`.

    Raises:
        ValueError: If it starts from none.
    """
    names = list(model.encoders.values())
    if not names:
        raise ValueError(
            "nothing to fetch: model.text.encoder and model.image.encoder name no pretrained "
            "encoder: run this with --env=pretrained or --env=strong, or name one"
        )
    return {"names": names, "endpoint": encoders.endpoint}
