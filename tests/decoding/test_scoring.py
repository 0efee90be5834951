"""What the character model finds more plausible than what."""

from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.decoding.scoring import text_bits


@pytest.mark.parametrize(
    ("text", "misread"),
    [
        ("schöne Grüße", "schÃ¶ne GrÃ¼ÃŸe"),
        ("café", "caf茅"),
        ("привет всем", "ОПХБЕР БЯЕЛ"),
        ("привет", "ïðèâåò"),
        ("今天天气真好", "崐莽褌褍"),
        ("ありがとう", "偁傝偑偲偆"),
        ("안녕하세요", "救崇窍技夸"),
        ("wait…", "wait¡\xad"),
        ("so good 😊", "so good 馃槉"),
    ],
)
def test_a_text_takes_fewer_bits_than_its_bytes_misread(text, misread):
    bits = text_bits([text, misread])
    assert bits[0] < bits[1]


def test_a_lone_word_of_another_script_is_a_surprise_although_spaces_lie_between():
    bits = text_bits(["non è vero", "non и vero"])
    assert bits[0] < bits[1]


def test_what_a_text_takes_does_not_depend_on_the_texts_beside_it():
    texts = ["да", "", "今天", "plain words", "é"]
    together = text_bits(texts)
    np.testing.assert_allclose(together, [text_bits([text])[0] for text in texts], rtol=1e-5)
    assert together[1] == 0.0


def test_texts_are_weighed_the_same_in_one_batch_as_in_many(monkeypatch):
    texts = [f"Größe {number}, 今日は" for number in range(50)]
    whole = text_bits(texts)
    monkeypatch.setattr("multimodal_sentiment.decoding.scoring._BATCH", 20)
    np.testing.assert_allclose(text_bits(texts), whole, rtol=1e-5)


def test_no_texts_take_no_bits():
    assert text_bits([]).shape == (0,)


def test_every_code_point_can_be_weighed():
    texts = [chr(code) for code in range(0x110000)]
    bits = text_bits(texts)
    assert np.isfinite(bits).all() and (bits > 0).all()
