"""What the character model finds more plausible than what."""

from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.decoding import characters
from multimodal_sentiment.decoding.scoring import excess_bits, text_bits


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
        ("günaydın arkadaşlar", "günaydýn arkadaþlar"),
        ("źle spałem", "Ľle spa³em"),
        ("καλημέρα σε όλους", "кблзмЭсб уе ьлпхт"),
        ("صباح الخير جميعا", "ХИЗН ЗбОнС лгнЪЗ"),
        ("smør og brød", "sm›r og br›d"),
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
    np.testing.assert_allclose(together, [text_bits([text])[0] for text in texts], rtol=0)
    assert together[1] == 0.0


def test_texts_are_weighed_the_same_in_one_batch_as_in_many(monkeypatch):
    texts = [f"Größe {number}, 今日は" for number in range(50)]
    whole = text_bits(texts)
    monkeypatch.setattr("multimodal_sentiment.decoding.scoring._BATCH", 20)
    np.testing.assert_array_equal(text_bits(texts), whole)


def test_no_texts_take_no_bits():
    assert text_bits([]).shape == (0,)


def test_every_code_point_can_be_weighed():
    texts = [chr(code) for code in range(0x110000)]
    bits = text_bits(texts)
    assert np.isfinite(bits).all() and (bits > 0).all()


@pytest.mark.parametrize(
    ("texts", "misread"),
    [
        (["günaydın arkadaşlar", "çok güzel"], ["gŁnaydŐn arkadaŽlar", "‡ok gŁzel"]),
        (["доброе утро", "как дела"], ["ДЬБАЬХ РЫАЬ", "ЪЮЪ ДХЯЮ"]),
        (["Καλημέρα σε όλους"], ["ГбЮзмЭсб уе ьЮпхт"]),
    ],
)
def test_texts_exceed_what_a_language_takes_only_if_they_are_misread(texts, misread):
    assert excess_bits(texts) < 0.0 < excess_bits(misread)


def test_ascii_exceeds_nothing():
    assert excess_bits(["plain words", ""]) == 0.0


def test_the_table_of_characters_gives_every_language_letters_that_add_up():
    _, _, languages = characters._table()
    assert len(languages) > 40
    for language in languages:
        b"".decode(language.page)
        small = sum(share for letter, share in language.shares.items() if not letter.isupper())
        assert small == pytest.approx(1.0, abs=0.05), language
