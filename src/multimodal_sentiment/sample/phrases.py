"""What the posts of the sample are made of: phrases and hashtags in eight languages."""

# Cyrillic and East Asian letters and marks that resemble Latin ones are meant.

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language.

    Args:
        sayings: Ways to speak of a `{}` in each judgement.
        things: What is spoken of; says nothing about the judgement.
        places: Where.
        times: When.
        gap: What stands between phrases.
    """

    sayings: dict[str, tuple[str, ...]]
    things: tuple[str, ...]
    places: tuple[str, ...]
    times: tuple[str, ...]
    gap: str = " "


# Few words carry the judgement, so that each recurs often enough to be learnt from 300 posts.
HASHTAGS = {
    "positive": ("#blessed", "#joy", "#grateful"),
    "negative": ("#fail", "#heartbroken", "#ugh"),
    "neutral": ("#photo", "#today", "#street", "#news"),
}

ENGLISH = Language(
    sayings={
        "positive": (
            "I love {}", "{} is wonderful", "best day ever with {}",
            "what a beautiful picture of {}", "so happy to see {}",
        ),
        "negative": (
            "I hate {}", "{} is awful", "worst day ever with {}",
            "what a terrible picture of {}",
        ),
        "neutral": (
            "I am looking at {}", "here is {}", "{} is open", "another day with {}",
            "this is a picture of {}", "on the way to see {}",
        ),
    },
    things=(
        "the old bridge", "our garden", "this cafe", "the bus station", "the library",
        "my neighbours' dog", "the new tram", "the harbour", "the school play", "the flower shop",
        "the football pitch", "a street artist", "the night market", "our kitchen table",
        "the lighthouse", "the bakery", "the swimming pool", "the museum", "the corner shop",
        "the railway yard", "the choir", "the bicycle lane", "the town hall",
        "my grandmother's house",
    ),
    places=(
        "in Dublin", "in Leeds", "in Lisbon", "near the river", "in Toronto", "at the seaside",
        "in Nairobi", "in Oslo", "behind the station", "in Chicago", "on our street",
        "in Melbourne", "in Mumbai", "by the lake", "in Glasgow", "at home", "in Cape Town",
        "in Austin", "downtown", "up north", "in Warsaw", "in Singapore", "in Boston",
    ),
    times=(
        "this morning", "today", "last night", "after work", "on Sunday", "before lunch",
        "this week", "at noon", "on my way home", "again", "for the first time",
        "in the afternoon", "since Tuesday",
    ),
)  # fmt: skip

LANGUAGES = {
    "en": ENGLISH,
    "zh": Language(
        sayings={
            "positive": ("我好喜欢{}", "{}真是太美了"),
            "negative": ("我真讨厌{}", "{}实在太糟糕了"),
            "neutral": ("我路过{}", "这里是{}", "{}开门了"),
        },
        things=(
            "那座老桥", "我们的花园", "公交车站", "图书馆", "新的电车", "夜市", "学校操场",
            "面包店", "博物馆", "街角的小店",
        ),
        places=("在北京", "在上海", "在广州", "在河边", "在成都", "在家附近", "在西安"),
        times=("今天早上", "昨天晚上", "下班以后", "星期天", "中午", "这个星期"),
        gap="，",
    ),
    "ja": Language(
        sayings={
            "positive": ("{}が大好きです", "{}は本当に素晴らしい"),
            "negative": ("{}が大嫌いです", "{}は本当にひどい"),
            "neutral": ("{}を見ています", "これは{}です", "{}へ行くところ"),
        },
        things=(
            "古い橋", "うちの庭", "バス停", "図書館", "新しい電車", "夜の市場", "学校のグラウンド",
            "パン屋", "博物館", "角の店",
        ),
        places=("東京で", "大阪で", "京都で", "川のそばで", "札幌で", "家の近くで", "横浜で"),
        times=("今朝", "昨日の夜", "仕事の後", "日曜日", "お昼に", "今週"),
        gap="、",
    ),
    "ru": Language(
        sayings={
            "positive": ("Как я люблю {}", "Какая красота: {}"),
            "negative": ("Как я ненавижу {}", "Какой ужас: {}"),
            "neutral": ("Сейчас смотрю на {}", "На снимке {}", "Иду мимо, там {}"),
        },
        things=(
            "старый мост", "наш сад", "новый трамвай", "вокзал", "рынок", "музей", "школьный двор",
            "магазин на углу",
        ),
        places=(
            "в Москве", "в Казани", "у реки", "в Самаре", "на нашей улице", "в Омске",
            "за городом",
        ),
        times=(
            "сегодня утром", "вчера вечером", "после работы", "в воскресенье", "в полдень",
            "на этой неделе",
        ),
    ),
    "es": Language(
        sayings={
            "positive": ("Me encanta {}", "Qué maravilla {}"),
            "negative": ("No soporto {}", "Qué desastre {}"),
            "neutral": ("Aquí está {}", "De camino a ver {}", "Esta foto es de {}"),
        },
        things=(
            "el puente viejo", "nuestro jardín", "el café de la esquina", "la estación",
            "el mercado", "el museo", "el patio del colegio",
        ),
        places=("en Málaga", "en Bogotá", "junto al río", "en León", "en mi calle", "en Córdoba"),
        times=("esta mañana", "anoche", "después del trabajo", "el domingo", "al mediodía"),
    ),
    "de": Language(
        sayings={
            "positive": ("Ich liebe {}", "Wie schön: {}"),
            "negative": ("Ich hasse {}", "Wie schrecklich: {}"),
            "neutral": ("Hier sieht man {}", "Unterwegs, Ziel: {}", "Auf dem Foto: {}"),
        },
        things=(
            "die alte Brücke", "das Café", "unsere Küche", "die Bücherei", "das Schulfest",
            "die Bäckerei", "das Museum",
        ),
        places=("in Köln", "in München", "am Fluss", "in Lübeck", "in unserer Straße", "in Zürich"),
        times=("heute früh", "gestern Abend", "nach der Arbeit", "am Sonntag", "am Nachmittag"),
    ),
    "fr": Language(
        sayings={
            "positive": ("J’adore {}", "Quelle merveille, {}"),
            "negative": ("Je déteste {}", "Quelle horreur, {}"),
            "neutral": ("Voici {}", "En route pour voir {}", "Sur cette photo, {}"),
        },
        things=(
            "le vieux pont", "notre jardin", "le café du coin", "la bibliothèque", "le marché",
            "le musée", "la cour de l’école",
        ),
        places=("à Lyon", "à Montréal", "près de la rivière", "à Genève", "dans ma rue", "à Nîmes"),
        times=("ce matin", "hier soir", "après le travail", "dimanche", "cet après-midi"),
    ),
    "pt": Language(
        sayings={
            "positive": ("Eu amo {}", "Que beleza, {}"),
            "negative": ("Eu odeio {}", "Que tristeza, {}"),
            "neutral": ("Aqui está {}", "A caminho de ver {}", "Esta foto mostra {}"),
        },
        things=(
            "a ponte antiga", "nosso jardim", "o café da esquina", "a estação", "o mercado",
            "o museu", "o pátio da escola",
        ),
        places=(
            "em São Paulo", "em Lisboa", "perto do rio", "em Belém", "na minha rua", "em Brasília",
        ),
        times=("hoje de manhã", "ontem à noite", "depois do trabalho", "no domingo", "ao meio-dia"),
    ),
}  # fmt: skip

USERS = (
    "bluekettle", "paper_lantern", "mossandstone", "tiny_harbour", "slowtrain", "oakdesk",
    "rainyrooftop", "lemonpier", "quiet_atlas", "northwindow", "woolsocks", "copperbird",
    "harbourtalk", "plainbiscuit",
)  # fmt: skip
