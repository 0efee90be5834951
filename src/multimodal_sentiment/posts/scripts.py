"""The script that a text is written in."""

from __future__ import annotations

import unicodedata
from collections import Counter

# The first word of a letter's Unicode name, where that is not the name that people know.
_KNOWN_AS = {"CJK": "Han", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}


def script_of(text: str) -> str:
    """Return the script of most of a text's letters, such as Latin, Han or Cyrillic.

    A text with kana is Japanese, however many of its letters are Han; one without letters is
    "none". Between scripts that are as common, the first in the alphabet is taken. Bold or
    full-width letters count as the plain ones that they are forms of.
    """
    plain = unicodedata.normalize("NFKC", text)
    scripts = Counter(_script_of_letter(letter) for letter in plain if letter.isalpha())
    if not scripts:
        return "none"
    if "Japanese" in scripts and "Han" in scripts:
        scripts["Japanese"] += scripts.pop("Han")
    return min(scripts, key=lambda name: (-scripts[name], name))


def _script_of_letter(letter: str) -> str:
    word = unicodedata.name(letter, "OTHER").split()[0].partition("-")[0]
    return _KNOWN_AS.get(word, word.capitalize())
