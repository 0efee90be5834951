from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from multimodal_sentiment.batches import (
    LabelledPosts,
    PostDataset,
    StoredImages,
    Variation,
    rows_of,
)
from multimodal_sentiment.batches.augmentation import (
    _crops_one_by_one,
    crops_at_once,
    mask_tokens,
    random_crops,
)
from multimodal_sentiment.model import SentimentConfig
from multimodal_sentiment.model.image import central_square, resample
from multimodal_sentiment.model.text import clean_text, learn_tokenizer, tokenize

IMAGE = {"architecture": "resnet18", "size": 64, "resize": 72, "mean": [0.5] * 3, "std": [0.5] * 3}


def photo(height: int, width: int) -> np.ndarray:
    """A smooth picture, different everywhere."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [255 * x / width, 255 * y / height, 127 + 120 * np.sin(x / 9) * np.cos(y / 7)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def reader(config: SentimentConfig, tokenizer: Any) -> Any:
    """What a dataset needs of a classifier, without a model."""
    return SimpleNamespace(config=config, tokenizer=tokenizer, term_indices=None)


def dataset(
    modality: str = "both", crop_seed: int | None = None, dropout: float = 0.0
) -> PostDataset:
    texts = ["good day", "", "a very very good long day"]
    config = SentimentConfig(modality=modality, image_config=IMAGE, max_tokens=16)
    return PostDataset(
        reader(config, learn_tokenizer(texts * 5, 100)),
        texts,
        [photo(90, 120), photo(90, 120), None],
        np.array([2, 0, 1]),
        variation=None if crop_seed is None else Variation(crop_seed, dropout),
    )


def test_links_and_users_become_words() -> None:
    text = "RT @Ann_1: see https://t.co/aB1?x=2 and www.example.org! me@example.org @Bob"

    assert clean_text(text) == "RT @user: see http and http me@example.org @user"


def test_the_longest_text_sets_the_width_of_a_batch() -> None:
    batch = dataset().__getitems__([0, 2])
    lengths = batch["attention_mask"].sum(1)

    assert batch["input_ids"].shape == (2, int(lengths.max()))
    assert lengths[0] < lengths[1]
    assert (batch["input_ids"][0, lengths[0] :] == 0).all()  # BERT's padding


def test_what_is_missing_is_marked_and_only_then() -> None:
    posts = dataset()

    assert posts.__getitems__([0, 1, 2])["has_text"].tolist() == [True, False, True]
    assert posts.__getitems__([0, 1, 2])["has_image"].tolist() == [True, True, False]
    assert not {"has_text", "has_image"} & set(posts.__getitems__([0]))


def test_a_modality_that_is_not_used_is_not_read() -> None:
    class Unreadable:
        def __getitem__(self, index: int) -> None:
            raise AssertionError("read")

    config = SentimentConfig(modality="text", max_tokens=8)
    posts = PostDataset(reader(config, learn_tokenizer(["a b"], 100)), ["a"], Unreadable())

    assert set(posts.__getitems__([0])) == {"input_ids", "attention_mask"}
    assert set(dataset("image").__getitems__([0])) == {"pixels", "labels"}


def test_texts_are_cut_at_the_longest_allowed() -> None:
    tokenizer = learn_tokenizer(["one two three four five"], 100)

    (ids,) = tokenize(tokenizer, ["one two three four five " * 20], 10)
    assert len(ids) == 10
    assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_the_view_for_prediction_is_torchvisions() -> None:
    for height, width in [(256, 341), (300, 256), (256, 256), (100, 140), (500, 700)]:
        picture = photo(height, width)
        reference = v2.Compose([v2.Resize(256, antialias=True), v2.CenterCrop(224)])(
            Image.fromarray(picture)
        )
        error = np.abs(central_square(picture, 256, 224).astype(int) - np.asarray(reference))

        # Rounding of the resized length shifts what is seen by less than a pixel.
        assert error.mean() < 1.0, (height, width)
    assert np.array_equal(
        central_square(photo(256, 256), 256, 224), photo(256, 256)[16:240, 16:240]
    )


def test_a_view_for_training_is_a_whole_square_of_the_picture() -> None:
    posts = dataset(crop_seed=0)

    assert posts.__getitems__([0])["pixels"].shape == (1, 72, 72, 3)
    epochs = [3 * epoch for epoch in range(20)]  # of three posts, the first one
    left_edges = set(posts.__getitems__(epochs)["pixels"][:, 0, 0, 0].tolist())
    # The picture is 96 x 72 once its short side is 72 px: 255 / 96 of a level from px to px.
    assert len(left_edges) > 5
    assert min(left_edges) < 15
    assert 45 < max(left_edges) < 70


def test_seed_epoch_and_posts_alone_decide_a_view() -> None:
    def views(indices: list[int], seed: int = 0) -> torch.Tensor:
        return dataset(crop_seed=seed).__getitems__(indices)["pixels"]

    first = views([0, 1])
    torch.manual_seed(5)
    assert torch.equal(views([0, 1]), first)
    assert not torch.equal(views([3, 4]), first)
    assert not torch.equal(views([0, 1], seed=1), first)


def test_a_later_epoch_has_the_same_posts() -> None:
    posts = dataset()
    first, later = posts.__getitems__([2, 0]), posts.__getitems__([2 + 3 * 7, 0 + 3 * 7])

    assert len(list(posts)) == 3
    assert first.keys() == later.keys()
    assert all(np.array_equal(later[name], value) for name, value in first.items())


def test_random_views_show_the_asked_share() -> None:
    torch.manual_seed(0)
    side = 80
    ramp = 3 * torch.arange(side, dtype=torch.uint8)  # each column tells where it is
    pixels = ramp.view(1, 1, side, 1).expand(500, side, side, 3)
    views = random_crops(pixels, 40, 0.25).float() / 3

    assert views.shape == (500, 40, 40, 3)
    # Of a side, between the middles of the first and the last column; negative if flipped.
    width = (views[:, 20, 38, 0] - views[:, 20, 1, 0]) * 40 / 37 / side
    assert 0.5 - 0.02 <= width.abs().min() < 0.53
    assert 0.97 < width.abs().max() <= 1 + 0.02
    assert 0.4 < (width < 0).float().mean() < 0.6
    centres = views[:, 20, 19:21, 0].mean(1)
    assert centres.min() < 0.3 * side and centres.max() > 0.7 * side


def test_views_one_by_one_are_those_made_at_once() -> None:
    pixels = torch.from_numpy(photo(80, 80)).expand(2, 80, 80, 3)
    scale, flipped = torch.tensor([0.75, 1.0]), torch.tensor([True, False])
    shift = torch.tensor([[0.25, 0.0], [-0.2, 0.0]])  # to the right, and up
    transform = torch.zeros(2, 2, 3)
    transform[:, 0, 0] = scale * (1 - 2 * flipped.long())
    transform[:, 1, 1] = scale
    transform[:, :, 2] = shift.T

    one_by_one = _crops_one_by_one(pixels, 60, scale, flipped, shift).float()
    error = (crops_at_once(pixels, 60, transform) - one_by_one)[:, 2:-2, 2:-2].abs()
    assert error.mean() < 1 and error.max() < 8


def test_a_view_of_everything_changes_nothing_but_the_side() -> None:
    torch.manual_seed(0)
    pixels = torch.from_numpy(photo(64, 64)).expand(8, 64, 64, 3)

    for view in random_crops(pixels, 64, 1.0):
        assert any(torch.equal(view, side) for side in (pixels[0], pixels[0].flip(1)))


def test_hidden_words_are_other_ones_each_time_and_never_special() -> None:
    torch.manual_seed(0)
    tokenizer = learn_tokenizer(["one two three four"] * 5, 100)
    text = torch.tensor([*tokenize(tokenizer, ["one two three four"], 16), [0] * 6])
    views = torch.stack([mask_tokens(text, 0.25, tokenizer) for _ in range(2000)])
    hidden = views == tokenizer.mask_token_id

    assert torch.equal(views[~hidden], text.expand_as(views)[~hidden])
    words = hidden[:, 0, 1:5].float().mean(0)
    assert (words > 0.2).all() and (words < 0.3).all()
    assert not hidden[:, 0, [0, 5]].any() and not hidden[:, 1].any()  # [CLS], [SEP] and padding


def test_training_hides_the_asked_share_of_a_modality_where_a_post_has_both() -> None:
    posts = dataset(crop_seed=3, dropout=0.2)
    hidden = {"has_text": 0, "has_image": 0}
    for epoch in range(2000):
        batch = posts.__getitems__([3 * epoch, 3 * epoch + 1, 3 * epoch + 2])
        for name in hidden:
            hidden[name] += not batch[name][0]  # of the first post alone, which has both
        assert not batch["has_text"][1]
        assert batch["has_image"][1]
        assert batch["has_text"][2]
        assert not batch["has_image"][2]

    assert [count / 2000 for count in hidden.values()] == pytest.approx([0.2, 0.2], abs=0.03)
    assert "has_text" not in dataset(crop_seed=3, dropout=0.0).__getitems__([0])


def test_resampling_within_bounds_is_a_cut() -> None:
    picture = photo(30, 40)

    assert np.array_equal(resample(picture, (5, 3, 20), 20), picture[3:23, 5:25])


def test_stored_pictures_are_the_rows_asked_for(make_examples: Callable[..., pa.Table]) -> None:
    pictures = [photo(70, 80), None, photo(90, 70)]
    examples = make_examples(["a", "b", "c"], ["x", "y", "z"], pictures)
    stored = StoredImages(examples, np.array([2, 1, 0]))

    assert np.array_equal(stored[0], pictures[2])
    assert stored[1] is None
    assert np.array_equal(stored[2], pictures[0])


def test_posts_of_another_run_are_refused(make_examples: Callable[..., pa.Table]) -> None:
    examples = make_examples(["a", "b"], ["x", "y"], [None, None])

    assert rows_of(pd.Series(["101", "100"]), examples).tolist() == [1, 0]
    with pytest.raises(ValueError, match="1 posts are not among the examples, 7 first"):
        rows_of(pd.Series(["100", "7"]), examples)
    groups = pd.DataFrame({"guid": ["100"], "group": [0]})
    for guids, words in ((["100", "7"], "among the examples"), (["100", "101"], "in no group")):
        posts = pd.DataFrame({"guid": guids, "tag": "x"})
        with pytest.raises(ValueError, match=f"{words}.*: they come from different runs"):
            LabelledPosts.select(posts, examples, groups)
