"""A model as ONNX: it answers as the model does, without torch and without this package."""

from __future__ import annotations

import io
import json
import runpy
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import PIL
import pytest
import torch
from PIL import Image

from multimodal_sentiment import ClassifierError, load_classifier
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.publishing import export as exporting
from multimodal_sentiment.publishing.export import (
    CHECKED,
    export_classifier,
    random_inputs,
    run_onnx,
)

from ..small_model import LABELS, TEXTS, photo

TERMS = ["again", "day", "lovely", "lovely day", "rain"]
BLOCKED = "torch transformers sklearn scipy pandas multimodal_sentiment".split()


@pytest.fixture(scope="module")
def export(tiny, tmp_path_factory):
    """Export a model, and give it and its folder; what is asked for again is the same folder."""

    @cache
    def make(modality: str, fusion: str, *, int8: bool = False):
        parameters = tiny(model__modality=modality)
        model = parameters.model
        kind = model.fusion.model_copy(update={"kind": fusion})
        terms = TERMS if fusion == "pool" else []
        built, tokenizer = build_model(
            model.model_copy(update={"fusion": kind}),
            LABELS,
            TEXTS,
            {},
            counted_terms=len(terms),
            word_form="NFKC" if terms else None,
        )
        torch.manual_seed(1)
        with torch.no_grad():
            for name, weight in built.named_parameters():
                if "encoder" not in name:
                    weight.normal_()
            if fusion == "pool":  # as they are solved: who has nothing to say is not listened to
                heard = [[0, 0, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1]]  # text, words, image
                built.fusion.weights *= torch.tensor(heard)
        built.config.calibration_temperature = 1.5
        bounds = parameters.preparation.model_dump(exclude={"storage"})
        built.config.training = {"pictures": bounds}
        classifier = SentimentClassifier(built.eval(), tokenizer, {}, terms=terms)
        folder = tmp_path_factory.mktemp("export") / "onnx"
        export_classifier(classifier, folder, int8=int8)
        return classifier, folder

    return make


def run_page(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the page where nothing but what it names can be imported."""
    code = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({BLOCKED}))\n"
        f"sys.argv = ['answer.py', *{list(arguments)}]\n"
        f"runpy.run_path({str(folder / 'answer.py')!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("modality", "fusion"), [("both", "pool"), ("both", "gated")])
def test_it_answers_as_the_model_does(export, photos, modality, fusion):
    classifier, folder = export(modality, fusion)

    for shape in ((9, 13, 3), (2, 4, 8), *CHECKED):
        inputs = random_inputs(classifier.config, *shape, seed=5)
        with torch.no_grad():
            logits = classifier.model(**inputs).logits
        wanted = torch.softmax(logits / 1.5, dim=1).numpy()
        np.testing.assert_allclose(run_onnx(folder / "model.onnx", inputs), wanted, atol=1e-5)

    page = runpy.run_path(str(folder / "answer.py"))
    images = [photos[0].read_bytes(), None, photos[2].read_bytes(), None, None]
    texts = [*TEXTS, "\uff2covely day, \uff20anna"]  # full-width, and counted as the plain ones
    answers = page["Answerer"](folder)(texts, images)
    expected = load_classifier(classifier, "cpu", "fp32").predict(texts, images)
    np.testing.assert_allclose(answers, expected[["p_bad", "p_good"]], atol=1e-5)


def in_jpeg(image: Image.Image, end: int = 0, **options) -> bytes:
    """A JPEG file, without its last bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()[: len(buffer.getvalue()) - end]


def in_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


SIDEWAYS = Image.Exif()
SIDEWAYS[274] = 6
GREY = np.arange(60 * 80).reshape(60, 80)
FILES = {
    "a photo of a camera": in_jpeg(photo(0, 3000, 2000), exif=SIDEWAYS),
    "long": in_jpeg(photo(1, 200, 1400)),
    "cut at its last row": in_jpeg(photo(2, 600, 800), 40),
    "cut in half": in_jpeg(photo(2, 600, 800), 9000),
    "a cut PNG": in_png(photo(0, 60, 80))[:-30],
    "16 bits": in_png(Image.fromarray((GREY * 13).astype(np.uint16))),
    "palette": in_png(photo(0, 60, 80).convert("P")),
    "transparent": in_png(photo(0, 60, 80).convert("RGBA").resize((20, 300))),
    "CMYK": in_jpeg(photo(3, 60, 80).convert("CMYK")),
    "a bomb": in_png(Image.new("1", (20_000, 20_000))),
    "empty": b"",
    "no image": b"GIF87a, it says",
}


def test_the_page_sees_images_as_the_model_does(export, caplog):
    classifier, folder = export("both", "gated")
    page = runpy.run_path(str(folder / "answer.py"))
    texts = ["half a pair: \ud83d"] * len(FILES)

    answers = page["Answerer"](folder)(texts, list(FILES.values()))

    expected = load_classifier(classifier, "cpu", "fp32").predict(texts, list(FILES.values()))
    np.testing.assert_allclose(answers, expected[["p_bad", "p_good"]], atol=1e-5)
    left_out = [said for said in caplog.messages if said.startswith("the image of post ")]
    assert len(left_out) == 5  # cut in half, a cut PNG, a bomb, empty, no image
    assert len(np.unique(answers.round(6), axis=0)) == len(FILES) - 4
    assert page["Answerer"](folder)([], []).shape == (0, 2)


def test_the_page_needs_neither_torch_nor_this_package(export, photos, tmp_path):
    folder = Path(shutil.copytree(export("both", "gated")[1], tmp_path / "onnx"))

    checked = run_page(folder)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("as expected, to ")

    answered = run_page(folder, "a lovely day", str(photos[0]))
    assert [line.split()[0] for line in answered.stdout.splitlines()] == LABELS

    helped = run_page(folder, "--help")
    assert helped.returncode == 0
    assert 'python answer.py "What a day!" a.jpg' in helped.stdout

    expected = json.loads((folder / "expected.json").read_text())
    expected["posts"][0]["probabilities"] = [0.5, 0.5]
    (folder / "expected.json").write_text(json.dumps(expected))
    assert "the answers are not as expected" in run_page(folder).stderr


def test_eight_bits_are_nearly_the_same(export):
    _, folder = export("text", "concat", int8=True)

    settings = json.loads((folder / "settings.json").read_text())
    assert settings["int8"]
    assert 0 < settings["checked"]["int8_largest_difference"] < 0.05
    assert run_page(folder).returncode == 0


def test_eight_bits_that_change_answers_are_refused(export, tmp_path, monkeypatch):
    classifier, folder = export("text", "concat")
    kept = Path(shutil.copytree(folder, tmp_path / "onnx"))
    (kept / "__pycache__").mkdir()  # an export, nonetheless
    monkeypatch.setattr(exporting, "INT8_TOLERANCE", 1e-9)

    with pytest.raises(ClassifierError, match=r"in eight bits the model differs by .*: export it"):
        export_classifier(classifier, kept, int8=True)
    assert not json.loads((kept / "settings.json").read_text())["int8"]


def test_the_page_says_which_pillow_it_needs(monkeypatch):
    monkeypatch.setattr(PIL, "__version__", "11.2.1")

    with pytest.raises(SystemExit, match=r"Pillow 11\.2\.1 is too old: pip install"):
        runpy.run_path(str(Path(exporting.__file__).with_name("answer_page.py")))


def test_an_export_with_files_of_the_users_own_is_not_replaced(model, tmp_path):
    for name in ("answer.py", "Dockerfile", "settings.json"):
        (tmp_path / name).touch()

    with pytest.raises(ClassifierError, match="would be replaced, and holds Dockerfile, which no"):
        export_classifier(model, tmp_path)
    assert (tmp_path / "Dockerfile").exists()


def test_only_an_export_is_replaced(model, tmp_path):
    (tmp_path / "mine").mkdir()

    with pytest.raises(ClassifierError, match="is there already, and no export"):
        export_classifier(model, tmp_path / "mine")


@pytest.mark.parametrize(("command", "package"), [("export", "onnxscript"), ("serve", "uvicorn")])
def test_a_missing_extra_is_told_before_anything_slow(command, package, tmp_path):
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from multimodal_sentiment.cli import cli\n"
        f"sys.modules[{package!r}] = None\n"
        f"folder = [{str(tmp_path / 'onnx')!r}] if {command!r} == 'export' else []\n"
        f"print(CliRunner().invoke(cli, [{command!r}, *folder]).output)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, _, has_torch = done.stdout.strip().rpartition("\n")
    assert f'ing needs {package}: pip install "multimodal-sentiment[{command}]"' in said
    assert has_torch == "False"
