"""What is observed of a post."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.monitoring import distinct_posts, observe_posts
from multimodal_sentiment.posts.content_keys import content_keys


def observe(texts, images, **columns) -> pd.DataFrame:
    count = len(texts)
    posts = {"text": texts, "encoding": ["utf-8"] * count, "problems": [""] * count}
    posts |= {"original_width": [640.0] * count, "original_height": [480.0] * count}
    predictions = {"predicted": ["good"] * count, "confidence": [0.5] * count}
    return observe_posts(pd.DataFrame(posts | columns), pd.DataFrame(predictions), images)


def filled(*colour: int) -> np.ndarray:
    return np.full((20, 30, 3), colour, dtype=np.uint8)


def test_colour_and_brightness_of_an_image():
    observed = observe(["a", "b", "c"], [filled(255, 0, 0), filled(90, 90, 90), None])

    # Of red: red - green is 255, (red + green) / 2 - blue is 127.5, and nothing varies.
    assert observed["colourfulness"][0] == pytest.approx(0.3 * np.hypot(255, 127.5))
    assert observed["brightness"][0] == pytest.approx(0.299 * 255)
    assert observed["colourfulness"][1] == pytest.approx(0)
    assert observed["brightness"][1] == pytest.approx(90)
    assert observed.loc[2, ["colourfulness", "image_width", "image_height"]].isna().all()


def test_what_a_post_lacks():
    observed = observe(["text", "  ", "text", ""], [filled(0, 0, 0), filled(0, 0, 0), None, None])

    assert observed["parts"].tolist() == ["text and image", "image alone", "text alone", "neither"]
    np.testing.assert_array_equal(observed["text_length"], [4, np.nan, 4, np.nan])


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("don't", "none"),
        ("don’t…", "punctuation"),
        ("don’t".encode().decode("cp1252"), "Latin, signs"),  # mojibake: donâ€™t
        ("fine 😀", "signs"),
        ("好 день", "Cyrillic, Han"),
    ],
)
def test_characters_beyond_ascii(text, kinds):
    assert observe([text], [None])["characters"].tolist() == [kinds]


def test_problems_and_encoding_in_words():
    observed = observe(
        ["a", "b"], [None, None], problems=["no_image; image_cut(3,9)", ""], encoding=["", "cp1252"]
    )

    assert observed["problems"].tolist() == ["image cut short, no image", "none"]
    assert observed["encoding"].tolist() == ["none", "cp1252"]


def test_copies_and_posts_that_were_learnt_from_are_not_counted():
    texts = ["the first of two", "RT @me: the first of two", "in the training", "another one"]
    posts = pd.DataFrame({"text": texts, "image_hash": ["1", "2", "3", "4"]})
    learnt = content_keys(["In the Training"], ["9"]).ravel()

    rows, left_out = distinct_posts(posts, learnt, 10)
    assert rows.tolist() == [0, 3]
    assert left_out == {"near_duplicates": 1, "learnt_from": 1, "not_drawn": 0}

    rows, left_out = distinct_posts(posts, None, 2)
    assert len(rows) == 2
    assert left_out == {"near_duplicates": 1, "learnt_from": 0, "not_drawn": 1}
