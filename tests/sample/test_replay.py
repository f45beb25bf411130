"""Replay held against plain lists of steps: n-step chains, true successors, the ring, states, priorities."""

import numpy as np
import pytest
import torch

from rlkit.sample.replay import Replay
from rlkit.sample.sum_tree import SumTree

CPU = torch.device("cpu")
GAMMA = 0.9


class Story:
    """Random steps of N worlds, in the memory and in a plain list."""

    def __init__(self, rows, count, n_step=1, *, masks=False, images=False, ends=0.2, seed=0):
        self.rng = np.random.default_rng(seed)
        self.count, self.n_step, self.masks, self.images, self.ends = count, n_step, masks, images, ends
        self.now, self.allowed = self.observe(), self.allow()
        self.past = []
        self.memory = Replay(rows, self.now, np.zeros((), np.int64), self.allowed, GAMMA, n_step)

    def observe(self):
        if self.images:
            return self.rng.integers(0, 256, (self.count, 4, 4, 1), np.uint8)
        return self.rng.normal(size=(self.count, 2)).astype(np.float32)

    def allow(self):
        return self.rng.random((self.count, 3)) < 0.7 if self.masks else None

    def go_on(self, steps):
        for _ in range(steps):
            rng, count = self.rng, self.count
            actions, rewards = rng.integers(0, 3, count), rng.normal(size=count)
            terminated = rng.random(count) < self.ends
            truncated = ~terminated & (rng.random(count) < self.ends)
            over, obs = terminated | truncated, self.observe()
            next_obs = np.where(over.reshape(-1, *[1] * (obs.ndim - 1)), self.observe(), obs)
            self.past.append((self.now, actions, rewards, terminated, truncated, next_obs, self.allowed))
            self.now, self.allowed = obs, self.allow()
            self.memory.add(actions, rewards, terminated, truncated, next_obs, obs, self.allowed)

    def expected(self, t, i):
        """The n-step transition of step t in world i, by the definition."""
        total, discount = 0.0, 1.0
        for k in range(t, min(t + self.n_step, len(self.past))):
            _, _, rewards, terminated, truncated, next_obs, _ = self.past[k]
            total += discount * float(np.float32(rewards[i]))
            discount *= GAMMA
            if terminated[i] or truncated[i]:
                break
        after = self.past[k + 1][6] if k + 1 < len(self.past) else self.allowed
        allowed = None if not self.masks else after[i] | terminated[i] | truncated[i]
        return total, discount * (not terminated[i]), next_obs[i], allowed

    def check(self):
        held = self.memory.filled
        ages, worlds = (x.ravel() for x in np.meshgrid(np.arange(held), np.arange(self.count)))
        found = self.memory.gather(self.memory.row_of(ages), worlds, CPU)
        for b, (age, i) in enumerate(zip(ages, worlds, strict=True)):
            t = len(self.past) - held + age
            rewards, discount, next_obs, allowed = self.expected(t, i)
            np.testing.assert_array_equal(found.obs[b, 0], self.past[t][0][i])
            assert found.actions[b, 0] == self.past[t][1][i]
            assert found.rewards[b, 0] == np.float32(rewards)
            assert found.discounts[b, 0] == np.float32(discount)
            np.testing.assert_array_equal(found.next_obs[b, 0], next_obs)
            assert found.ends[b, 0] == (self.past[t][3][i] or self.past[t][4][i])
            if self.masks:
                np.testing.assert_array_equal(found.next_allowed[b, 0], allowed)
        assert found.obs.dtype == (torch.uint8 if self.images else torch.float32)
        return found


@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize(("count", "masks", "ends"), [(1, False, 0.0), (3, True, 0.2), (7, False, 0.9)])
def test_every_transition_is_what_the_steps_say_before_and_after_the_ring_has_turned(n_step, count, masks, ends):
    story = Story(11, count, n_step, masks=masks, ends=ends)
    for steps in (1, 4, 6, 3, 20):
        story.go_on(steps)
        story.check()
    assert len(story.memory) == 11 * count


def test_images_stay_bytes():
    story = Story(5, 2, images=True)
    story.go_on(9)
    story.check()


def test_a_chain_by_hand():
    """Rewards 1, 2, 4, 8 with a time limit after the second and an end after the fourth, γ = 1/2, n = 3."""
    obs = np.array([[0.0]], np.float32)
    memory = Replay(10, obs, np.zeros((), np.int64), None, 0.5, 3)
    for k, (terminated, truncated) in enumerate([(0, 0), (0, 1), (0, 0), (1, 0), (0, 0)]):
        flags = np.array([terminated], np.bool_), np.array([truncated], np.bool_)
        successor, following = obs + k + 1, obs + (10.0 * (k + 1) if terminated or truncated else k + 1)
        memory.add(np.zeros(1, np.int64), np.array([2.0**k]), *flags, successor, following, None)
    found = memory.gather(np.arange(5), np.zeros(5, np.int64), CPU)
    assert found.rewards[:, 0].tolist() == [2.0, 2.0, 8.0, 8.0, 16.0]
    assert found.discounts[:, 0].tolist() == [0.25, 0.5, 0.0, 0.0, 0.5]
    assert found.next_obs[:, 0, 0].tolist() == [2.0, 2.0, 4.0, 4.0, 5.0]


def test_sequences_are_rows_in_order():
    story = Story(9, 2, masks=True)
    story.go_on(14)
    single = story.check()
    found = story.memory.gather(story.memory.row_of(np.array([0, 3])), np.array([1, 0]), CPU, steps=5)
    assert found.mask.shape == (2, 5)
    for name, tensor in found._asdict().items():
        whole = getattr(single, name)
        assert torch.equal(tensor[0], whole[9:14, 0]), name
        assert torch.equal(tensor[1], whole[3:8, 0]), name


@pytest.mark.parametrize("steps", [3, 30])
def test_a_state_brings_everything_back_and_both_go_on_alike(steps):
    story, twin = Story(8, 3, 2, masks=True, ends=0.5), Story(8, 3, 2, masks=True, seed=9)
    story.go_on(steps)
    twin.go_on(5)
    state = story.memory.state_dict()
    twin.memory.load_state_dict(state)
    twin.past, twin.rng, twin.ends = list(story.past), np.random.default_rng(4), 0.5
    twin.now, twin.allowed, story.rng = story.now, story.allowed, np.random.default_rng(4)
    for one in (story, twin):
        one.go_on(12)
        one.check()
    again = twin.memory.state_dict()
    for name, value in story.memory.state_dict().items():
        assert np.array_equal(value, again[name]), name


def test_a_state_of_another_memory_is_refused():
    story = Story(8, 3)
    story.go_on(2)
    with pytest.raises(ValueError, match="up to 8 steps of each world; this agent 9"):
        Story(9, 3).memory.load_state_dict(story.memory.state_dict())
    with pytest.raises(ValueError, match=r"observations \[3, 2\]; here they are \[4, 2\]"):
        Story(8, 4).memory.load_state_dict(story.memory.state_dict())


@pytest.mark.parametrize("size", [1, 2, 5, 8, 1000])
def test_the_sum_tree_finds_what_a_cumulative_sum_finds(size):
    rng = np.random.default_rng(0)
    tree = SumTree(size)
    plain = np.zeros(size)
    for _ in range(20):
        which = rng.choice(size, rng.integers(1, size + 1), replace=False)
        plain[which] = np.where(rng.random(len(which)) < 0.3, 0.0, rng.integers(1, 50, len(which)))
        tree.set(which, plain[which])
        assert tree.total == plain.sum()
        np.testing.assert_array_equal(tree.priorities, plain)
        if tree.total:
            mass = rng.integers(0, int(tree.total), 200) + 0.5
            np.testing.assert_array_equal(tree.find(mass), np.searchsorted(plain.cumsum(), mass, side="right"))


def test_the_last_of_a_number_that_comes_twice_counts_and_rounding_finds_nothing_that_cannot_be():
    tree = SumTree(5)
    tree.set(np.array([1, 1, 3]), np.array([7.0, 0.1, 0.2]))
    assert tree.total == pytest.approx(0.3)
    assert tree.find(np.array([0.0, tree.total, 2.0 * tree.total])).tolist() == [1, 3, 3]
