import json
from collections import Counter
from pathlib import Path
from statistics import mean

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageChops, UnidentifiedImageError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from multimodal_sentiment.sample import plan, write_sample, writing
from multimodal_sentiment.sample.drawing import SIZES, draw_photo

BUNDLED = Path(__file__).parents[2] / "data" / "01_raw"
LISTINGS = {True: "train.txt", False: "test_without_label.txt"}
COUNTS = {"labelled": 40, "unlabelled": 20, "seed": 4}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "new"
    write_sample(folder, **COUNTS)
    return folder


@pytest.fixture(scope="module")
def bundled_photos():
    """The photos of the bundled posts that have a sound one: post and RGB image."""
    photos = []
    for post in plan(400, 80, 0):
        if post.fault not in {"no image", "broken image"}:
            with Image.open(BUNDLED / "data" / f"{post.guid}.jpg") as image:
                photos.append((post, image.convert("RGB")))
    return photos


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_listings_name_every_post_and_the_tags_of_the_labelled(sample):
    posts = list(plan(**COUNTS))
    for labelled, name in LISTINGS.items():
        expected = ["guid,tag"] + [
            f"{post.guid},{post.tag if labelled else 'null'}"
            for post in posts
            if post.labelled == labelled
        ]
        assert (sample / name).read_bytes().decode("ascii") == "\n".join(expected) + "\n"


def test_every_post_has_its_text_and_its_photo_unless_faulty(sample):
    expected = {f"data/{post.guid}.txt" for post in plan(**COUNTS)}
    expected |= {f"data/{post.guid}.jpg" for post in plan(**COUNTS) if post.fault != "no image"}
    assert set(contents(sample)) == expected | {*LISTINGS.values(), "decisive.jsonl"}


def test_texts_are_as_planned_in_the_planned_encoding(sample):
    for post in plan(**COUNTS):
        content = (sample / "data" / f"{post.guid}.txt").read_bytes()
        assert content.decode(post.encoding) == post.text
        assert (content == b"") == (post.fault == "empty text")


def test_photos_are_rgb_jpegs_and_only_the_broken_ones_do_not_open(sample):
    for post in plan(**COUNTS):
        path = sample / "data" / f"{post.guid}.jpg"
        if post.fault == "broken image":
            with pytest.raises((UnidentifiedImageError, OSError)), Image.open(path) as image:
                image.load()
        elif post.fault != "no image":
            with Image.open(path) as image:
                image.load()
                assert (image.format, image.mode) == ("JPEG", "RGB")
                assert 140 * 0.8 <= image.width <= 320


def decisive(folder):
    lines = (folder / "decisive.jsonl").read_text(encoding="ascii").splitlines()
    return [json.loads(line) for line in lines]


def test_every_post_has_a_line_that_says_what_is_decisive_in_it(sample):
    modalities = Counter()
    for post, line in zip(plan(**COUNTS), decisive(sample), strict=True):
        speaks = post.says != "neutral" and post.fault != "empty text"
        shows = post.shows != "neutral" and post.fault not in {"no image", "broken image"}
        expected = [name for name, is_so in (("text", speaks), ("image", shows)) if is_so]
        assert (line["guid"], line["modalities"]) == (post.guid, expected)
        assert [tuple(span) for span in line["phrases"]] == post.phrases
        assert (line["box"] is not None) == shows
        modalities[tuple(expected)] += 1
        if shows:
            with Image.open(sample / "data" / f"{post.guid}.jpg") as image:
                x0, y0, x1, y1 = line["box"]
                assert 0 <= x0 < x1 <= image.width and 0 <= y0 < y1 <= image.height
                area = (x1 - x0) * (y1 - y0) / (image.width * image.height)
                assert 0.2 < area < 0.75
    assert len(modalities) == 4


def test_photos_of_other_judgements_differ_inside_the_boxes_alone():
    for seed in range(5):
        (glad, first), (sad, second) = (
            draw_photo(judgement, SIZES["lab"], np.random.default_rng(seed))
            for judgement in ("positive", "negative")
        )
        difference = np.asarray(
            ImageChops.difference(glad, sad).convert("L").reduce(4), dtype=float
        )
        x0, y0, x1, y1 = (
            np.array([*np.minimum(first, second)[:2], *np.maximum(first, second)[2:]]) / 4
        )
        inside = difference[round(y0) : round(y1), round(x0) : round(x1)].copy()
        difference[max(round(y0) - 3, 0) : round(y1) + 3, max(round(x0) - 3, 0) : round(x1) + 3] = 0
        assert difference.max() < 8 < inside.mean()  # outside there is at most other grain


def test_a_photo_of_noise_has_no_box(tmp_path):
    write_sample(tmp_path / "noise", **COUNTS, noise=True)
    lines = decisive(tmp_path / "noise")
    assert {line["box"] for line in lines} == {None}
    assert {tuple(line["modalities"]) for line in lines} == {(), ("text",)}


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(sample, tmp_path):
    write_sample(tmp_path / "again", **COUNTS, workers=2)
    assert contents(tmp_path / "again") == contents(sample)


@pytest.mark.parametrize(
    "held", ["train.txt", "test_without_label.txt", "data/7.txt", "decisive.jsonl"]
)
def test_posts_that_lie_there_are_never_touched(tmp_path, held):
    (tmp_path / held).parent.mkdir(exist_ok=True)
    (tmp_path / held).write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=rf"{Path(held).parts[0]} already.*another folder"):
        write_sample(tmp_path, labelled=3, unlabelled=1)
    assert contents(tmp_path) == {held: b"mine"}


def test_an_interrupted_sample_passes_for_none_and_the_same_command_writes_it(
    sample, tmp_path, monkeypatch
):
    photos = []

    def interrupted(*arguments):
        photos.append(arguments)
        if len(photos) == 5:
            raise KeyboardInterrupt
        return draw_photo(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(writing, "draw_photo", interrupted)
        write_sample(tmp_path, **COUNTS)
    assert list(tmp_path.iterdir()) == []
    # What a kill leaves, which nobody can clean up after.
    left = tmp_path / ".sample.partial" / "data"
    left.mkdir(parents=True)
    (left / "half.txt").write_bytes(b"half")

    write_sample(tmp_path, **COUNTS)
    assert contents(tmp_path) == contents(sample)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labelled": -1}, "labelled=-1"),
        ({"seed": -5}, "seed=-5"),
        ({"size": "huge"}, "'huge': choose one of small, lab"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_sample(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


def test_lab_sized_posts_are_as_large_as_real_ones(tmp_path):
    write_sample(tmp_path, labelled=120, unlabelled=0, size="lab")
    pixels, volumes, widths = [], [], []
    for post in plan(120, 0, 0):
        path = tmp_path / "data" / f"{post.guid}.jpg"
        if post.fault not in {"no image", "broken image"} and post.shrink == 1:
            with Image.open(path) as image:
                pixels.append(image.width * image.height)
                widths.append(image.width)
            volumes.append(path.stat().st_size)
    # Real posts: 48 to 600 wide, 0.30 megapixels, 44 KB and 93 characters on average.
    assert 48 <= min(widths) < 300 < max(widths) == 600
    assert mean(pixels) == pytest.approx(0.30e6, rel=0.15)
    assert mean(volumes) == pytest.approx(44e3, rel=0.25)
    assert mean(len(post.text) for post in plan(1000, 0, 0)) == pytest.approx(93, abs=12)


def test_noise_differs_from_photo_to_photo_in_nothing_but_chance(tmp_path):
    write_sample(tmp_path / "drawn", **COUNTS)
    write_sample(tmp_path / "noise", **COUNTS, noise=True)
    drawn, noise = contents(tmp_path / "drawn"), contents(tmp_path / "noise")
    assert drawn.keys() == noise.keys()
    changed = {name for name in drawn if drawn[name] != noise[name]} - {"decisive.jsonl"}
    sound = [post for post in plan(**COUNTS) if post.fault not in {"no image", "broken image"}]
    assert {f"data/{post.guid}.jpg" for post in sound} <= changed
    assert all(name.endswith(".jpg") for name in changed)
    hashes, photos = [], []
    for post in sound:
        with Image.open(tmp_path / "noise" / "data" / f"{post.guid}.jpg") as image:
            grey = np.asarray(image.convert("L"), dtype=float)
            hashes.append(imagehash.phash(image).hash.ravel())
        photos.append(post.photo)
        assert grey.mean() == pytest.approx(127.5, abs=8)  # whatever the post says
    apart = (np.array(hashes)[:, None] != np.array(hashes)[None]).sum(axis=2)
    twins = np.array(photos)[:, None] == np.array(photos)[None]
    assert apart[~twins].min() > 4  # no post is taken for another's twin


def test_the_bundled_sample_is_small():
    assert sum(len(content) for content in contents(BUNDLED).values()) < 4_300_000


def test_the_bundled_listings_and_texts_are_those_the_generator_writes():
    for post in plan(400, 80, 0):
        content = (BUNDLED / "data" / f"{post.guid}.txt").read_bytes()
        assert content == post.text.encode(post.encoding)
    lines = zip(plan(400, 80, 0), decisive(BUNDLED), strict=True)
    assert all(line["phrases"] == [[*span] for span in post.phrases] for post, line in lines)
    for labelled, name in LISTINGS.items():
        rows = (BUNDLED / name).read_text().split()[1:]
        assert rows == [
            f"{post.guid},{post.tag if labelled else 'null'}"
            for post in plan(400, 80, 0)
            if post.labelled == labelled
        ]


def test_the_bundled_photos_are_those_the_generator_draws(bundled_photos):
    for post, bundled in bundled_photos[::20]:
        if post.shrink == 1:
            rng = np.random.default_rng([0, 3, post.photo])
            drawn = draw_photo(post.shows, SIZES["small"], rng)[0]
            # Not byte for byte: another version of Pillow may bring another JPEG encoder.
            coarse = [
                np.asarray(image.convert("L").reduce(4), dtype=float) for image in (drawn, bundled)
            ]
            assert np.abs(coarse[0] - coarse[1]).max() < 12


def test_bundled_photos_look_alike_only_if_they_are_twins(bundled_photos):
    hashes = np.array([imagehash.phash(image).hash.ravel() for _, image in bundled_photos])
    apart = (hashes[:, None] != hashes[None]).sum(axis=2)
    numbers = np.array([post.photo for post, _ in bundled_photos])
    twins = numbers[:, None] == numbers[None]
    assert apart[twins].max() <= 4
    assert apart[~twins].min() > 4


def test_colours_say_nothing_about_the_tag(bundled_photos):
    shown = [(post, image) for post, image in bundled_photos if post.labelled]
    features = []
    for _, image in shown:
        histogram = np.array(image.histogram()).reshape(24, 32).sum(axis=1)  # 8 bins a channel
        colours = np.asarray(image.convert("HSV")).reshape(-1, 3) / 255
        features.append([*histogram / histogram.sum(), *colours.mean(0), *colours.std(0)])
    tags = [post.tag for post, _ in shown]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    assert cross_val_score(model, features, tags, cv=5).mean() <= 0.55
