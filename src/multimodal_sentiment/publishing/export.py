"""A model as ONNX, with all that answers need where neither torch nor this package is."""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from multimodal_sentiment.classifier.errors import ClassifierError
from multimodal_sentiment.classifier.extras import EXPORT, check_packages
from multimodal_sentiment.files import follow_umask, replace_whole
from multimodal_sentiment.model import SentimentClassifier, SentimentModel
from multimodal_sentiment.wording import first_line

from .expected import expected_answers

logger = logging.getLogger(__name__)

MODEL = "model.onnx"
SETTINGS = "settings.json"
EXPECTED = "expected.json"
PAGE = "answer.py"
TOKENIZER = "tokenizer.json"
TERMS = "terms.json"
_WRITTEN = {MODEL, SETTINGS, EXPECTED, PAGE, TOKENIZER, TERMS}
TOLERANCE = 1e-4  # of probabilities
INT8_TOLERANCE = 0.05

_PAGE = Path(__file__).parent / "answer_page.py"
_EXAMPLE = (3, 11, 5)  # posts, tokens of a text, counted words of a text
# Others than the example's: what the export may have fixed by accident would show.
CHECKED = ((1, 3, 1), (2, 8, 4), (5, 16, 1), (4, 12, 9), (16, 5, 2), (7, 11, 6))

_BLOCK = 32  # weights
_INT8_PRODUCTS = 4  # ONNX Runtime's word for: multiply in eight bits, too

_NAMES = (
    "input_ids", "attention_mask", "has_text", "pixels", "has_image", "term_ids", "term_counts"
)  # fmt: skip


class _Answering(nn.Module):
    """From a batch of posts to calibrated probabilities."""

    def __init__(self, model: SentimentModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        has_text: torch.Tensor | None = None,
        pixels: torch.Tensor | None = None,
        has_image: torch.Tensor | None = None,
        term_ids: torch.Tensor | None = None,
        term_counts: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return probabilities of shape (posts, labels); the inputs are those of `encode`."""
        features = self.model.encode(
            input_ids, attention_mask, has_text, pixels, has_image, term_ids, term_counts
        )
        logits = self.model.fuse(features, has_text, has_image).logits
        return torch.softmax(logits / self.model.config.calibration_temperature, dim=1)


def export_classifier(
    classifier: SentimentClassifier, folder: Path, *, int8: bool = False
) -> dict[str, Any]:
    """Write a folder that answers with ONNX Runtime.

    It holds the model, the tokenizer, the counted words, settings, a page of Python that answers
    (`answer.py`), and posts with the answers that it must give.

    Args:
        classifier: The classifier that is exported.
        folder: Takes the place of one of the same name that an export wrote.
        int8: Whether the weights of matrix products are kept in eight bits.

    Returns:
        The settings, which say what was checked, and how far it differs.

    Raises:
        ClassifierError: If the folder holds something else, the packages of the extra `export` are
            not there, or the model cannot be exported.
    """
    check_packages("exporting", "export", EXPORT)
    _check_replaceable(folder)
    config = classifier.config
    if config.uses_text and not getattr(classifier.tokenizer, "is_fast", False):
        kind = type(classifier.tokenizer).__name__
        raise ClassifierError(
            f"the text encoder's tokenizer ({kind}) has no tokenizer.json, by which exports read "
            "texts: train with another text encoder"
        )
    with replace_whole(folder) as partial:
        partial.mkdir(parents=True)
        model = _Answering(classifier.model.to("cpu").float().eval())
        _write_onnx(model, config, partial / MODEL)
        checked = _check(model, config, partial / MODEL)
        if int8:
            checked |= _quantise(model, config, partial / MODEL)
        settings = _settings(classifier) | {"int8": int8, "checked": checked}
        (partial / SETTINGS).write_text(json.dumps(settings, indent=2, ensure_ascii=False), "utf-8")
        if classifier.tokenizer is not None:
            classifier.tokenizer.backend_tokenizer.save(str(partial / TOKENIZER))
        terms = json.dumps(list(classifier.terms), ensure_ascii=False, indent=0)
        (partial / TERMS).write_text(terms, "utf-8")
        shutil.copyfile(_PAGE, partial / PAGE)
        expected = expected_answers(classifier, INT8_TOLERANCE if int8 else TOLERANCE)
        (partial / EXPECTED).write_text(json.dumps(expected, indent=1, ensure_ascii=False), "utf-8")
        follow_umask(partial)
    return settings


def _check_replaceable(folder: Path) -> None:
    """Refuse a folder that holds anything but an export, which is removed as a whole.

    Raises:
        ClassifierError: If it does.
    """
    if not folder.exists():
        return
    if not (folder / SETTINGS).is_file():
        raise ClassifierError(f"{folder} is there already, and no export: name another folder")
    names = {path.name for path in folder.iterdir()} - {"__pycache__"}  # where it was imported
    if others := sorted(names - _WRITTEN):
        raise ClassifierError(
            f"{folder} would be replaced, and holds {others[0]}, which no export writes: move it, "
            "or name another folder"
        )


def random_inputs(
    config: Any, posts: int, tokens: int, terms: int, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Return a batch as the exported model takes it, some posts of it without text or image."""
    rng = np.random.default_rng(seed)
    inputs: dict[str, np.ndarray] = {}
    if config.uses_text:
        longest = min(tokens, config.max_tokens)
        inputs["input_ids"] = rng.integers(0, config.text_config.vocab_size, (posts, longest))
        lengths = rng.integers(1, longest + 1, posts)
        lengths[0] = longest
        inputs["attention_mask"] = (np.arange(longest) < lengths[:, None]).astype(np.int64)
        inputs["has_text"] = rng.random(posts) < 0.8  # noqa: PLR2004
    if config.uses_image:
        side = config.image_config["size"]
        inputs["pixels"] = rng.integers(0, 256, (posts, side, side, 3)).astype(np.uint8)
        inputs["has_image"] = rng.random(posts) < 0.8  # noqa: PLR2004
    if config.uses_text and config.counted_terms:
        inputs["term_ids"] = rng.integers(0, config.counted_terms + 1, (posts, terms))
        inputs["term_counts"] = rng.integers(0, 4, (posts, terms))
    return {name: torch.from_numpy(inputs[name]) for name in _NAMES if name in inputs}


def run_onnx(path: Path, inputs: Mapping[str, torch.Tensor]) -> np.ndarray:
    """Return the probabilities that an exported model gives."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return np.asarray(answers)


def _write_onnx(model: _Answering, config: Any, path: Path) -> None:
    inputs = random_inputs(config, *_EXAMPLE)
    dynamic = {name: _dynamic_axes(inputs.get(name)) for name in _NAMES}
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model,
                kwargs=inputs,
                dynamo=True,
                dynamic_shapes={name: axes for name, axes in dynamic.items() if axes},
                input_names=list(inputs),
                output_names=["probabilities"],
                verbose=False,
            )
        program.save(path, external_data=False)
    except Exception as error:  # whatever a network of anybody's may do that ONNX has not
        raise ClassifierError(
            f"this model cannot be exported to ONNX: {first_line(error)}"
        ) from error


def _dynamic_axes(value: torch.Tensor | None) -> dict[int, Any] | None:
    if value is None:
        return None
    axes = {0: torch.export.Dim.DYNAMIC}
    if value.ndim == 2:  # noqa: PLR2004 (posts, tokens) or (posts, words)
        axes[1] = torch.export.Dim.DYNAMIC
    return axes


def _check(model: _Answering, config: Any, path: Path) -> dict[str, Any]:
    """Compare the export with the model at other shapes than it was made with.

    Raises:
        ClassifierError: If they differ.
    """
    worst = max(_difference(model, config, path, shape) for shape in CHECKED)
    if not worst <= TOLERANCE:
        raise ClassifierError(
            f"the exported model differs from the model by {worst:.2g}: it was not written"
        )
    return {"shapes": [list(shape) for shape in CHECKED], "largest_difference": worst}


def _difference(model: _Answering, config: Any, path: Path, shape: tuple[int, int, int]) -> float:
    inputs = random_inputs(config, *shape, seed=sum(shape))
    with torch.no_grad():
        wanted = model(**inputs).numpy()
    return float(np.abs(run_onnx(path, inputs) - wanted).max())


def _quantise(model: _Answering, config: Any, path: Path) -> dict[str, Any]:
    """Keep the weights of matrix products in eight bits, in place; say what that changes.

    Each block of weights has a scale of its own. To round what flows through the network as well,
    by one scale a tensor, changed one answer in six.

    Raises:
        ClassifierError: If that changes answers by more than they are checked to.
    """
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    logging.getLogger("onnxruntime").setLevel(logging.WARNING)  # it tells of each matrix
    quantiser = MatMulNBitsQuantizer(
        onnx.load(path), bits=8, block_size=_BLOCK, is_symmetric=True, accuracy_level=_INT8_PRODUCTS
    )
    quantiser.process()
    quantiser.model.save_model_to_file(str(path))
    worst = max(_difference(model, config, path, shape) for shape in CHECKED)
    if not worst <= INT8_TOLERANCE:
        raise ClassifierError(
            f"in eight bits the model differs by {worst:.2g}: export it without --int8"
        )
    return {"int8_largest_difference": worst}


def _settings(classifier: SentimentClassifier) -> dict[str, Any]:
    """Return what the page must know of how posts become inputs."""
    import onnx

    config, tokenizer = classifier.config, classifier.tokenizer
    image, bounds = config.image_config, config.training.get("pictures") or {}
    return {
        "labels": list(classifier.labels),
        "version": classifier.version,
        "onnx": onnx.__version__,
        "text": {"max_tokens": config.max_tokens, "padding": tokenizer.pad_token_id}
        if tokenizer is not None
        else None,
        "counts_words": bool(config.uses_text and config.counted_terms),
        "word_form": config.word_form,
        "image": {
            "short_side": bounds.get("short_side", image["resize"]),
            "max_aspect_ratio": bounds.get("max_aspect_ratio", 3.0),
            "max_megapixels": bounds.get("max_megapixels", 100.0),
            "resize": image["resize"],
            "size": image["size"],
            "interpolation": image.get("interpolation", "bilinear"),
        }
        if config.uses_image
        else None,
    }
