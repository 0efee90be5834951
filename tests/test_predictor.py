from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from PIL import Image

from multimodal_sentiment import load_classifier
from multimodal_sentiment.learning import predict_examples
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.posts.imaging import decode_image

LABELS = ["bad", "good"]
TEXTS = ["a lovely day at the sea", "rain again", "", "who knows"]


def photo(seed: int, height: int, width: int) -> Image.Image:
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((width, height))


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    paths = [tmp_path / f"{index}.png" for index in range(4)]
    for seed, path in enumerate(paths):
        photo(seed, 300 + 50 * seed, 400).save(path)
    return paths


@pytest.fixture
def classifier(tiny) -> SentimentClassifier:
    parameters = tiny()
    model, tokenizer = build_model(parameters.model, LABELS, TEXTS, {})
    model.config.calibration_temperature = 1.5
    bounds = parameters.preparation.model_dump(exclude={"storage"})
    model.config.training = {"pictures": bounds}
    return SentimentClassifier(model, tokenizer, {"posts": {}, "expected": {}})


@pytest.fixture
def folder(classifier, tmp_path) -> Path:
    folder = tmp_path / "fusion_model"
    for version in ("2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"):
        (folder / version / "fusion_model").mkdir(parents=True)
        classifier.save(folder / version / "fusion_model")
    return folder


def test_it_answers_as_the_pipeline_does(folder, classifier, photos, make_examples, tiny):
    parameters = tiny()
    bounds = parameters.preparation.model_dump(exclude={"storage"})
    pictures = [decode_image(path.read_bytes(), **bounds).pixels for path in photos]
    pictures[1] = None
    examples = make_examples(TEXTS, ["good"] * 4, pictures)
    expected = predict_examples(classifier, examples, np.arange(4), parameters.compute)

    answers = load_classifier(folder, device="cpu").predict(
        texts=TEXTS, images=[photos[0], None, str(photos[2]), photos[3].read_bytes()]
    )

    columns = ["predicted", "confidence", "p_bad", "p_good"]
    assert list(answers) == [*columns, "problems"]
    pd.testing.assert_frame_equal(answers[columns], expected[columns], atol=1e-2)
    assert list(answers["problems"]) == ["", "no image", "no text", ""]


def test_one_modality_is_enough(folder, photos):
    classifier = load_classifier(folder / "2026-01-01T00.00.00.000Z" / "fusion_model", "cpu")

    assert list(classifier.predict(texts=["fine"])["problems"]) == ["no image"]
    assert list(classifier.predict(images=[photos[0]])["problems"]) == ["no text"]
    assert classifier.labels == LABELS


def test_a_pillow_image_is_seen_upright_as_its_file_is(folder):
    classifier = load_classifier(folder, "cpu")
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees
    buffer = io.BytesIO()
    photo(0, 300, 400).save(buffer, "PNG", exif=exif)

    from_image, from_bytes, unturned = classifier.predict(
        images=[Image.open(buffer), buffer.getvalue(), photo(0, 300, 400)]
    )["p_good"]

    assert from_image == from_bytes
    assert from_image != unturned


def test_any_mode_of_image_is_taken(folder):
    drawn = photo(0, 80, 80)
    modes = [drawn.convert(mode) for mode in ("RGBA", "L", "CMYK", "P", "HSV")]

    answers = load_classifier(folder, "cpu").predict(images=modes)

    assert set(answers["problems"]) == {"no text"}


def test_a_broken_image_is_a_problem_and_a_missing_file_an_error(folder, tmp_path):
    classifier = load_classifier(folder, "cpu")

    assert (
        classifier.predict(texts=["x"], images=[b"JFIF"])["problems"]
        .item()
        .startswith("image broken: ")
    )
    with pytest.raises(FileNotFoundError):
        classifier.predict(images=[tmp_path / "nowhere.jpg"])


@pytest.mark.parametrize(
    ("posts", "words"),
    [
        ({}, "there are no texts and no images"),
        ({"texts": ["a", "b"], "images": [None]}, "there are 2 texts and 1 images"),
        ({"texts": "one"}, "texts must be a list"),
        ({"images": "one.jpg"}, "images must be a list"),
    ],
)
def test_posts_that_do_not_match_are_refused(folder, posts, words):
    with pytest.raises(ValueError, match=words):
        load_classifier(folder, "cpu").predict(**posts)


def test_no_posts_are_no_rows(folder):
    assert len(load_classifier(folder, "cpu").predict(texts=[])) == 0


def test_a_folder_without_a_model_is_said(tmp_path):
    with pytest.raises(DatasetError):
        load_classifier(tmp_path)
