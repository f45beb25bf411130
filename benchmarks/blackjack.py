"""Gymnasium's Blackjack-v1 as an exact MDP: an infinite deck, the dealer draws to 17; states numbered as its observations."""

from functools import cache

import numpy as np

from rlkit.mdp import MDP, from_P

CARDS = [(card, (1 if card < 10 else 4) / 13) for card in range(1, 11)]
STICK, HIT = 0, 1
Hand = tuple[int, bool]  # sum, usable ace


def blackjack() -> MDP:
    """Return the MDP of 704 states (player's sum, dealer's card, usable ace), 2 actions; its optimum is -0.046556."""
    n_states = 32 * 11 * 2
    impossible = [(1.0, 0, 0.0, True)]
    table = [[impossible, impossible] for _ in range(n_states)]
    start = np.zeros(n_states)
    for total in range(4, 22):
        for shown, p_shown in CARDS:
            for usable in (False, True):
                s = number((total, usable), shown)
                table[s][STICK] = [
                    (p, s, float(np.sign(total - dealer)) if dealer <= 21 else 1.0, True)
                    for dealer, p in dealers_end((shown + 10, True) if shown == 1 else (shown, False))
                ]
                table[s][HIT] = [_hit((total, usable), card, p, shown) for card, p in CARDS]
                start[s] = p_shown * sum(
                    p * q for a, p in CARDS for b, q in CARDS if add(add((0, False), a), b) == (total, usable)
                )
    return from_P(table, start / start.sum())


def number(hand: Hand, shown: int) -> int:
    """Return the number of an observation (sum, dealer's card, usable ace), the last part fastest."""
    return (hand[0] * 11 + shown) * 2 + hand[1]


def add(hand: Hand, card: int) -> Hand:
    """Add a card to a hand; an ace counts 11 while that does not go over 21."""
    total, usable = hand
    total += card
    if card == 1 and not usable and total + 10 <= 21:
        return total + 10, True
    return (total - 10, False) if total > 21 and usable else (total, usable)


@cache
def dealers_end(hand: Hand) -> tuple[tuple[int, float], ...]:
    """Return the distribution of the dealer's final sum; 22 stands for every sum above 21."""
    if hand[0] >= 17:
        return ((min(hand[0], 22), 1.0),)
    ends: dict[int, float] = {}
    for card, p in CARDS:
        for total, q in dealers_end(add(hand, card)):
            ends[total] = ends.get(total, 0.0) + p * q
    return tuple(sorted(ends.items()))


def _hit(hand: Hand, card: int, p: float, shown: int) -> tuple[float, int, float, bool]:
    after = add(hand, card)
    return (p, 0, -1.0, True) if after[0] > 21 else (p, number(after, shown), 0.0, False)
