"""How much of an answer is owed to the text, and how much to the image."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def modality_contributions(
    both: ArrayLike, text_only: ArrayLike, image_only: ArrayLike, neither: ArrayLike
) -> pd.DataFrame:
    """Share the predicted class's probability out to text and image by their Shapley values.

    A modality's value is what it adds to the probability, averaged over whether it comes first or
    second; the two add up to `both - neither`. A modality that a post has not (where `both` and
    the other's probabilities, and its own and `neither`, are equal) gets exactly 0.
    Source: Shapley, "A Value for n-Person Games", 1953.

    Args:
        both: Probabilities of shape (n, classes) given text and image.
        text_only: The same with the image missing.
        image_only: The same with the text missing.
        neither: The same with both missing.

    Returns:
        One row per post: `text_value`, `image_value`, and `decided_by`: the modality of the
        greater value, `both` where they are equal, `neither` where none is above 0.
    """
    full = np.asarray(both, dtype=float)
    answer = full.argmax(axis=1)[:, None]
    whole, text, image, nothing = (
        np.take_along_axis(np.asarray(chances, dtype=float), answer, axis=1)[:, 0]
        for chances in (full, text_only, image_only, neither)
    )
    text_value = ((text - nothing) + (whole - image)) / 2
    image_value = ((image - nothing) + (whole - text)) / 2
    decided_by = np.select(
        [
            np.maximum(text_value, image_value) <= 0,
            text_value > image_value,
            image_value > text_value,
        ],
        ["neither", "text", "image"],
        default="both",
    )
    return pd.DataFrame(
        {"text_value": text_value, "image_value": image_value, "decided_by": decided_by}
    )
