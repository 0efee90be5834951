"""Whether `auto` chooses well: all of its choices of precision and compiling, on this machine."""

from __future__ import annotations

import statistics
from contextlib import nullcontext
from functools import partial

import torch
from computing import OUR_STEPS, make_batch, make_classifier, our_steps, predict_posts
from figures import Figure, seconds
from reading import Workplace

from multimodal_sentiment.compute.compile import compiled, worth_compiling
from multimodal_sentiment.compute.device import choose_device

POSTS, EPOCHS = 3200, 6  # of the training whose seconds are reckoned from its steps


def measure_choices(work: Workplace, rounds: int, *, compiling: bool) -> list[Figure]:
    """Seconds of a training's steps, its compiling included, and of a prediction, by choice."""
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    training: dict[tuple[bool, bool], float] = {}
    prediction: dict[bool, float] = {}
    for precision in ("fp32", "bf16"):
        changes = {"device": kind, "precision": precision}
        compute = work.parameters.compute.model_copy(update=changes)
        device = choose_device(compute)
        for compile_ in (False, True) if compiling else (False,):
            classifier = make_classifier(work)
            step = our_steps(work, classifier, device, make_batch(work, device))
            with compiled(classifier.model, kind) if compile_ else nullcontext():
                first = seconds(step)
                later = statistics.median(seconds(step) for _ in range(rounds))
            steps = POSTS * EPOCHS / work.parameters.training.batch_size / OUR_STEPS[kind]
            training[device.bf16, compile_] = first - later + steps * later
        classifier = make_classifier(work)
        predict = partial(predict_posts, work, classifier, compute)
        taken = [seconds(predict) for _ in range(rounds + 1)]
        prediction[device.bf16] = statistics.median(taken[1:])
    model = make_classifier(work).model
    chosen = choose_device(work.parameters.compute.model_copy(update={"device": kind})).bf16
    compiles = compiling and worth_compiling("auto", model, kind, POSTS * EPOCHS)
    what = f"steps of {POSTS:,} posts, {EPOCHS} epochs"
    return [
        *(
            Figure(f"{what}: {_name(*choice)}", "s", taken, device=kind)
            for choice, taken in training.items()
        ),
        *(
            Figure(f"prediction: {_name(bf16)}", "s", taken, device=kind)
            for bf16, taken in prediction.items()
        ),
        _beside_best(f"{what}: auto", training, (chosen, compiles), kind),
        _beside_best("prediction: auto", prediction, chosen, kind),
    ]


def _beside_best(what: str, choices: dict, chosen: object, kind: str) -> Figure:
    best = min(choices, key=choices.__getitem__)
    names = [_name(*each) if isinstance(each, tuple) else _name(each) for each in (chosen, best)]
    return Figure(
        what,
        "s",
        choices[chosen],
        choices[best],
        more_is_better=False,
        device=kind,
        note=f"{names[0]}; beside the best choice, {names[1]}",
    )


def _name(bf16: bool, is_compiled: bool = False) -> str:
    return ("bf16" if bf16 else "fp32") + (", compiled" if is_compiled else "")
