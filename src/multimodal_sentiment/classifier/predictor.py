"""A trained model in Python, without a pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from kedro.io import DatasetError

from multimodal_sentiment.assessment import judge_predictions
from multimodal_sentiment.batches import PostDataset
from multimodal_sentiment.cluster.threads import map_in_order
from multimodal_sentiment.compute.device import choose_device
from multimodal_sentiment.datasets.model_folder import find_model, load_model
from multimodal_sentiment.explaining import Explanation, explain_post
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ComputeParameters, compute_to_predict
from multimodal_sentiment.posts.problems import describe_problems, felt_problems, write_problems
from multimodal_sentiment.predicting import label_predictions, predict_with_contributions
from multimodal_sentiment.progress import log_progress

from .errors import ClassifierError
from .given_posts import Post, PostReader
from .inputs import check_one_post, common_index, frame_tags, pair_rows, read_tags
from .locks import lock_of
from .saving import save_model

POSTS_AT_ONCE = 512  # decoded images that are held in memory; four batches of the model


def open_classifier(
    model: str | os.PathLike[str] | SentimentClassifier,
    device: str,
    precision: str,
    version: str | None = None,
) -> Classifier:
    """See `multimodal_sentiment.load_classifier`; a version that is known goes before its name."""
    try:
        compute = compute_to_predict(device, precision)
    except ValueError as error:
        raise ClassifierError(str(error)) from error
    if isinstance(model, SentimentClassifier):
        return Classifier(model, compute)
    if not isinstance(model, str | os.PathLike):
        raise ClassifierError(
            f"{type(model).__name__} is no model: give its folder, or what the catalog loads as "
            "fusion_model"
        )
    try:
        folder, named = find_model(Path(model))
        return Classifier(load_model(folder, version or named), compute)
    except DatasetError as error:
        raise ClassifierError(str(error)) from error


class Classifier:
    """A trained model that answers for texts and images.

    It may be used by several threads, which then take turns at the model; it can be pickled, and
    used after a fork.

    Attributes:
        labels: The labels that it can answer, in the order of its probabilities.
        version: The version of the model, if it is one of several.
    """

    def __init__(self, classifier: SentimentClassifier, compute: ComputeParameters) -> None:
        self._classifier = classifier
        self._compute = compute
        self._reader = PostReader(classifier)
        self._columns: dict[str, Any] = {role: role for role in ("text", "image", "tag")}
        self.labels = list(classifier.labels)
        self.version = classifier.version
        self._check_device()

    def __repr__(self) -> str:
        return f"<Classifier of {', '.join(self.labels)}, version {self.version}>"

    def predict(
        self,
        texts: Any = None,
        images: Any = None,
        *,
        problems: Literal["words", "codes"] = "words",
    ) -> pd.DataFrame:
        """Answer for posts.

        Args:
            texts: One a post, in any sequence, Series, array or generator: a string, or bytes,
                which are decoded as the posts that the model has learnt from. All are missing if
                none are given. Or a frame with the columns `text`, `image` or both; after `train`,
                with those that were trained on.
            images: One a post: the path of a file, its bytes, an open file, a Pillow image, or an
                array of uint8 of shape (height, width, 3). All are missing if none are given.
            problems: The way in which these are written: in words, or in the codes of
                `posts/problems.py`.

        None, NaN and NA are missing. A post whose text or image is missing or broken is answered
        from what is left of it; what the model does not read is no problem. Answers are strings,
        spelled as in the posts that the model has learnt from, so that `== 1` and `== True` hold
        for none; `evaluate` compares by value.

        Returns:
            One row a post, under the index of a given Series or frame: `predicted, confidence,
            p_<label>..., problems`; and from a model of text and image `decided_by,
            text_contribution, image_contribution`, as in the pipeline.

        Raises:
            ClassifierError: If there are not as many texts as images, neither, or what is given is
                no list of rows.
        """
        if problems not in ("words", "codes"):
            raise ClassifierError(f"problems {problems!r}: choose one of words, codes")
        self._check_device()
        rows = pair_rows(texts, images, self._columns)
        tables = [self.answer([], problems)]  # which has all columns, whatever comes
        with closing(map_in_order(self._reader.read, self._reader.take(rows.pairs))) as prepared:
            posts = iter(log_progress(prepared, rows.count, "Predicting"))
            while chunk := list(islice(posts, POSTS_AT_ONCE)):
                tables.append(self.answer(chunk, problems))
        table = pd.concat(tables[1:] or tables, ignore_index=True)
        return table if rows.index is None else table.set_axis(rows.index)

    def evaluate(self, texts: Any = None, images: Any = None, tags: Any = None) -> dict[str, Any]:
        """Say how good the answers are for posts whose true tags are known.

        Every post counts as one: posts that the model has learnt from, or copies of one post, make
        it look better than it is.

        Args:
            texts: The same as in `predict`.
            images: The same as in `predict`.
            tags: One of `labels` a post, or what is of its value; posts without one are not judged.
                Or the name of their column, where `texts` is a frame; None is `tag`, after `train`
                the column that was trained on.

        Returns:
            `n`, the number of posts judged; `accuracy`, `macro_f1`, `weighted_f1`; each label's
            `precision, recall, f1, support` under `per_class`; and `intervals` of 95% (bootstrap).

        Raises:
            ClassifierError: The same as `predict`; or if tags are missing, none of the labels, or
                under another index than the posts.
        """
        if tags is None or isinstance(tags, str):
            name = self._columns["tag"] if tags is None else tags
            tags = frame_tags(texts, name)
            if tags is None:
                raise ClassifierError(
                    f"tags must be given, one a post, or the name of their column: {name!r} is no "
                    "column of the posts"
                )
        common_index([tags, texts, images])  # or tags are of other rows than posts
        true = np.array(read_tags(tags, self.labels), dtype=object)
        predicted = self.predict(texts, images)["predicted"].to_numpy()
        if len(true) != len(predicted):
            raise ClassifierError(f"there are {len(predicted):,} posts and {len(true):,} tags")
        judged = np.array([tag is not None for tag in true])
        if not judged.any():
            raise ClassifierError("no post has a tag to judge the answers by")
        return judge_predictions(
            true[judged], predicted[judged], np.arange(judged.sum()), self.labels, seed=0
        )

    def prepare(self, text: Any, image: Any) -> Post:
        """Read and decode one post, given as `predict` takes it; several threads may at once."""
        return self._reader.read(next(self._reader.take([(text, image)])))

    def answer(self, posts: list[Post], problems: str) -> pd.DataFrame:
        """Return the rows of posts that `prepare` has returned; see `predict`."""
        self._reader.decode_texts(posts)
        model = self._classifier
        with lock_of(model.model):
            texts, images = [str(post.text) for post in posts], [post.pixels for post in posts]
            dataset = PostDataset(model, texts, images)
            logits, shares = predict_with_contributions(model, dataset, self._compute)
        codes = list(map(self._problems_of, posts))
        said = codes if problems == "codes" else list(map(describe_problems, codes))
        predictions = label_predictions(model, logits)
        return pd.DataFrame({**predictions, "problems": pd.Series(said, dtype=object), **shares})

    def explain_prepared(
        self, post: Post, answered: Mapping[Any, Any] | None = None
    ) -> Explanation:
        """Return the explanation of a post that `prepare` has returned; see `explain`.

        Args:
            post: The post.
            answered: The row of `answer` that is explained; None answers anew.
        """
        self._reader.decode_texts([post])
        problems = describe_problems(self._problems_of(post))
        model = self._classifier
        with lock_of(model.model):
            return explain_post(
                model, str(post.text), post.pixels, self._compute, problems, answered
            )

    def explain(self, text: Any = None, image: Any = None) -> Explanation:
        """Answer for one post, and say what its words and the regions of its image added.

        It takes a second or two. The same post gets the same explanation.

        Args:
            text: A string, bytes, or None; see `predict`.
            image: A path, bytes, an open file, a Pillow image, an array, or None; see `predict`.

        Returns:
            The explanation; notebooks show it with its words and regions shaded. What is wrong with
            the post stands in its `problems`.

        Raises:
            ClassifierError: If a list is given in place of one text or image.
        """
        check_one_post(text, image)
        return next(self.explain_many([text], [image]))

    def explain_many(self, texts: Any = None, images: Any = None) -> Iterator[Explanation]:
        """Explain posts one by one, as `explain` does; each is explained when it is asked for.

        Args:
            texts: The same as in `predict`.
            images: The same as in `predict`.

        Raises:
            ClassifierError: The same as in `predict`.
        """
        self._check_device()
        pairs = self._reader.take(pair_rows(texts, images, self._columns).pairs)
        return map(self.explain_prepared, map(self._reader.read, pairs))

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write the model's folder, which `load_classifier` reads, in place of an earlier one.

        Raises:
            ClassifierError: If it cannot be written, or holds other files of the same names.
        """
        save_model(self._classifier, folder)

    def _problems_of(self, post: Post) -> str:
        """Return a post's problems of what the model reads, as codes."""
        entry = write_problems([*post.text_problems, *post.image_problems])
        return felt_problems(entry, self._classifier.config.modality)

    def _check_device(self) -> None:
        try:
            choose_device(self._compute)
        except ValueError as error:
            raise ClassifierError(str(error).removeprefix("compute.")) from error
