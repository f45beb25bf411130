"""DeepSeek-R1 in stages, arXiv:2501.12948 section 2.3: cold start, reasoning by rewards, rejection sampling, fine-tuning, rewards for all, distillation.

0 base: pretrained. A tiny model is new and reads noisy text first; a real one is taken as it is.
1 cold start: fine-tuning of the base on a few right answers with their thoughts in tags.
2 reasoning: GRPO with rewards for the answer, for the tags, and for thoughts in one language, added up.
3 rejection: the model of 2 answers problems; what is right, in form and in one language is kept, general answers come beside it.
4 sft: the base again, two epochs of 3.
5 reward model of general answers, some of which are liked more than others; then all: GRPO on problems by rules and on general questions by it.
6 student: a smaller model, which has read what the base had, learns from the answers of 5 alone, without rewards.

Left out: a judge for harmlessness, and an answer's summary apart from its thought. The paper has 600 thousand answers of reasoning and 200 thousand
others in stage 3; here they are hundreds.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from rlkit.recipes.course import Course, Row
from rlkit.recipes.exam import examine, pleases
from rlkit.recipes.judging import judge_of, learn_to_judge
from rlkit.recipes.lessons import imitate, reinforce
from rlkit.recipes.school import General, Mixed
from rlkit.recipes.setting import setting
from rlkit.sample.judge import Judge, Judged
from rlkit.sample.language import Language
from rlkit.sample.rejection import Scored, answers, pairs, sampled
from rlkit.sample.studies import Answer, read, write
from rlkit.sample.verifiers import language as latin
from rlkit.sample.verifiers import thinks_and_answers

DATA = "answers.jsonl"
_HOLD = 0.3  # weight of the divergence that keeps stage 5 where the reward model has seen something


def r1(model: str, out: Path, seed: int, console: Console) -> Course:
    """Do all stages, and return the course, whose table has every stage's marks on held-out problems.

    Args:
        model: tiny, smollm2, or a folder.
        out: where the stages are kept; those that are finished there are not done again.
        seed: of everything random.
        console: shows what each stage came to.
    """
    of = setting(model, seed)
    school = of.school
    course = Course(out, {"recipe": "r1", "model": model, "seed": seed}, of.build, console)
    by_rules = school.task(held_out=False, format_=1.0, language_=1.0)

    def exam(speaker: Language) -> Row:
        return {**examine(speaker, school), "liked": pleases(speaker)}

    def base(speaker: Language, _: Path) -> None:
        if of.pretrains:
            imitate(speaker, school.noisy(of.rng(0), 4_000), lr=of.lr, seed=seed, epochs=2, batch=32)

    course.learn("0 base", "", base, exam)

    def cold_start(speaker: Language, _: Path) -> None:
        imitate(speaker, school.clean(of.rng(1), of.cold), lr=of.lr / 4, seed=seed + 1, epochs=2)

    course.learn("1 cold start", "0 base", cold_start, exam)

    def reasoning(speaker: Language, _: Path) -> None:
        reinforce(speaker, by_rules, updates=of.updates, limit=school.limit, lr=of.rl_lr, seed=seed + 2)

    course.learn("2 reasoning", "1 cold start", reasoning, exam)

    def rejection(folder: Path) -> Row:
        speaker = replace(course.language("2 reasoning"), task=school.task(held_out=False))
        found = list(sampled(speaker, prompts=of.prompts, samples=4, limit=school.limit, seed=seed + 3, batch=64))
        kept = answers([one for one in found if _good(one)], most=4)
        talk = _talk(of.rng(3), len(kept) // 3)
        write(folder / DATA, [*kept, *talk])
        return {"written": len(found), "kept": len(kept), "general": len(talk)}

    course.stage("3 rejection", rejection)

    def fine_tune(speaker: Language, _: Path) -> None:
        data, _places = read(course.folder("3 rejection") / DATA, Answer)
        imitate(speaker, data, lr=of.lr, seed=seed + 4, epochs=2, batch=8)

    course.learn("4 sft", "0 base", fine_tune, exam)

    def preferences(folder: Path) -> Row:
        found = []
        for stage in ("0 base", "4 sft"):  # both, for the judge must have seen bad answers too
            speaker = replace(course.language(stage), task=General(held_out=False))
            found += list(sampled(speaker, prompts=2 * of.prompts, samples=4, limit=16, seed=seed + 5, batch=64))
        data = pairs(found, most=8)
        judge = learn_to_judge(course.language("4 sft"), data, folder, lr=of.lr / 3, epochs=10, seed=seed + 5)
        return {"pairs": len(data), "agrees": _agrees(judge, seed)}

    course.stage("5 reward model", preferences)

    def everything(speaker: Language, _: Path) -> None:
        task = Mixed((by_rules, Judged(General(held_out=False), judge_of(course, "5 reward model"))))
        reinforce(speaker, task, updates=of.updates // 2, limit=school.limit, lr=of.rl_lr / 3, seed=seed + 6, kl=_HOLD)

    course.learn("5 all", "4 sft", everything, exam)

    def distil(speaker: Language, folder: Path) -> None:
        task = Mixed((school.task(held_out=False), General(held_out=False)))
        teacher = replace(course.language("5 all"), task=task)
        found = sampled(teacher, prompts=2 * of.prompts, samples=2, limit=school.limit, seed=seed + 7, batch=64)
        data = [Answer(one.prompt, one.answer) for one in found if one.ended and one.score >= 1.0]
        write(folder / DATA, data)
        imitate(speaker, data, lr=of.lr, seed=seed + 7, epochs=8, batch=16)

    course.learn("6 its base", "", base, exam, build=of.student)
    course.learn("6 student", "6 its base", distil, exam, build=of.student)
    return course


def _good(one: Scored) -> bool:
    """Whether an answer is right, ended, in tags and in one language."""
    return one.ended and one.score >= 1.0 and thinks_and_answers(one.answer) == 1.0 == latin(one.answer)


def _talk(rng: np.random.Generator, count: int) -> list[Answer]:
    """General answers as somebody has collected them: to the point, and polite as often as not."""
    prompts = [General(held_out=False).start(rng).prompt for _ in range(count)]
    return [Answer(prompt, prompt[:-1] + str(rng.choice(["", "!"]))) for prompt in prompts]


def _agrees(judge: Judge, seed: int) -> float:
    """How often a judge prefers the liked of two answers to questions that are held out."""
    rng = np.random.default_rng(seed)
    prompts = [General(held_out=True).start(rng).prompt for _ in range(64)]
    good, plain = (judge.score(prompts, [prompt[:-1] + end for prompt in prompts]) for end in ("!", ""))
    return float(np.mean(good > plain))
