from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler, normalize

from multimodal_sentiment.learning.linear_heads.heads import (
    SMALLER_STRENGTHS,
    STRENGTHS,
    Voice,
    deal_folds,
    solve_heads,
)
from multimodal_sentiment.learning.linear_heads.logit_pool import LogitPool, fit_pool, rows_of_posts

EVEN = np.ones(3)


def drawn_posts(n=240, labels=3, noise=1.0, seed=0):
    """Features of two modalities that each say something of the label, and the labels."""
    rng = np.random.default_rng(seed)
    true = np.arange(n) % labels
    centres = rng.normal(size=(2, labels, 8))
    text, image = (centre[true] + noise * rng.normal(size=(n, 8)) for centre in centres)
    return text, image, true


def solve(text, image, true, *, groups=None, has_text=None, has_image=None, weights=EVEN):
    n = len(true)
    voices = {"text": Voice(text, "text"), "image": Voice(image, "image")}
    present = {
        "text": np.ones(n, bool) if has_text is None else has_text,
        "image": np.ones(n, bool) if has_image is None else has_image,
    }
    fold = deal_folds(true, np.arange(n) if groups is None else groups, 0)
    return solve_heads(voices, present, true, fold, weights)


def voices_of(solved, text, image):
    heads = solved.heads
    return np.stack([heads["text"].logits(text), heads["image"].logits(image)], axis=1)


@pytest.mark.parametrize("labels", [2, 3])
def test_a_head_gives_the_probabilities_of_scikit_learns_own_pipeline(labels):
    text, image, true = drawn_posts(labels=labels)
    weights = np.array([1.0, 2.0, 1.5])[:labels]
    head = solve(text, image, true, weights=weights).heads["text"]

    scaled = StandardScaler().fit_transform(normalize(text)) / np.sqrt(8)
    post_weights = weights[true] / weights[true].mean()
    own = LogisticRegression(C=head.strength, solver="newton-cholesky", tol=1e-10)
    own.fit(scaled, true, sample_weight=post_weights)

    np.testing.assert_allclose(
        softmax(head.logits(text), axis=1), own.predict_proba(scaled), atol=1e-5
    )


def test_a_feature_that_hardly_varied_does_not_decide():
    """It may be a hundred thousand times as large in a post from elsewhere."""
    text, image, true = drawn_posts()
    text[:, 7] *= 1e-5
    elsewhere = np.eye(8)

    logits = solve(text, image, true).heads["text"].logits(elsewhere)

    assert np.ptp(logits[7]) <= np.ptp(logits[:7], axis=1).max()


def test_sparse_features_are_taken_as_they_are():
    rng = np.random.default_rng(0)
    true = np.arange(240) % 3
    counts = rng.random((240, 30)) * (rng.random((240, 30)) < 0.2)
    counts[:, :3] += np.eye(3)[true] * rng.random((240, 1))
    words = csr_array(normalize(counts))
    fold = deal_folds(true, np.arange(240), 0)
    solved = solve_heads({"words": Voice(words, "text")}, {"text": EVEN[true]}, true, fold, EVEN)
    head = solved.heads["words"]

    own = LogisticRegression(C=head.strength, tol=1e-10, max_iter=1000).fit(words, true)

    np.testing.assert_allclose(
        softmax(head.logits(words), axis=1), own.predict_proba(words), atol=1e-5
    )


def test_equal_posts_give_equal_bits():
    first, second = solve(*drawn_posts()), solve(*drawn_posts())

    for name, head in first.heads.items():
        np.testing.assert_array_equal(head.weights, second.heads[name].weights)
        np.testing.assert_array_equal(head.bias, second.heads[name].bias)
    np.testing.assert_array_equal(first.pool.weights, second.pool.weights)
    np.testing.assert_array_equal(first.out_of_fold, second.out_of_fold)


def test_the_noisier_the_features_the_stronger_the_penalty():
    clear, noisy = (solve(*drawn_posts(noise=noise)).heads["text"] for noise in (0.3, 4.0))

    assert noisy.strength < clear.strength


def test_the_strength_of_least_loss_is_chosen_and_what_was_tried_is_told():
    solved = solve(*drawn_posts())

    for name, head in solved.heads.items():
        rows = [row for row in solved.tried if row["voice"] == name]
        assert [row["strength"] for row in rows] == list(STRENGTHS[: len(rows)])
        best = min(rows, key=lambda row: row["log_loss"])
        assert [row for row in rows if row["chosen"]] == [best]
        assert head.strength == best["strength"]


@pytest.mark.parametrize("tells", [True, False])
def test_the_grid_goes_on_where_its_end_would_be_chosen(tells):
    """Features that tell the label want hardly any penalty; those that mislead, all of it."""
    true = np.arange(60) % 3
    noise = np.random.default_rng(0).normal(size=(20, 100)).repeat(3, axis=0)  # for each label once
    text = np.eye(3)[true] + 1e-3 * noise[:, :3] if tells else noise
    solved = solve(text, noise, true)

    strength = solved.heads["text"].strength
    tried = [row["strength"] for row in solved.tried if row["voice"] == "text"]
    assert strength > 2.0**7 if tells else strength < 2.0**-5
    assert tried == sorted(tried)
    assert min(tried) < strength or strength == SMALLER_STRENGTHS[-1]
    assert max(tried) > strength or strength == STRENGTHS[-1]


def test_near_duplicates_do_not_vouch_for_each_other():
    rng = np.random.default_rng(0)
    copies = np.repeat(np.arange(120), 3)
    text, image = rng.normal(size=(2, 120, 100))[:, copies]  # noise: only a copy tells the label
    true = (np.arange(120) % 3)[copies]

    grouped = solve(text, image, true, groups=copies).out_of_fold.argmax(axis=1)
    straddling = solve(text, image, true).out_of_fold.argmax(axis=1)

    assert (grouped == true).mean() < 0.5
    assert (straddling == true).mean() > 0.9


def test_both_modalities_answer_better_than_either():
    text, image, true = drawn_posts(n=900, noise=2.5)
    solved = solve(text, image, true)
    voices = voices_of(solved, text, image)
    yes, no = np.ones(900, bool), np.zeros(900, bool)

    accuracy = {
        name: (solved.pool.logits(voices, rows_of_posts(present)).argmax(axis=1) == true).mean()
        for name, present in {
            "both": {"text": yes, "image": yes},
            "text": {"text": yes, "image": no},
            "image": {"text": no, "image": yes},
        }.items()
    }

    assert accuracy["both"] > max(accuracy["text"], accuracy["image"]) + 0.03
    assert (solved.out_of_fold.argmax(axis=1) == true).mean() > 0.6


def test_what_is_missing_is_neither_learnt_from_nor_heard():
    text, image, true = drawn_posts()
    has_image = np.arange(240) % 4 > 0
    image[~has_image] = np.nan
    solved = solve(text, image, true, has_image=has_image)
    voices = voices_of(solved, text, image)
    present = {"text": np.ones(240, bool), "image": has_image}
    alone = solved.pool.weights[1, 0] * voices[:, 0] + solved.pool.bias[1]

    assert np.isfinite(solved.out_of_fold).all()
    np.testing.assert_allclose(
        solved.pool.logits(voices, rows_of_posts(present))[~has_image],
        alone[~has_image],
        atol=1e-12,
    )
    scaled = StandardScaler().fit_transform(normalize(image[has_image])) / np.sqrt(8)
    own = LogisticRegression(C=solved.heads["image"].strength, tol=1e-10)
    own.fit(scaled, true[has_image])
    np.testing.assert_allclose(
        softmax(voices[has_image, 1], axis=1), own.predict_proba(scaled), atol=1e-5
    )


def test_a_label_that_no_image_shows_is_ruled_out_by_images_and_not_by_texts():
    text, image, true = drawn_posts(noise=0.3)
    has_image = true < 2
    solved = solve(text, image, true, has_image=has_image)

    assert np.isfinite(solved.out_of_fold).all()
    assert solved.heads["image"].logits(image).argmax(axis=1).max() == 1
    assert (solved.out_of_fold.argmax(axis=1) == true).mean() > 0.95


def test_class_weights_raise_what_a_rare_label_is_given():
    text, image, true = drawn_posts(n=600, noise=2.5)
    few = (true > 0) | (np.arange(600) % 30 == 0)
    posts = text[few], image[few], true[few]

    plain, heavy = (
        softmax(solve(*posts, weights=weights).heads["text"].logits(posts[0]), axis=1)
        for weights in (EVEN, np.array([5.0, 1.0, 1.0]))
    )

    assert heavy[:, 0].mean() > plain[:, 0].mean() + 0.05


def test_a_post_that_has_nothing_gets_the_shares_of_the_labels():
    true = np.array([0, 1, 1, 1, 2, 2])
    pool = fit_pool(np.zeros((6, 1, 3)), ["text"], np.ones(6, int), true)

    nothing = pool.logits(np.full((1, 1, 3), np.nan), np.array([0]))

    np.testing.assert_allclose(softmax(nothing), [[2 / 9, 4 / 9, 3 / 9]])


def test_pool_weighs_by_hand():
    weights = np.array([[0.0, 0], [2, 0], [0, 3], [1, 0.5]])
    bias = np.array([[0.0, 1], [0, 0], [0, 0], [0.25, 0]])
    voices = np.tile(np.array([[[1.0, 2], [4, -2]]]), (4, 1, 1))
    has = {"text": [False, True, False, True], "image": [False, False, True, True]}

    logits = LogitPool(weights, bias).logits(voices, rows_of_posts(has))

    np.testing.assert_allclose(logits, [[0, 1], [2, 4], [12, -6], [3.25, 1]])


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_pool_calibrates_a_voice(temperature):
    rng = np.random.default_rng(0)
    calibrated = rng.normal(scale=2, size=(20_000, 3))
    chances = softmax(calibrated, axis=1)
    true = (rng.random((20_000, 1)) > chances.cumsum(axis=1)).sum(axis=1)

    pool = fit_pool(calibrated[:, None] * temperature, ["text"], np.ones(20_000, int), true)

    assert pool.weights[1, 0] == pytest.approx(1 / temperature, rel=0.05)
    assert np.ptp(pool.bias[1]) < 0.1


def test_pool_gives_nothing_to_a_voice_that_errs():
    _, _, true = drawn_posts(n=300)
    right = 2 * np.eye(3)[true] + np.random.default_rng(0).normal(size=(300, 3))
    voices = np.stack([right, -right], axis=1)

    pool = fit_pool(voices, ["text", "image"], np.full(300, 3), true)

    assert pool.weights[3, 0] > 0.3
    assert pool.weights[3, 1] == 0


def test_a_handful_of_posts_answered_rightly_asks_for_no_boundless_confidence():
    true = np.arange(9) % 3
    voices = 10 * np.eye(3)[true][:, None]

    pool = fit_pool(voices, ["text"], np.ones(9, int), true)

    odds = softmax(pool.logits(voices, np.ones(9, int)), axis=1).max(axis=1)
    np.testing.assert_allclose(odds, 10 / 12, atol=0.05)


def test_too_few_posts_of_a_label_are_refused():
    text, image, _ = drawn_posts(n=9)
    true = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])

    with pytest.raises(ValueError, match=r"too few posts tagged 2 for 2 parts .*: 1 after"):
        solve(text, image, true)


def test_fewer_folds_do_where_a_label_is_rare():
    text, image, _ = drawn_posts(n=12)
    true = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2])

    assert np.isfinite(solve(text, image, true).out_of_fold).all()


def test_features_that_are_not_finite_are_refused():
    text, image, true = drawn_posts()
    text[3, 4] = np.inf

    with pytest.raises(ValueError, match="features of 'text' are not finite"):
        solve(text, image, true)
