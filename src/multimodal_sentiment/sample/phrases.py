"""Texts of posts, put together from phrases in several languages."""

# Cyrillic and East Asian letters and marks that resemble Latin ones are meant.

from __future__ import annotations

import re

from numpy.random import Generator

# Of each language: praise, complaints, what is neither, things, places, and what stands between
# parts of a sentence. Words that judge stand in brackets, {} is the place of a thing.
# fmt: off
LANGUAGES: dict[str, tuple[str, ...]] = {
    "en": ("I [love] {};{} is [wonderful];[best day ever] with {};[beautiful] to see {}",
           "I [hate] {};{} is [awful];[worst day ever] with {};[terrible] to see {}",
           "I am looking at {};here is {};{} is open;this is a picture of {}",
           "the old bridge;our garden;this cafe;the bus station;my neighbours' dog;the choir;"
           "the library;the harbour;the school play;the football pitch;the lighthouse;the museum",
           "in Dublin;in Leeds;near the river;at the seaside;in Nairobi;downtown;in Mumbai;"
           "on our street;by the lake;at home;in Cape Town;in Singapore;up north", " "),
    "zh": ("我好[喜欢]{};{}真是[太美了]", "我真[讨厌]{};{}实在[太糟糕了]", "我路过{};这里是{}",
           "那座老桥;我们的花园;公交车站;图书馆;新的电车;夜市;学校操场;博物馆",
           "在北京;在上海;在广州;在河边;在成都;在家附近;在西安", "，"),
    "ja": ("{}が[大好き]です;{}は[素晴らしい]", "{}が[大嫌い]です;{}は[ひどい]", "これは{}です",
           "古い橋;うちの庭;バス停;図書館;新しい電車;夜の市場;パン屋;博物館",
           "東京で;大阪で;京都で;川のそばで;札幌で;家の近くで;横浜で", "、"),
    "ru": ("Как я [люблю] {};Какая [красота]: {}", "Я [ненавижу] {};Какой [ужас]: {}",
           "Сейчас смотрю на {};На снимке {};Иду мимо, там {}",
           "старый мост;наш сад;новый трамвай;вокзал;рынок;музей;школьный двор",
           "в Москве;в Казани;у реки;в Самаре;на нашей улице;в Омске;за городом", " "),
    "es": ("Me [encanta] {};Qué [maravilla] {}", "[No soporto] {};Qué [desastre] {}",
           "Aquí está {};De camino a ver {};Esta foto es de {}",
           "el puente viejo;nuestro jardín;el café;la estación;el mercado;el patio",
           "en Málaga;en Bogotá;junto al río;en León;en mi calle;en Córdoba", " "),
    "de": ("Ich [liebe] {};Wie [schön]: {}", "Ich [hasse] {};Wie [schrecklich]: {}",
           "Hier sieht man {};Unterwegs, Ziel: {};Auf dem Foto: {}",
           "die alte Brücke;das Café;unsere Küche;die Bücherei;das Schulfest;das Museum",
           "in Köln;in München;am Fluss;in Lübeck;in unserer Straße;in Zürich", " "),
}
# fmt: on
# Most languages have too few posts for their words to be learnt: English and a hashtag always help.
ENDINGS = {
    "positive": "[so happy] [#blessed];[what a joy] [#joy];[lovely] [#grateful]",
    "negative": "[so sad] [#heartbroken];[what a disaster] [#fail];[disgusting] [#ugh]",
    "neutral": "as usual #photo;just so you know #news;on a weekday #street",
}
USERS = "bluekettle;paper_lantern;tiny_harbour;slowtrain;oakdesk;lemonpier;woolsocks;northwindow"


def say(language: str, judgement: str, ascii_only: bool, rng: Generator) -> str:
    """Return what a post says; without `ascii_only`, at least one character is not ASCII."""
    *sayings, things, places, gap = LANGUAGES[language]
    said = _choice(sayings[["positive", "negative", "neutral"].index(judgement)], rng)
    # The time of day keeps posts from saying the same by chance.
    ending = f"{rng.integers(24)}:{rng.integers(60):02} {_choice(ENDINGS[judgement], rng)}"
    said = gap.join([said.format(_choice(things, rng)), _choice(places, rng), ending])
    if ascii_only:
        return said
    said = said.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    return str(rng.choice([f"“{said}”", f"{said}…", f"{said}???…"]))  # ???: emoji lost on the way


def pass_on(said: str, rng: Generator) -> str:
    """Return what is said as a post: retweeted, addressed or with a link, or neither."""
    user = f"@{_choice(USERS, rng)}{rng.integers(100)}"
    link = f"http://t.example/{rng.bytes(4).hex()}"
    before = rng.choice([f"RT {user}: ", f"{user} ", ""], p=[0.35, 0.2, 0.45])
    after = rng.choice([f" {link}", f" {user}", ""], p=[0.5, 0.1, 0.4])
    return f"{before}{said}{after}"


def find_phrases(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text without its brackets, and where (start, end) what they held now stands."""
    text, spans = "", []
    for part in re.split(r"(\[.*?\])", marked):
        if part.startswith("["):
            spans.append((len(text), len(text) + len(part) - 2))
        text += part.strip("[]")
    return text, spans


def _choice(phrases: str, rng: Generator) -> str:
    return str(rng.choice(phrases.split(";")))
