"""Deep Q-learning's torch engine: any net, any environment, any device, any rule of what is learned; the algorithm from step to step."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report
from rlkit.pg.q_targets import chosen, greedy, huber_loss, td_target
from rlkit.pg.reduce import count, masked_mean, shares, weighted_sum
from rlkit.policies.adam import Adam
from rlkit.policies.machine import device, use_threads
from rlkit.policies.q_networks import QNetwork
from rlkit.policies.state import load_module, module_state
from rlkit.policies.target import Target
from rlkit.sample.acting import Acting
from rlkit.sample.config import rate
from rlkit.sample.draws import agent_generator, share, weight_generator
from rlkit.sample.experience import Drawn, Experience
from rlkit.sample.priorities import Priorities
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.worlds import Worlds

if TYPE_CHECKING:
    from rlkit.agents.dqn import Config


class Rule(Protocol):
    """What is learned of r + γ Q(s', a'): a number, or its distribution as K numbers."""

    @property
    def atoms(self) -> int:
        """K."""
        ...

    @property
    def support(self) -> Tensor | None:
        """Return [K] where the numbers are logits of these values."""
        ...

    def target(self, ahead: Tensor, rewards: Tensor, discounts: Tensor) -> Tensor:
        """Return the target of rewards [B, T], and the target net's K numbers at s' and a', [B, T, K] ([B, T] for K = 1)."""
        ...

    def loss(self, outputs: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return how far K numbers are from it, [B, T]."""
        ...

    def surprise(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return δ, the mean of the target minus Q, [B, T]."""
        ...


class Mean(NamedTuple):
    """The number Q(s, a)."""

    atoms: int = 1
    support: Tensor | None = None

    def target(self, ahead: Tensor, rewards: Tensor, discounts: Tensor) -> Tensor:
        """Return r + γ Q'."""
        return td_target(rewards, discounts, ahead)

    def loss(self, outputs: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the Huber loss."""
        return huber_loss(outputs, target, mask)

    def surprise(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return y - Q."""
        return target - outputs


MEAN = Mean()


class DQN:
    """One run of DQN, or with another rule of one of its kin.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """

    def __init__(self, env: gym.Env[Any, Any], config: "Config", seed: int, rule: Rule) -> None:
        self.config, self.rule = config, rule
        self.device = dist.setup(device(config.device))
        if config.prioritized and dist.world_size() > 1:
            raise ValueError(
                f"prioritized is {config.prioritized}; of several processes none knows all priorities: take 0"
            )
        self.worlds = Worlds(env, share(config.envs), seed, config.vector)
        self.net = QNetwork(
            self.worlds.senses,
            self.worlds.action_space,
            config.hidden,
            config.activation,
            generator=weight_generator(seed),
            dueling=config.dueling,
            atoms=rule.atoms,
            support=rule.support,
            recurrent=config.recurrent,
            normalise=config.normalise_obs,
        ).to(self.device)
        self.target = Target(self.net)
        self.optimizer = Adam(self.net.parameters())
        self.rng = agent_generator(seed)
        self.experience = Experience(self.worlds, self.net, self.device, config, (self.net, self.target.net))
        self.priorities = Priorities(self.experience.replay, config.prioritized) if config.prioritized else None
        self.step = 0
        self._acting = Acting(self.net, self.worlds.senses, self.worlds.action_space, self.device, seed)
        self._lr, self._beta = rate(config.lr, "lr", config), rate(config.beta, "beta", config, 1.0)
        self._epsilon = rate(config.epsilon, "epsilon", config, 1.0)
        self._last: tuple[Tensor, ...] = ()  # outputs, target, loss and mask of the last batch
        use_threads(config.threads, self.optimizer.flat.numel(), config.batch)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the greedy action for an observation or a batch of them, or with `explore` sometimes a random one."""
        return self._acting.act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of allowed actions, and of an episode's beginning."""
        self._acting.attend(info, first=first)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps."""
        config, end, chunk = self.config, self.step + steps, every(self.config, steps)
        reported = self.step
        while self.step < end:
            self.net.epsilon = self._epsilon(self.step + 1)
            due = self.experience.play(self.rng, self.step)
            if self.priorities is not None:
                self.priorities.see()
            before, self.step = self.step, self.step + config.envs
            self._learn(due)
            if self.step // config.target_every > before // config.target_every:
                self.target.follow(self.optimizer.flat, config.tau)
            if self.step >= min(reported + chunk, end):
                reported = self.step
                yield Report(self.step, episodes(self.worlds.finished) | self._measure())

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return {
            "step": self.step,
            "net": module_state(self.net),
            "target": module_state(self.target.net),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.rng.bit_generator.state,
            "experience": self.experience.state_dict(),
            "priorities": self.priorities and self.priorities.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        load_module(self.net, state["net"])
        load_module(self.target.net, state["target"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.experience.load_state_dict(state["experience"])
        if self.priorities is not None:
            self.priorities.load_state_dict(state["priorities"])
        self.rng.bit_generator.state = state["generator"]
        self.step = int(state["step"])

    def _learn(self, times: int) -> None:
        config = self.config
        if self.priorities is None:
            for drawn in self.experience.batches(self.rng, times, config.sequence if config.recurrent else 1):
                if config.recurrent:
                    drawn.rows.mask[:, : config.burn_in] = False
                self._fit(drawn)
            return
        for _ in range(times):
            rows, worlds, weights = self.priorities.draw(self.rng, config.batch, self._beta(self.step))
            batch = self.experience.replay.gather(rows, worlds, self.device)
            self._fit(
                Drawn(batch, np.ones((1, config.batch), np.bool_)), torch.from_numpy(weights[:, None]).to(batch.rewards)
            )
            surprise = self.rule.surprise(*self._last[:2]).cpu().numpy()
            self.priorities.update(rows, worlds, surprise[:, 0].astype(np.float64))

    def _fit(self, drawn: Drawn, weight: Tensor | None = None) -> None:
        """Take a learning step for each batch; the target net stands still meanwhile, and is asked about all of them at once."""
        rows, net, alpha, most = drawn.rows, self.net, self._lr(self.step), self.config.max_grad_norm
        share = shares(rows.mask, "token", dist.mean(count(rows.mask, "token") / len(drawn.own)))
        with torch.no_grad():
            later = self.target.net.after(rows.obs, rows.next_obs, rows.ends)
            greedily = greedy(self.target.net.means(later), rows.next_allowed)
        for part, (ahead, theirs, counts) in drawn.parts(later, greedily, share if weight is None else share * weight):
            with torch.no_grad():
                best = theirs
                if self.config.double:
                    best = greedy(net.means(net.after(part.obs, part.next_obs, part.ends)), part.next_allowed)
                target = self.rule.target(chosen(ahead, best), part.rewards, part.discounts)
            outputs = chosen(net.along(part.obs, part.ends), part.actions)
            loss = self.rule.loss(outputs, target, part.mask)
            self.optimizer.step(dist.mean(self.optimizer.gradient(weighted_sum(loss, counts))), alpha, most)
            self._last = (outputs.detach(), target, loss.detach(), part.mask)

    def _measure(self) -> dict[str, float]:
        """Say what the last batch came to; the one place that waits for the device."""
        found = {"epsilon": self.net.epsilon, "lr": self._lr(self.step)}
        if not self._last:
            return found
        outputs, target, loss, mask = self._last
        numbers = torch.stack([masked_mean(loss, mask), masked_mean(self.rule.surprise(outputs, target).abs(), mask)])
        loss_mean, error = dist.mean(numbers).tolist()
        return checked({**found, "loss": loss_mean, "td_error": error}, self.step)
