"""What the recipes teach: short problems with a thought and an answer in tags, in two schools, and a general question whose answers are liked or not.

`letters` is for tiny models: words are to be repeated; the text that stands for pretraining is half wrong, half without tags, and thinks
in Cyrillic as often as in Latin letters. `sums` is for real ones: additions, asked in the template of DeepSeek-R1.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlkit.sample.studies import Answer
from rlkit.sample.text.arithmetic import Arithmetic
from rlkit.sample.text.letters import LetterTask
from rlkit.sample.text.problem import Problem, Question, TextTask, drawn
from rlkit.sample.verifiers import Verifier, Weighted, language, tagged_number, thinks_and_answers

_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_FOREIGN = str.maketrans("abcde", "абцдэ")
_WORDS = "abcde"


def tagged_text(completion: str, answer: str) -> float:
    """Return 1 if there is exactly one `<answer>`, and in it the answer."""
    found = _ANSWER.findall(completion)
    return float(len(found) == 1 and completion.count("<answer>") == 1 and found[0].strip() == answer)


@dataclass(frozen=True)
class Mixed:
    """One task or another, alike often."""

    tasks: tuple[TextTask, ...]

    def start(self, rng: np.random.Generator) -> Problem:
        """Return a problem of one of them."""
        return self.tasks[int(rng.integers(len(self.tasks)))].start(rng)


@dataclass(frozen=True)
class General:
    """The question abc? is to be answered with "abc!": 1 for that, 1/2 for "abc" alone or with more behind it, 0 for anything else."""

    held_out: bool | None = None

    def start(self, rng: np.random.Generator) -> Question:
        """Return a question."""

        def draw(rng: np.random.Generator) -> tuple[str, Problem]:
            word = "".join(_WORDS[i] for i in rng.integers(len(_WORDS), size=int(rng.integers(2, 4))))
            return word, Question(f"{word}?", f"{word}!", lambda text: liked(word, text))

        return drawn(rng, draw, self.held_out)  # type: ignore[return-value]  # what `draw` returns


def liked(word: str, text: str) -> float:
    """Return how much people like an answer."""
    return 1.0 if text == f"{word}!" else 0.5 if text.startswith(word) else 0.0


@dataclass(frozen=True)
class School:
    """Problems of one kind.

    Args:
        build: makes the task, given its rewards and the side of it.
        right: the verifier of the answer.
        limit: the most tokens of an answer.
    """

    build: Callable[[Weighted, bool | None], TextTask]
    right: Verifier
    limit: int

    def task(self, *, held_out: bool, format_: float = 0.0, language_: float = 0.0) -> TextTask:
        """Return the task, whose reward is 1 for the right answer, and these for its form and its language."""
        rewards = [(self.right, 1.0), (thinks_and_answers, format_), (language, language_)]
        return self.build([pair for pair in rewards if pair[1]], held_out)

    def clean(self, rng: np.random.Generator, count: int) -> list[Answer]:
        """Return right answers, thought and all, to problems for training: the cold start."""
        task, found = self.task(held_out=False, format_=1.0), []
        for _ in range(count):
            problem = task.start(rng)
            said = str(problem.gold)
            inner = _ANSWER.findall(said)[0]
            found.append(Answer(problem.prompt, said.replace("<think></think>", f"<think>{inner}</think>")))
        return found

    def noisy(self, rng: np.random.Generator, count: int) -> list[Answer]:
        """Return what a model may have read before: half of it right, half in tags, thoughts in two scripts, and general talk."""
        found = []
        for one in self.clean(rng, count):
            word = _ANSWER.findall(one.answer)[0]
            if rng.random() < 0.5:
                word = "".join(_WORDS[i] for i in rng.integers(len(_WORDS), size=len(word)))
            thought = word.translate(_FOREIGN) if rng.random() < 0.5 else word
            tagged = rng.random() < 0.5
            found.append(Answer(one.prompt, f"<think>{thought}</think> <answer>{word}</answer>" if tagged else word))
            if rng.random() < 0.25:
                asked = General(held_out=False).start(rng).prompt
                found.append(Answer(asked, asked[:-1] + str(rng.choice(["", "!", "."]))))
        return found


def letters() -> School:
    """Return the school of tiny models: repeat words of two and three letters of five."""
    return School(
        lambda rewards, held_out: LetterTask("copying", _WORDS, 2, 3, reward=rewards, held_out=held_out),
        tagged_text,
        48,
    )


def sums(digits: int = 1) -> School:
    """Return the school of real models: sums of two numbers."""
    return School(
        lambda rewards, held_out: Arithmetic("+", digits, template="r1", reward=rewards, held_out=held_out),
        tagged_number,
        32,
    )
