"""Splits that keep groups together and labels in proportion."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from multimodal_sentiment.posts.split import grouped_folds, grouped_split

Posts = tuple[NDArray[np.str_], NDArray[np.int64]]


@pytest.fixture
def posts() -> Posts:
    """1,000 posts in three classes; 160 of them in groups of two to six, some of mixed labels."""
    rng = np.random.default_rng(7)
    labels = rng.choice(["negative", "neutral", "positive"], 1000, p=[0.3, 0.1, 0.6])
    groups = np.arange(1000)
    groups[:160] = 2000 + np.repeat(np.arange(40), [2, 6, 4, 4] * 10)
    shuffled = rng.permutation(1000)
    return labels[shuffled], groups[shuffled]


def shares(labels: NDArray[np.str_]) -> NDArray[np.float64]:
    return np.array([(labels == name).mean() for name in ("negative", "neutral", "positive")])


class TestGroupedSplit:
    @pytest.mark.parametrize("fraction", [0.1, 0.15, 0.2, 1 / 3, 0.5, 0.9])
    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_groups_stay_whole_and_labels_in_proportion(
        self, posts: Posts, fraction: float, seed: int
    ) -> None:
        labels, groups = posts
        held_out = grouped_split(labels, groups, fraction, seed)
        assert not set(groups[held_out]) & set(groups[~held_out])
        assert held_out.sum() == pytest.approx(1000 * fraction, abs=3)
        for name in np.unique(labels):
            of_label = labels == name
            assert held_out[of_label].sum() == pytest.approx(of_label.sum() * fraction, abs=3)

    def test_the_seed_decides(self, posts: Posts) -> None:
        first, again, other = (grouped_split(*posts, 0.2, seed) for seed in (0, 0, 1))
        assert (first == again).all()
        assert (first & other).sum() < 100  # about 40 of 200 by chance

    def test_every_post_may_be_held_out(self, posts: Posts) -> None:
        times = sum(grouped_split(*posts, 0.2, seed).astype(int) for seed in range(60))
        assert times.min() >= 1
        assert times.max() <= 30  # 12 on average, with a standard deviation of 3.1

    def test_a_large_group_is_held_out_as_often_as_any_post(self) -> None:
        labels = np.array(["a", "b"] * 100)
        groups = np.arange(200)
        groups[:20] = 5000
        times = sum(grouped_split(labels, groups, 0.2, seed)[0] for seed in range(200))
        assert 20 <= times <= 62  # 40 on average, with a standard deviation of 5.7

    @pytest.mark.parametrize("seed", range(10))
    def test_what_is_too_large_to_hold_out_is_left_to_single_posts(self, seed: int) -> None:
        labels = np.array(["a", "b"] * 500)
        groups = np.arange(1000)
        groups[:400] = 5000  # 200 of each label, twice the held out part
        held_out = grouped_split(labels, groups, 0.2, seed)
        assert held_out.sum() == pytest.approx(200, abs=2)
        assert not held_out[:400].any()

    @pytest.mark.parametrize("seed", range(5))
    def test_five_posts_are_enough_if_both_sides_can_have_both_labels(self, seed: int) -> None:
        labels = np.array(["a", "a", "a", "b", "b"])
        held_out = grouped_split(labels, np.arange(5), 0.2, seed)
        assert set(labels[held_out]) == set(labels[~held_out]) == {"a", "b"}

    @pytest.mark.parametrize("seed", range(5))
    def test_each_side_holds_labels_that_appear_in_mixed_groups_only(self, seed: int) -> None:
        labels = np.array(["a", "b", "a", "c", "b", "c", "a", "a"])
        groups = np.array([0, 0, 1, 1, 2, 3, 4, 5])
        held_out = grouped_split(labels, groups, 0.3, seed)
        assert set(labels[held_out]) == set(labels[~held_out]) == {"a", "b", "c"}


class TestGroupedFolds:
    @pytest.mark.parametrize("folds", [2, 5, 10])
    def test_folds_are_alike_and_divide_no_group(self, posts: Posts, folds: int) -> None:
        labels, groups = posts
        fold = grouped_folds(labels, groups, folds, seed=0)
        assert sorted(set(fold)) == list(range(folds))
        for group in np.unique(groups):
            assert len(set(fold[groups == group])) == 1
        for one in range(folds):
            assert (fold == one).sum() == pytest.approx(1000 / folds, abs=3)
            assert np.abs(shares(labels[fold == one]) - shares(labels)).max() < 0.03

    def test_as_balanced_as_scikit_learns(self, posts: Posts) -> None:
        from sklearn.model_selection import StratifiedGroupKFold

        labels, groups = posts
        theirs = np.empty(1000, int)
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        for number, (_, members) in enumerate(splitter.split(labels, labels, groups)):
            theirs[members] = number
        ours = grouped_folds(labels, groups, 5, seed=0)

        def unevenness(fold: NDArray[np.int64]) -> float:
            each = [shares(labels[fold == one]) - shares(labels) for one in range(5)]
            return float(np.abs(each).max())

        assert unevenness(ours) <= unevenness(theirs)

    def test_cost_grows_with_the_number_of_posts_alone(self) -> None:
        def seconds(count: int) -> float:
            labels = np.random.default_rng(0).choice(["a", "b", "c"], count)
            start = time.process_time()
            grouped_folds(labels, np.arange(count) // 2, 10, seed=0)
            return time.process_time() - start

        seconds(1000)
        assert seconds(200_000) < 30 * seconds(20_000)


class TestRefusals:
    def test_a_label_with_too_few_posts_is_named(self) -> None:
        labels = ["a"] * 50 + ["rare"]
        with pytest.raises(ValueError, match="too few posts tagged 'rare'") as caught:
            grouped_split(labels, range(51), 0.2, 0)
        assert "\n" not in str(caught.value)

    def test_twins_count_once(self) -> None:
        labels = ["a"] * 50 + ["rare"] * 3
        groups = [*range(50), 99, 99, 99]
        with pytest.raises(ValueError, match=r"'rare' .*: 1 after counting twins once"):
            grouped_split(labels, groups, 0.2, 0)

    def test_more_folds_than_groups_of_a_label(self) -> None:
        with pytest.raises(ValueError, match=r"'b' for 5 parts .*: 4 after"):
            grouped_folds(["a"] * 50 + ["b"] * 4, range(54), 5, 0)

    def test_one_label_only(self) -> None:
        with pytest.raises(ValueError, match="20 posts that are all tagged 'positive'"):
            grouped_split(["positive"] * 20, range(20), 0.2, 0)

    def test_all_posts_twins_of_each_other(self) -> None:
        with pytest.raises(ValueError, match="all twins of each other"):
            grouped_split(["a", "b"] * 10, [3] * 20, 0.2, 0)

    def test_no_posts(self) -> None:
        with pytest.raises(ValueError, match="no posts to split"):
            grouped_split([], [], 0.2, 0)
