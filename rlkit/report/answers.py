"""Answers of a language model as HTML: every token coloured by its advantage, blue for what helped and orange for what did not."""

from collections.abc import Sequence
from html import escape
from typing import Any

_SHOWN = 6  # moments of a run


def chosen(moments: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first and the last moment, and some between them."""
    last = len(moments) - 1
    if last < _SHOWN:
        return list(moments)
    return [moments[round(i * last / (_SHOWN - 1))] for i in range(_SHOWN)]


def answers(moments: Sequence[dict[str, Any]]) -> str:
    """Write moments, each to be folded in and out, the last one open; the key to the colours stands above them."""
    key = '<p class="key"><i class="t" style="--a:1">helped</i><i class="t" style="--a:.4"></i><i></i><i class="t bad" style="--a:.4"></i><i class="t bad" style="--a:1">did not</i></p>'
    body = "".join(_moment(moment, shown=i == len(moments) - 1) for i, moment in enumerate(moments))
    return f'<div class="answers">{key}{body}</div>'


def _moment(moment: dict[str, Any], *, shown: bool) -> str:
    step = f"{int(moment['step']):,}".replace(",", "\u202f")
    head = f"<b>{step} tokens</b><span>mean reward {float(moment['reward']):.3g}, {float(moment['length']):.3g} tokens an answer</span>"
    body = "".join(_answer(one) for one in moment["answers"])
    return f"<details{' open' if shown else ''}><summary>{head}</summary>{body}</details>"


def _answer(one: dict[str, Any]) -> str:
    known = [abs(value) for _, value in one["tokens"] if value is not None]
    largest = max(known, default=0.0) or 1.0
    text = "".join(_token(str(words), value, largest) for words, value in one["tokens"])
    gold = f'<span class="gold">gold {escape(str(one["gold"]))}</span>' if one.get("gold") else ""
    reward = float(one["reward"])
    kind = "good" if reward > 0.0 else "bad" if reward < 0.0 else "none"
    return (
        f'<div class="answer"><div class="asked">{escape(str(one["prompt"]))}</div><div class="said">{text}</div>'
        f'<div class="earned"><b class="{kind}">{f"{reward:.3g}".replace("-", "−")}</b>{gold}</div></div>'
    )


def _token(text: str, advantage: float | None, largest: float) -> str:
    words = escape(text).replace("\n", '<span class="nl">↵</span>\n') or "\u200b"
    if advantage is None:
        return f'<span class="said-by-others">{words}</span>'
    shade = abs(advantage) / largest
    kind = "t bad" if advantage < 0.0 else "t"
    value = f"{advantage:+.3f}".replace("-", "−")
    return f'<span class="{kind}" style="--a:{shade:.2f}" title="advantage {value}">{words}</span>'
