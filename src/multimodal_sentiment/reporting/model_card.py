"""What a model is, in words: from its configuration alone, so that it can travel with it.

The form is that of model hubs: Markdown under a head of YAML. Source: Mitchell et al., "Model Cards
for Model Reporting", 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from .caveats import Caveat
from .templating import render

_LICENSE = "apache-2.0"


def describe_model(config: Mapping[str, Any], weights: int) -> dict[str, str]:
    """Say what a sentiment model is and has learnt from, a line each.

    Args:
        config: The model's configuration, as its `config.json` has it.
        weights: The number of its weights.
    """
    training = config.get("training") or {}
    facts = {
        "labels": ", ".join(_labels(config)),
        "looks at": {"both": "text and image"}.get(config["modality"], config["modality"]),
    }
    if config["modality"] != "image":
        text = config["text_config"]
        # DistilBERT has names of its own for the same.
        layers = text.get("num_hidden_layers", text.get("n_layers"))
        width = text.get("hidden_size", text.get("dim"))
        facts["text encoder"] = (
            f"{text['model_type']}, {layers} layers of {width}, "
            f"{text['vocab_size']:,} word pieces, at most {config['max_tokens']} a text, "
            f"{_origin(training, 'text')}"
        )
        if config.get("counted_terms"):
            facts["counted words"] = (
                f"{config['counted_terms']:,} words and pairs of words, for which it has a head "
                "beside that of the text encoder"
            )
    if config["modality"] != "text":
        image = config["image_config"]
        facts["image encoder"] = (
            f"{image['architecture']} at {image['size']} px, {_origin(training, 'image')}"
        )
    facts["size"] = f"{weights / 1e6:,.1f} million weights, {weights * 4 / 1e6:,.0f} MB"
    if "learning_posts" in training:
        facts["learnt from"] = f"{training['learning_posts']:,} posts; " + _choice(config)
        facts["computed on"] = f"{training['device']}, seed {training['seed']}"
    return facts


def model_card(
    config: Mapping[str, Any],
    weights: int,
    metrics: Mapping[str, Any] | None = None,
    doubts: Sequence[Caveat] = (),
) -> str:
    """Write the card of a model, for the `README.md` of its folder.

    Args:
        config: The same as for `describe_model`.
        weights: The same.
        metrics: Its scores on validation posts, once they are known.
        doubts: The reasons to distrust these.
    """
    training = config.get("training") or {}
    pretrained = [base_name(encoder) for encoder in training.get("encoders", {}).values()]
    head = {
        "license": _LICENSE,
        "library_name": "transformers",
        "pipeline_tag": "text-classification" if config["modality"] == "text" else None,
        "tags": ["sentiment", "multimodal", config["model_type"], config["modality"]],
        "metrics": ["accuracy", "f1"],
        "labels": _labels(config),
        "base_model": pretrained,
        "model-index": _model_index(metrics) if metrics else None,
    }
    return render(
        "model_card.md",
        head=yaml.safe_dump(
            {key: value for key, value in head.items() if value},
            sort_keys=False,
            allow_unicode=True,
        ),
        facts=describe_model(config, weights),
        labels=_labels(config),
        uses_text=config["modality"] != "image",
        uses_image=config["modality"] != "text",
        image_library=_image_library(config),
        training=training,
        pretrained=bool(pretrained),
        licences={
            str(encoder["name"]): encoder.get("licence") or "not stated"
            for encoder in training.get("encoders", {}).values()
        },
        metrics=metrics,
        doubts=doubts,
    )


def base_name(encoder: Mapping[str, Any]) -> str:
    """Return a hub's name for an encoder; of a mere folder or file, the last of its path."""
    name = str(encoder["name"])
    if is_local(encoder):
        name = name.rstrip("/").split("/")[-1]
    return name.partition("@")[0]


def is_local(encoder: Mapping[str, Any]) -> bool:
    """Return whether an encoder was a mere folder or file."""
    local = str(encoder.get("source", "the local")).startswith("the local")
    return local and not encoder.get("revision")


def _model_index(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return scores in the form in which model hubs show them."""
    digest = metrics["protocol"]["validation_sha256"][:16]
    task = {"type": "text-classification", "name": "Sentiment of posts"}
    dataset = {"type": "private", "name": f"{metrics['n']:,} validation posts ({digest})"}
    scores = [
        {"type": kind, "name": name, "value": round(float(metrics[measure]), 4)}
        for kind, name, measure in (
            ("accuracy", "Accuracy", "accuracy"),
            ("f1", "Macro-F1", "macro_f1"),
            ("f1", "Weighted F1", "weighted_f1"),
        )
    ]
    results = [{"task": task, "dataset": dataset, "metrics": scores}]
    return [{"name": "multimodal_sentiment", "results": results}]


def _choice(config: Mapping[str, Any]) -> str:
    """Say what chose what is not learnt."""
    training, temperature = config["training"], config["calibration_temperature"]
    if "strengths" in training:
        strengths = ", ".join(f"{name} {value:g}" for name, value in training["strengths"].items())
        return (
            f"folds of them chose the heads' regularisation ({strengths}) and temperature "
            f"{temperature:.2f}"
        )
    return (
        f"{training['tuning_posts']:,} tuning posts chose epoch {training['epoch']} and "
        f"temperature {temperature:.2f}"
    )


def _image_library(config: Mapping[str, Any]) -> str | None:
    """Return the library that the image encoder is from, if that is not transformers itself."""
    if config["modality"] == "text":
        return None
    vision = config["image_config"].get("vision")
    if not vision:
        return "torchvision"
    return "timm" if vision["model_type"] == "timm_wrapper" else None


def _labels(config: Mapping[str, Any]) -> list[str]:
    names = config["id2label"]  # its keys are numbers, or in JSON strings
    return [names[key] for key in sorted(names, key=int)]


def _origin(training: Mapping[str, Any], modality: str) -> str:
    encoder = training.get("encoders", {}).get(modality)
    if not encoder:
        return "trained from scratch"
    known = {
        "commit": (encoder.get("revision") or "")[:8],
        "SHA-256": (encoder.get("sha256") or "")[:8],
        "from": encoder.get("source"),
        "licence": encoder.get("licence"),
    }
    facts = [f"{word} {value}" for word, value in known.items() if value]
    return f"pretrained ({', '.join([str(encoder['name']), *facts])})"
