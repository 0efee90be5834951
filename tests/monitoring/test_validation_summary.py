"""The summary of validation posts that travels with a model."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from multimodal_sentiment.monitoring import draw_projections, read_summary, summarise, write_summary

SIZES = {"text": 10}
COUNTS, FEATURES = "validation_summary.json", "validation_features.safetensors"


def test_it_comes_back_as_it_was(summary, tmp_path):
    write_summary(summary, tmp_path)
    again = read_summary(tmp_path, SIZES)

    assert (again.posts, again.categories, again.numbers) == (
        summary.posts,
        summary.categories,
        summary.numbers,
    )
    for given, read in (
        (summary.features, again.features),
        (summary.projections, again.projections),
    ):
        np.testing.assert_array_equal(given["text"], read["text"])


def test_no_two_observations_of_a_post_stay_together(observe, vectors):
    observed, features = observe(50, 3), vectors(50, 3)
    features[7] = np.nan
    summary = summarise(observed, {"text": features}, {})

    for values in summary.numbers.values():
        assert values == sorted(values)
    first = summary.features["text"][:, 0].tolist()
    assert first == sorted(first)
    assert len(first) == 49  # the post without a text has no features
    assert sum(summary.categories["parts"].values()) == 50


def test_a_folder_without_a_summary(tmp_path):
    assert read_summary(tmp_path, SIZES) is None


def test_projections_keep_distances():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 400))
    projected = points @ draw_projections({"text": 400})["text"]

    before = np.linalg.norm(points[:20] - points[20:], axis=1)
    after = np.linalg.norm(projected[:20] - projected[20:], axis=1)
    np.testing.assert_allclose(after / before, 1, atol=0.35)
    assert np.mean(after / before) == pytest.approx(1, abs=0.08)


@pytest.mark.fault("run", "a model's validation summary broken, cut short, of others", "one line")
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"posts": -1}, "validation_summary.json is broken: posts"),
        ({"numbers": {}}, "validation_summary.json is broken: it lacks"),
        ({"more": 1}, "validation_summary.json is broken: more"),
        (b"{", "validation_summary.json is broken"),
    ],
)
def test_broken_counts_are_refused(summary, tmp_path, damage, said):
    write_summary(summary, tmp_path)
    path = tmp_path / COUNTS
    if isinstance(damage, dict):
        damage = json.dumps(json.loads(path.read_text()) | damage).encode()
    path.write_bytes(damage)

    with pytest.raises(ValueError, match=said):
        read_summary(tmp_path, SIZES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it | {"features.text": it["features.text"][:, :3]}, "has the shape"),
        (lambda it: it | {"other.text": it["features.text"]}, "other.text has the shape"),
        (lambda it: {"features.text": it["features.text"]}, "do not belong together"),
        (lambda it: it | {"features.text": it["features.text"] * np.nan}, "what is no number"),
    ],
)
def test_broken_features_are_refused(summary, tmp_path, change, said):
    write_summary(summary, tmp_path)
    save_file(change(load_file(tmp_path / FEATURES)), tmp_path / FEATURES)

    with pytest.raises(ValueError, match=said):
        read_summary(tmp_path, SIZES)


def test_features_of_another_model_are_refused(summary, tmp_path):
    write_summary(summary, tmp_path)

    for sizes in ({"text": 11}, {"image": 10}):
        with pytest.raises(ValueError, match="of another model"):
            read_summary(tmp_path, sizes)


def test_features_cut_short_are_refused(summary, tmp_path):
    write_summary(summary, tmp_path)
    path = tmp_path / FEATURES
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(ValueError, match="broken or cut short"):
        read_summary(tmp_path, SIZES)
