"""The posts that are least like what a model knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from .validation_summary import ValidationSummary, present

_NEIGHBOURS = 5


class Unlike(NamedTuple):
    """A post, and how far it is from the validation posts.

    Attributes:
        row: The row of the post.
        modality: That which is furthest.
        times: The distance to its fifth nearest validation post, by what this distance is for the
            middle one of the validation posts.
    """

    row: int
    modality: str
    times: float


def least_like(
    summary: ValidationSummary, features: Mapping[str, NDArray[np.float32]], most: int
) -> list[Unlike]:
    """Return the posts whose features are furthest from those of validation posts.

    Args:
        summary: The summary of the validation posts.
        features: By modality, the projected features of all new posts.
        most: The number of posts.
    """
    found: dict[int, Unlike] = {}
    for modality, known in summary.features.items():
        rows = np.flatnonzero(~np.isnan(features[modality]).any(axis=1))
        if len(known) <= _NEIGHBOURS or not len(rows):
            continue
        index = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(known)
        usual = np.median(index.kneighbors()[0][:, -1])  # of each, but for itself
        times = index.kneighbors(present(features[modality]))[0][:, -1] / max(usual, 1e-6)
        for place in np.argsort(-times, kind="stable")[:most]:
            unlike = Unlike(int(rows[place]), modality, float(times[place]))
            if unlike.row not in found or unlike.times > found[unlike.row].times:
                found[unlike.row] = unlike
    return sorted(found.values(), key=lambda unlike: (-unlike.times, unlike.row))[:most]
