"""Posts put together from phrases: what is said once, and how it is passed on."""

from __future__ import annotations

import string

import numpy as np
from numpy.random import Generator

from .chance import happens, pick
from .phrases import HASHTAGS, LANGUAGES, USERS

# Coprime to every product of a language's things, places and times, so that counting in its
# steps visits every combination once, and neighbours differ in all three.
_STRIDE = 7919


def compose(language: str, judgement: str, number: int, ascii_only: bool, rng: Generator) -> str:
    """What one post says; posts of different numbers never say the same.

    Args:
        language: A key of `phrases.LANGUAGES`.
        judgement: What the words express: negative, neutral or positive.
        number: How many posts of this language came before: it picks thing, place and time.
        ascii_only: Whether accents and typographic marks are left out; otherwise there is one.
        rng: Everything else about it.
    """
    words = LANGUAGES[language]
    thing, place, time, round_ = _combination(
        number, (len(words.things), len(words.places), len(words.times))
    )
    saying = pick(rng, words.sayings[judgement]).format(words.things[thing])
    text = words.gap.join([saying, words.places[place], words.times[time]])
    if round_:
        text += f" ({round_ + 1})"
    if happens(rng, 0.15):
        text += " " + "?" * int(rng.integers(2, 5))  # emoji that an earlier program has lost
    # In most languages the posts are too few for their words to be learnt: a hashtag always helps.
    text = f"{text} {pick(rng, HASHTAGS[judgement])}"
    return text if ascii_only else _typeset(text, rng)


def pass_on(text: str, rng: Generator) -> str:
    """The text as a post: retweeted, addressed or with a link, as chance has it."""
    if happens(rng, 0.35):
        text = f"RT @{_user(rng)}: {text}"
    elif happens(rng, 0.3):
        text = f"@{_user(rng)} {text}"
    if happens(rng, 0.2):
        text = f"{text} @{_user(rng)}"
    if happens(rng, 0.5):
        letters = rng.choice(list(string.ascii_letters + string.digits), 8)
        text = f"{text} http://t.example/{''.join(letters)}"
    return text


def _combination(number: int, sizes: tuple[int, ...]) -> list[int]:
    """The digits of a scrambled `number` in a system of these bases, and the rounds gone by."""
    total = int(np.prod(sizes))
    round_, place = divmod(number, total)
    place = place * _STRIDE % total
    digits = []
    for size in sizes:
        place, digit = divmod(place, size)
        digits.append(digit)
    return [*digits, round_]


def _typeset(text: str, rng: Generator) -> str:
    """The text with the marks of a word processor; at least one character is not ASCII."""
    style = rng.choice(["cut", "quoted", "plain"], p=[0.5, 0.2, 0.3])
    if style == "quoted":
        text = f"“{text}”"
    elif style == "cut" or text.isascii():
        text = f"{text} and…" if text.isascii() else f"{text}…"
    return text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def _user(rng: Generator) -> str:
    return pick(rng, USERS) + (str(rng.integers(100)) if happens(rng, 0.6) else "")
