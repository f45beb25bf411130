"""Deep Q-learning's loop: a step in each world, and whenever it is time, learning steps and a move of the target net."""

from typing import NamedTuple

from rlkit.arrays import Floats
from rlkit.compiled.jit import kernel
from rlkit.compiled.mlp import Net
from rlkit.compiled.play import Tally
from rlkit.compiled.q_learn import Batch, Crew, Update, fit, follow, together
from rlkit.compiled.q_play import play
from rlkit.compiled.replay import Memory
from rlkit.compiled.worlds import Outcome, Seen
from rlkit.tabular.random import Stream, uniform
from rlkit.tabular.schedule import rate


class Rhythm(NamedTuple):
    """When what is due, in steps counted over all worlds, and schedules over them."""

    warmup: int  # steps with random actions before anything is learned
    train_every: int
    gradient_steps: int  # each time
    target_every: int
    tau: float
    epsilon: Floats  # packed schedules
    lr: Floats


class Stage(NamedTuple):
    """What one thread plays with."""

    world: NamedTuple
    seen: Seen
    outcome: Outcome
    tally: Tally
    stream: Stream


@kernel
def loop(
    crew: Crew, stage: Stage, memory: Memory, net: Net, target: Net, batch: Batch, update: Update, rhythm: Rhythm, step: int,
    until: int, count: int,
) -> int:  # fmt: skip
    """Go on from a step until there are `until` steps; return how many learning steps there were, `count` before included."""
    done, envs = 0, len(stage.outcome.choice)
    while step < until:
        before, step = step, step + envs
        learns = step >= rhythm.warmup and step // rhythm.train_every > before // rhythm.train_every
        due = (step // rhythm.train_every - before // rhythm.train_every) * rhythm.gradient_steps if learns else 0
        if crew.me == 0:
            epsilon = 1.0 if before < rhythm.warmup else rate(rhythm.epsilon, before + 1)
            here = stage.world, stage.seen, stage.outcome, stage.tally, memory, net, update.actions, stage.stream
            play(*here, epsilon)
        while due > 0:
            now = min(due, len(batch.u))
            if crew.me == 0:
                for k in range(now):
                    for i in range(batch.u.shape[1]):
                        batch.u[k, i] = uniform(stage.stream)
            done = together(crew, done)
            for k in range(now):
                count += 1
                done = fit(crew, done, net, target, memory, batch, k, update, rate(rhythm.lr, step), count)
            due -= now
        if step // rhythm.target_every > before // rhythm.target_every:
            follow(crew, target, net, rhythm.tau)
    return count
