"""Splits that are stratified by label and never divide a group.

scikit-learn's `StratifiedGroupKFold` does the same for folds of equal size, but weighs every fold
anew for every group in Python: minutes for a million posts, and longer the finer the fraction.
Here groups of the same make-up (say, one positive post) are dealt out together, and the cost is
proportional to the number of posts, whatever the fraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

    from multimodal_sentiment.parameters import SplittingParameters


def grouped_folds(labels: ArrayLike, groups: ArrayLike, folds: int, seed: int) -> NDArray[np.int64]:
    """Deal posts into folds of about equal size, each with about the same share of each label.

    Args:
        labels: The label of each post.
        groups: The group of each post; posts of one group land in one fold.
        folds: The number of folds.
        seed: The seed of the shuffling.

    Returns:
        The fold of each post, of shape (posts,), from 0.

    Raises:
        ValueError: If a label has too few groups for every fold to hold it.
    """
    return _deal(labels, groups, [1 / folds] * folds, seed)


def grouped_split(
    labels: ArrayLike, groups: ArrayLike, fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Set a fraction of the posts aside, with about the same share of each label.

    Args:
        labels: The label of each post.
        groups: The group of each post; posts of one group are all set aside or none of them.
        fraction: The share of the posts, between 0 and 1.
        seed: The seed of the shuffling.

    Returns:
        Whether each post is set aside, of shape (posts,).

    Raises:
        ValueError: If a label has too few groups for both sides to hold it.
    """
    return np.equal(_deal(labels, groups, [fraction, 1 - fraction], seed), 0)


def describe_split(
    train_posts: pd.DataFrame,
    validation_posts: pd.DataFrame,
    corrections: pd.DataFrame,
    group_of: pd.Series[Any],
    splitting: SplittingParameters,
) -> dict[str, Any]:
    """Say how the validation posts were drawn, if that is how they were found.

    They are drawn by the tags of the listing, whatever was corrected.

    Args:
        train_posts: `guid, tag`, the tags as corrected.
        validation_posts: The same.
        corrections: `guid, original` of the tags that were corrected.
        group_of: Each post's group, by guid, in the order of the listing.
        splitting: How posts would be drawn.
    """
    import pandas as pd

    posts = pd.concat([train_posts, validation_posts]).set_index("guid")["tag"]
    posts = corrections.set_index("guid")["original"].reindex(posts.index).fillna(posts)
    tags = posts.reindex([guid for guid in group_of.index if guid in posts.index])
    try:
        drawn = grouped_split(
            tags, group_of.loc[tags.index], splitting.validation_fraction, splitting.seed
        )
        is_drawn = set(tags.index[drawn]) == set(validation_posts["guid"])
    except ValueError:  # they are too few to be drawn
        is_drawn = False
    return splitting.model_dump() if is_drawn else {"as": "given with the posts"}


def check_enough_groups(labels: ArrayLike, groups: ArrayLike, sides: int) -> None:
    """Check that there are posts enough for each side to hold every label, twins on one side.

    Args:
        labels: The label of each post.
        groups: The group of each post.
        sides: The number of sides.

    Raises:
        ValueError: If there is one label or one group alone, or a label has fewer groups than that.
    """
    _count_posts(labels, groups, sides)


def _deal(
    labels: ArrayLike, groups: ArrayLike, capacities: Sequence[float], seed: int
) -> NDArray[np.int64]:
    """Return the side of each post; capacities are the sides' shares of all posts."""
    names, group, posts = _count_posts(labels, groups, len(capacities))
    rng = np.random.default_rng(seed)
    sides = _reserve(names, posts, len(capacities), rng)
    # One post's part of all that a side is to hold of its label in the end, (sides, labels).
    part = 1 / (np.asarray(capacities)[:, None] * posts.sum(axis=0))
    filled = np.stack([posts[sides == side].sum(axis=0) for side in range(len(part))]) * part

    # Larger groups first; the many single posts then even out what those left uneven.
    rest = rng.permutation(np.flatnonzero(sides < 0))
    makeups, makeup = np.unique(posts[rest], axis=0, return_inverse=True)
    makeup = makeup.ravel()  # numpy 2.0.0 gives a column
    alike = np.split(rest[np.argsort(makeup, kind="stable")], np.bincount(makeup).cumsum()[:-1])
    for kind in np.argsort(-makeups.sum(axis=1), kind="stable"):
        weights = makeups[kind] / makeups[kind].sum()
        gain = part * makeups[kind]
        counts = _share_out(len(alike[kind]), filled @ weights, gain @ weights, rng)
        sides[alike[kind]] = np.repeat(np.arange(len(counts)), counts)
        filled += gain * counts[:, None]
    return sides[group]


def _count_posts(
    labels: ArrayLike, groups: ArrayLike, sides: int
) -> tuple[list[object], NDArray[np.int64], NDArray[np.int64]]:
    """Return the labels' names, each post's group, and the number of posts (groups, labels)."""
    unique, label = np.unique(np.asarray(labels), return_inverse=True)
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    names = unique.tolist()
    posts = np.zeros((group.max(initial=-1) + 1, len(names)), np.int64)
    np.add.at(posts, (group, label), 1)
    total = posts.sum()
    if not total:
        raise ValueError("there are no posts to split")
    if len(names) == 1:
        raise ValueError(f"cannot split {total} posts that are all tagged {names[0]!r}")
    if len(posts) == 1:
        raise ValueError(
            f"cannot split {total} posts that are all twins of each other: their texts or images "
            f"are the same; add posts of their own"
        )
    for name, count in zip(names, (posts > 0).sum(axis=0), strict=True):
        if count < sides:
            raise _too_few(name, int(count), sides)
    return names, group, posts


def _too_few(name: object, groups: int, sides: int) -> ValueError:
    return ValueError(
        f"too few posts tagged {name!r} for {sides} parts that share no twins: {groups} after "
        f"counting twins once; add posts with that tag, or leave them out"
    )


def _reserve(
    names: list[object], posts: NDArray[np.int64], sides: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give each side one small group of each label, rare labels first; -1 is for other groups."""
    side_of = np.full(len(posts), -1)
    shuffled = rng.permutation(len(posts))
    by_size = shuffled[np.argsort(posts[shuffled].sum(axis=1), kind="stable")]
    groups_of_label = (posts > 0).sum(axis=0)
    for label in np.argsort(groups_of_label, kind="stable"):
        holding = by_size[posts[by_size, label] > 0]
        lacking = np.setdiff1d(np.arange(sides), side_of[holding])
        free = holding[side_of[holding] < 0]
        if len(free) < len(lacking):
            raise _too_few(names[label], int(groups_of_label[label]), sides)
        side_of[free[: len(lacking)]] = rng.permutation(lacking)
    return side_of


def _share_out(
    groups: int, level: NDArray[np.float64], step: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Share out equal groups so that the sides become equally full, as water would.

    The exact shares are rounded at random, so that large groups have their chance on every side.

    Args:
        groups: The number of groups.
        level: The share of what each side should hold that it holds now.
        step: The share that a group adds to it.
        rng: The source of the rounding.

    Returns:
        How many groups each side gets.
    """
    fits = level + step <= 1
    if fits.any():
        level = np.where(fits, level, np.inf)
    lowest = np.argsort(level)[: np.isfinite(level).sum()]
    surfaces = (groups + np.cumsum(level[lowest] / step[lowest])) / np.cumsum(1 / step[lowest])
    shares = np.maximum(surfaces.min() - level, 0) / step

    mixed = rng.permutation(len(shares))
    ends = np.minimum(np.floor(np.cumsum(shares[mixed]) + rng.random()), groups)
    ends[-1] = groups
    counts = np.empty(len(shares), np.int64)
    counts[mixed] = np.diff(ends, prepend=0)
    return counts
