"""Whether explanations are true, against what is known to decide, and by taking parts away.

    python tests/benchmarks/explanations.py MODEL RAW [--guids GUIDS] [--posts 300]

MODEL is a model's folder, RAW a folder as the course lays out its posts, GUIDS a CSV whose column
`guid` says which of its labelled posts are asked: those that the model has not learnt from, such as
`validation_predictions`.

Where RAW is a sample that the project has drawn, `decisive.jsonl` says which words and which box of
the photo carry each judgement: among right answers, how often the most important word overlaps one
of these words, and the middle of the most important region lies in that box. Beside it, the same
for a model whose weights were drawn at random, and for a word and a region drawn at random.

On any posts: by how much the answer's probability falls when the most important fifth of words, or
of the photo, is taken away, and when a random fifth is. Regions are blurred, as in explanations, or
painted over with the photo's mean colour.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageFilter, ImageOps

from multimodal_sentiment import Classifier, load_classifier
from multimodal_sentiment.datasets.model_folder import find_model, load_model
from multimodal_sentiment.explaining import Explanation, Region
from multimodal_sentiment.explaining.regions import BLUR
from multimodal_sentiment.explaining.words import keep_words

DRAWS = 10  # random fifths a post
FIFTH = 0.2


def main() -> None:
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--guids", type=Path)
    parser.add_argument("--posts", type=int, default=300)
    asked = parser.parse_args()
    tags = pd.read_csv(asked.raw / "train.txt", dtype=str).set_index("guid")["tag"]
    if asked.guids:
        tags = tags[pd.read_csv(asked.guids, dtype=str)["guid"]]
    tags = tags.head(asked.posts)
    classifier = load_classifier(asked.model)
    began = time.monotonic()
    explanations = explain(classifier, asked.raw, list(tags.index))
    seconds = (time.monotonic() - began) / len(tags)
    print(
        f"{len(tags)} posts, {seconds:.2f} s each on {torch.get_num_threads()} threads", flush=True
    )
    decisive = asked.raw / "decisive.jsonl"
    if decisive.exists():
        carries = {row["guid"]: row for row in map(json.loads, decisive.read_text().splitlines())}
        right = [guid for guid in tags.index if explanations[guid].predicted == tags[guid]]
        point("the model", {guid: explanations[guid] for guid in right}, carries, asked.raw)
        chance = explain(randomised(asked.model), asked.raw, right)
        point("random weights", chance, carries, asked.raw)
    delete(classifier, asked.raw, explanations)


def explain(classifier: Classifier, raw: Path, guids: list[str]) -> dict[str, Explanation]:
    texts = [(raw / "data" / f"{guid}.txt").read_bytes() for guid in guids]
    images = [photo_of(raw, guid) for guid in guids]
    return dict(zip(guids, classifier.explain_many(texts, images), strict=True))


def photo_of(raw: Path, guid: str) -> Path:
    return raw / "data" / f"{guid}.jpg"


def randomised(folder: Path) -> Classifier:
    """The same model, each weight replaced by a random number of the same spread."""
    classifier = copy.deepcopy(load_model(*find_model(folder)))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in classifier.model.parameters():
            weight.normal_(weight.mean(), weight.std(correction=0))
    return load_classifier(classifier)


def point(name: str, explanations: dict[str, Explanation], carries: dict, raw: Path) -> None:
    """Print how often the most important word and region are among those that decide."""
    words, regions = [], []  # whether the best does, and how many of all do
    for guid, explanation in explanations.items():
        row = carries[guid]
        if row["phrases"] and explanation.words:
            best = np.argmax([word.weight for word in explanation.words])
            said = [
                any(word.start < end and start < word.end for start, end in row["phrases"])
                for word in explanation.words
            ]
            words.append((said[best], np.mean(said)))
        if row["box"] and explanation.regions:
            best = np.argmax([region.weight for region in explanation.regions])
            with Image.open(photo_of(raw, guid)) as image:
                box = np.divide(row["box"], image.size * 2)
            held = [holds(box, region) for region in explanation.regions]
            regions.append((held[best], np.mean(held)))
    for what, where, found in (("word", "text", words), ("region", "photo", regions)):
        share, by_chance = np.mean(found, axis=0)
        error = math.sqrt(share * (1 - share) / len(found))
        print(
            f"{name}: the most important {what} is among those that decide in {share:.1%} of "
            f"{len(found)} {where}s (standard error {error:.1%}); a random {what}: {by_chance:.1%}",
            flush=True,
        )


def holds(box: np.ndarray, region: Region) -> bool:
    """Whether the middle of a region lies in a box."""
    left, top, right, bottom = region.box
    x, y = (left + right) / 2, (top + bottom) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def delete(classifier: Classifier, raw: Path, explanations: dict[str, Explanation]) -> None:
    """Print how the answer's probability falls when parts are taken away."""
    rng = np.random.default_rng(0)
    falls: dict[str, list[tuple[float, float]]] = {"words": [], "blurred": [], "mean colour": []}
    for guid, explanation in explanations.items():
        path = photo_of(raw, guid)
        if len(explanation.words) > 1:
            gone = fifths([word.weight for word in explanation.words], rng)
            texts = keep_words(explanation.text, [word[:2] for word in explanation.words], ~gone)
            falls["words"].append(fall(classifier, explanation, texts, [path] * len(texts)))
        if explanation.regions:
            gone = fifths([region.weight for region in explanation.regions], rng)
            photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            blurred = photo.filter(ImageFilter.GaussianBlur(BLUR * min(photo.size)))
            mean = Image.fromarray(np.uint8([[np.mean(photo, axis=(0, 1))]])).resize(photo.size)
            for name, blank in (("blurred", blurred), ("mean colour", mean)):
                images = [paint(photo, blank, explanation.regions, row) for row in gone]
                texts = [explanation.text] * len(images)
                falls[name].append(fall(classifier, explanation, texts, images))
    for name, pairs in falls.items():
        best, chance = 100 * np.mean(pairs, axis=0)
        what = "words" if name == "words" else f"the photo ({name})"
        print(
            f"{len(pairs)} posts without the most important fifth of {what}: {best:.1f} points "
            f"less; without a random fifth: {chance:.1f}; {best / chance:.1f} times as much"
        )


def fifths(weights: list[float], rng: np.random.Generator) -> np.ndarray:
    """Which parts are gone, row by row: the most important fifth, then random ones."""
    count = math.ceil(FIFTH * len(weights))
    gone = [np.argsort(weights)[-count:]]
    gone += [rng.choice(len(weights), count, replace=False) for _ in range(DRAWS)]
    members = np.zeros((len(gone), len(weights)), dtype=bool)
    for row, parts in enumerate(gone):
        members[row, parts] = True
    return members


def paint(
    photo: Image.Image, blank: Image.Image, regions: tuple[Region, ...], gone: np.ndarray
) -> Image.Image:
    """The photo, blank where regions are gone."""
    painted = photo.copy()
    for region, away in zip(regions, gone, strict=True):
        if away:
            edges = np.multiply(region.box, photo.size * 2).round().astype(int).tolist()
            painted.paste(blank.crop(edges), edges)
    return painted


def fall(
    classifier: Classifier, explanation: Explanation, texts: list[str], images: list
) -> tuple[float, float]:
    """By how much the answer's probability falls in the first row, and on average in the others."""
    left = classifier.predict(texts, images)[f"p_{explanation.predicted}"].to_numpy()
    return explanation.confidence - left[0], explanation.confidence - left[1:].mean()


if __name__ == "__main__":
    main()
