"""Phrases that Whisper writes when nobody speaks. It learnt them from the ends of the subtitles it was trained on."""

from collections.abc import Mapping
from types import MappingProxyType

PHANTOM_PHRASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": (
            "applause",
            "bye",
            "bye bye",
            "hmm",
            "like and subscribe",
            "mm",
            "music",
            "oh",
            "please subscribe",
            "please subscribe to my channel",
            "see you in the next video",
            "see you next time",
            "subtitles by the amaraorg community",
            "thank you",
            "thank you for watching",
            "thank you very much",
            "thanks for listening",
            "thanks for watching",
            "transcription by castingwords",
            "you",
        ),
        "de": (
            "bis zum nächsten mal",
            "copyright wdr 2021",
            "swr 2020",
            "tschüss",
            "untertitel der amaraorg community",
            "untertitel im auftrag des zdf für funk 2017",
            "untertitelung aufgrund der amaraorg community",
            "untertitelung des zdf",
            "vielen dank",
            "vielen dank fürs zuschauen",
        ),
        "fr": (
            "abonnez-vous",
            "merci",
            "merci davoir regardé",
            "merci davoir regardé cette vidéo",
            "sous-titrage société radio-canada",
            "sous-titrage st 501",
            "sous-titres réalisés para la communauté damaraorg",
        ),
        "es": (
            "gracias",
            "gracias por ver el video",
            "gracias por ver el vídeo",
            "muchas gracias",
            "subtítulos realizados por la comunidad de amaraorg",
            "suscríbete al canal",
        ),
        "it": (
            "grazie",
            "grazie a tutti",
            "sottotitoli creati dalla comunità amaraorg",
            "sottotitoli e revisione a cura di qtss",
        ),
        "pt": (
            "inscreva-se no canal",
            "legendas pela comunidade amaraorg",
            "obrigada",
            "obrigado",
            "obrigado por assistir",
        ),
        "nl": (
            "bedankt",
            "bedankt voor het kijken",
            "ondertitels ingediend door de amaraorg gemeenschap",
            "tv gelderland 2021",
        ),
        "pl": (
            "dziękuję",
            "dziękuję za uwagę",
            "napisy stworzone przez społeczność amaraorg",
        ),
        "ru": (
            "продолжение следует",
            "редактор субтитров асемкин корректор аегорова",
            "спасибо за просмотр",
            "субтитры сделал dimatorzok",
            "субтитры создавал dimatorzok",
        ),
        "ja": (
            "ありがとうございました",
            "おやすみなさい",
            "ご視聴ありがとうございました",
            "チャンネル登録をお願いいたします",
        ),
        "zh": (
            "中文字幕志愿者李宗盛",
            "字幕由amaraorg社区提供",
            "謝謝觀看",
            "请不吝点赞订阅转发打赏支持明镜与点点栏目",
            "谢谢大家",
            "谢谢观看",
            "優優獨播劇場yoyotelevisionseriesexclusive",
        ),
        "ko": (
            "mbc 뉴스 이덕영입니다",
            "감사합니다",
            "구독과 좋아요 부탁드립니다",
            "시청해주셔서 감사합니다",
        ),
        "ar": (
            "اشتركوا في القناة",
            "ترجمة نانسي قنقر",
            "شكرا",
            "شكرا على المشاهدة",
            "شكرا للمشاهدة",
        ),
        "fi": (
            "kiitos",
            "kiitos katsomisesta",
            "tekstitys",
        ),
        "sv": (
            "tack",
            "tack för att du tittade",
            "textning stina hedin wwwbtistudioscom",
            "undertexter från amaraorggemenskapen",
        ),
        "tr": (
            "altyazı mk",  # noqa: RUF001 - the letter that Turkish writes
            "izlediğiniz için teşekkür ederim",
        ),
    }
)
"""Phrases by primary language tag, in lower case and without punctuation."""
