"""TinyWorld: short stories whose probability and truth are known exactly.

Used from chapter 1 on; chapter 2 explains what the probabilities are for.
"""

from llm_utils.text.tinyworld.judge import Sentence, Verdict
from llm_utils.text.tinyworld.lexicon import LEVELS, Level
from llm_utils.text.tinyworld.questions import Guess, Question, guessers
from llm_utils.text.tinyworld.world import Entropy, Facts, Story, TinyWorld

__all__ = [
    "LEVELS",
    "Entropy",
    "Facts",
    "Guess",
    "Level",
    "Question",
    "Sentence",
    "Story",
    "TinyWorld",
    "Verdict",
    "guessers",
]
