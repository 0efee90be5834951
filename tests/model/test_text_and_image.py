from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import AutoTokenizer, BertConfig, RobertaConfig

from multimodal_sentiment.model.image import central_square
from multimodal_sentiment.model.text import TextEncoder, learn_tokenizer

TEXTS = ["Good day, good friend", "good night", "谢谢 你", "see http://x.example @Ann"]


def test_common_words_are_pieces_and_others_are_spelt() -> None:
    tokenizer = learn_tokenizer(TEXTS, 200)

    assert tokenizer.tokenize("GOOD night") == ["good", "night"]
    assert tokenizer.tokenize("nightd") == ["night", "##d"]
    assert tokenizer.tokenize("dago") == ["d", "##a", "##g", "##o"]
    assert tokenizer.tokenize("谢") == ["谢"]
    assert tokenizer.tokenize("Ω") == ["[UNK]"]


def test_the_vocabulary_is_bounded_and_keeps_what_is_common() -> None:
    tokenizer = learn_tokenizer(TEXTS, 20)

    assert len(tokenizer) <= 20
    assert tokenizer.tokenize("good") == ["good"]


def test_the_same_texts_give_the_same_tokenizer() -> None:
    vocabularies = [learn_tokenizer(TEXTS * 3, 40).get_vocab() for _ in range(3)]

    assert vocabularies[0] == vocabularies[1] == vocabularies[2]


def test_a_saved_tokenizer_reads_as_before(tmp_path: Path) -> None:
    tokenizer = learn_tokenizer(TEXTS, 60)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)

    for text in [*TEXTS, "", "unseen Ω words"]:
        assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert loaded.pad_token_id == tokenizer.pad_token_id == 0


def test_no_texts_still_make_a_tokenizer() -> None:
    tokenizer = learn_tokenizer(["", ""], 100)

    assert tokenizer("word")["input_ids"] == [2, 1, 3]


@pytest.mark.parametrize("how", ["bilinear", "bicubic", "lanczos"])
def test_a_square_is_resampled_as_its_encoder_is_used_to(how: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    whole = Image.fromarray(picture).resize((64, 64), Image.Resampling[how.upper()])

    assert np.array_equal(central_square(picture, 64, 64, how), np.asarray(whole))


@pytest.mark.parametrize("padding", [None, 1])
def test_where_padding_has_a_position_the_longest_text_is_shorter(padding: int | None) -> None:
    sizes = {"num_hidden_layers": 1, "num_attention_heads": 1, "hidden_size": 8}
    kind = BertConfig if padding is None else RobertaConfig
    config = kind(vocab_size=9, intermediate_size=8, max_position_embeddings=20, **sizes)

    assert TextEncoder(config, "cls").longest == (20 if padding is None else 18)
