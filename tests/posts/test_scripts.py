from __future__ import annotations

import pytest

from multimodal_sentiment.posts.scripts import script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("What a day!", "Latin"),
        ("Ça va à Łódź", "Latin"),
        ("какой день, RT", "Cyrillic"),
        ("今天真好", "Han"),
        ("今日は学校", "Japanese"),
        ("ｶﾀｶﾅ", "Japanese"),
        ("오늘 좋다", "Hangul"),
        ("ﾡﾢﾣ", "Hangul"),
        ("ＳＯ ＨＡＰＰＹ", "Latin"),
        ("𝓼𝓸 𝕙𝕒𝕡𝕡𝕪 ж", "Latin"),
        ("วันนี้ดี", "Thai"),
        ("يوم جميل", "Arabic"),
        ("12:30 :-) 😀", "none"),
        ("", "none"),
        ("ab жз", "Cyrillic"),
    ],
)
def test_the_script_of_most_letters_counts(text: str, script: str) -> None:
    assert script_of(text) == script
