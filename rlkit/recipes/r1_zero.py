"""R1-Zero: reinforcement learning on a base model, with rewards for the answer and for its form and nothing else; arXiv:2501.12948 section 2.2.

GRPO as the paper has it but for what `lessons.reinforce` says: no division by the group's deviation or an answer's length. The published run has
batches of 32 questions with 16 answers, lr 3e-6, and KL .001 to a reference that is renewed every 400 steps; here there is no divergence.
"""

from pathlib import Path

from rich.console import Console

from rlkit.recipes.course import Course
from rlkit.recipes.exam import examine
from rlkit.recipes.lessons import imitate, reinforce
from rlkit.recipes.setting import setting
from rlkit.sample.language import Language


def r1_zero(model: str, out: Path, seed: int, console: Console) -> Course:
    """Train a base model by its rewards alone, and return the course, whose table has pass@1 after each part.

    Args:
        model: tiny, smollm2, or a folder.
        out: where the stages are kept.
        seed: of everything random.
        console: shows what each stage came to.
    """
    of = setting(model, seed)
    course = Course(out, {"recipe": "r1-zero", "model": model, "seed": seed}, of.build, console)
    school, rng = of.school, of.rng
    task = school.task(held_out=False, format_=1.0)
    if of.pretrains:
        course.learn(
            "base",
            "",
            lambda speaker, _: imitate(speaker, school.noisy(rng(0), 4_000), lr=of.lr, seed=seed, epochs=2, batch=32),
            lambda speaker: examine(speaker, school),
        )
    else:
        course.learn("base", "", lambda *_: None, lambda speaker: examine(speaker, school))
    before, each = "base", of.updates // 2
    for part in range(1, 5):
        name = f"rl {part * each} updates"

        def rewarded(speaker: Language, _: Path, part: int = part) -> None:
            reinforce(speaker, task, updates=each, limit=school.limit, lr=of.rl_lr / 2, seed=seed + part)

        course.learn(name, before, rewarded, lambda speaker: examine(speaker, school))
        before = name
    return course
