"""English function words, which the `tutorial` preset drops.

Listed by word class from a grammar of English, with the pieces that contractions fall into once the
apostrophe has become a space ("don't" -> "don", "t"). The `default` preset drops none: "not" decides
many a review.
"""

from __future__ import annotations

_PRONOUNS = """
i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself
she her hers herself it its itself they them their theirs themselves this that these those
who whom whose which what
"""
_VERBS = """
am is are was were be been being have has had having do does did doing can could will would shall
should may might must ought
"""
_CONTRACTED = """
s t d m o y re ve ll ma ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan
shouldn wasn weren won wouldn
"""
_PREPOSITIONS = """
of at by for with about against between into through during before after above below to from up
down in out on off over under
"""
_CONJUNCTIONS = "and but or nor so than if because as until while"
_DETERMINERS = """
a an the all any both each few more most other some such same own only very too just no not
"""
_ADVERBS = "again further then once here there when where why how now"

ENGLISH = frozenset(
    " ".join(
        (
            *(_PRONOUNS, _VERBS, _CONTRACTED, _PREPOSITIONS),
            *(_CONJUNCTIONS, _DETERMINERS, _ADVERBS),
        )
    ).split()
)
"""Lower-case English function words."""
