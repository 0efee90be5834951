from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.explaining.regions import MaskedImages, split_regions
from multimodal_sentiment.explaining.words import count_read, group_words, keep_words, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don't know, @ann: http://t.co/x", ["I", "don't", "know,", "@ann:", "http://t.co/x"]),
        ("great😀👍🏽 day ☹️", ["great", "😀👍🏽", "day", "☹️"]),
        ("太美了，真的。", ["太", "美", "了，", "真", "的。"]),
        ("我love你!", ["我", "love", "你!"]),
        ("ดีมาก", ["ดี", "ม", "า", "ก"]),
        ("как красиво — да", ["как", "красиво", "—", "да"]),
        (" \n ", []),
    ],
)
def test_words_are_what_people_call_words(text, words):
    assert [text[start:end] for start, end in split_words(text)] == words


def test_a_long_text_is_cut_into_runs_of_words_of_like_length():
    text = " ".join(map(str, range(1000, 1100)))

    runs = [text[start:end].split() for start, end in group_words(split_words(text), 8)]

    assert [word for run in runs for word in run] == text.split()
    assert {len(run) for run in runs} == {12, 13}


def test_words_that_are_kept_keep_their_order_and_all_are_the_text():
    text = "  so 太美 !\n"
    spans = split_words(text)
    members = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]], dtype=bool)

    assert keep_words(text, spans, members) == [text, "  so 美 ", ""]


@pytest.mark.parametrize(("most", "read"), [(9, 7), (7, 7), (6, 6), (5, 5), (4, 4), (3, 3)])
def test_words_behind_the_cut_are_not_read(most, read):
    text = "a bb c dd eee f g"

    def first_letters(part: str) -> list[str]:
        return [word[0] for word in part.split()][:most]

    assert count_read(text, split_words(text), most, first_letters) == read


def test_a_word_that_is_cut_is_read():
    text = "a bcdef g"

    assert count_read(text, split_words(text), 3, lambda part: list(part.replace(" ", ""))[:3]) == 2


@pytest.mark.parametrize(("letters", "read"), [(7, 7), (8, 8), (9, 8), (40, 8)])
def test_a_token_may_hold_several_letters(letters, read):
    text = "".join(chr(0x4E00 + letter) for letter in range(letters))

    def pairs(part: str) -> list[str]:
        return [part[start : start + 2] for start in range(0, len(part), 2)][:4]

    assert count_read(text, split_words(text), 4, pairs) == read


def test_regions_divide_the_square_that_the_model_sees():
    regions = split_regions(100, 200, 0.8, 2)

    assert regions == [(60, 10, 100, 50), (100, 10, 140, 50), (60, 50, 100, 90), (100, 50, 140, 90)]


def test_only_the_regions_that_are_away_change():
    image = np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    before = image.copy()
    members = np.array([[0, 0, 0, 0], [1, 1, 0, 1], [1, 1, 1, 1]], dtype=bool)
    images = MaskedImages(image, split_regions(100, 200, 0.8, 2), members)

    absent, masked, whole = images

    assert absent is None
    assert np.array_equal(whole, image)
    changed = (masked != image).any(axis=2)
    assert changed[50:90, 60:100].mean() > 0.9
    changed[38:102, 48:112] = False  # within three standard deviations of the edges
    assert not changed.any()
    assert masked[58:82, 68:92].std() < 0.3 * image.std()
    assert np.array_equal(image, before)


def test_what_is_left_fades_into_what_is_blurred():
    """Of squares of a pixel, black and white, all is grey where nothing is left."""
    squares = np.indices((100, 200)).sum(axis=0) % 2
    image = np.repeat(squares[..., None], 3, axis=2).astype(np.uint8) * 255
    members = np.array([[1, 1, 0, 1]], dtype=bool)

    (masked,) = MaskedImages(image, split_regions(100, 200, 0.8, 2), members)

    left = np.abs(masked[70, :, 0] - 127.5) / 127.5
    # The normal distribution function of the distance from the edge at 60, by 4 px.
    np.testing.assert_allclose(left[[44, 52, 56]], [1, 0.98, 0.84], atol=0.06)
    np.testing.assert_allclose(left[[59, 60]].mean(), 0.5, atol=0.06)
    np.testing.assert_allclose(left[[63, 67, 75]], [0.16, 0.02, 0], atol=0.06)
