"""An interrupted training is recognised and goes on."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa

from multimodal_sentiment.parameters import ModelParameters, TrainingParameters

from .dataset import digest
from .posts import TrainingPosts

logger = logging.getLogger(__name__)


def fingerprint_of(
    posts: TrainingPosts,
    model_parameters: ModelParameters,
    training: TrainingParameters,
    encoders: dict[str, Any],
) -> str:
    """Equal for two trainings that would learn the same: an interrupted one can then go on."""
    seen = posts.examples.select(["guid", "text", "image_hash"]).take(pa.array(posts.rows))
    content = [
        seen.to_pydict(),
        posts.tags.tolist(),
        posts.groups.tolist(),
        model_parameters.model_dump(),
        training.model_dump(exclude={"resume"}),
        encoders,
    ]
    return digest(json.dumps(part, sort_keys=True) for part in content)[:16]


def newest_checkpoint(folder: Path, fingerprint: str, resume: bool) -> str | None:
    """The newest whole checkpoint of this very training, if it is to go on."""
    own = folder / fingerprint
    if not resume:
        shutil.rmtree(own, ignore_errors=True)
        return None
    # The trainer's state is written last.
    whole = [path.parent for path in own.glob("checkpoint-*/trainer_state.json")]
    if not whole:
        logger.warning(
            "training.resume: no checkpoint of these posts and parameters: starting anew"
        )
        return None
    newest = max(whole, key=lambda path: int(path.name.rpartition("-")[2]))
    logger.info("Going on from %s", newest.name)
    return str(newest)
