"""Templates: how a question becomes the prompt of a model, and how the next turn of a talk begins."""

R1 = (
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant first "
    "thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning process and answer "
    "are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> reasoning process here "
    "</think> <answer> answer here </answer>. User: {question}. Assistant:"
)  # DeepSeek-R1, arXiv:2501.12948 table 1
CHAT = "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"  # ChatML, as of SmolLM2 and Qwen
TEMPLATES = {
    "plain": "{question}",
    "question": "Question: {question}\nAnswer:",
    "chat": CHAT,
    "r1": R1,
}
_NEXT = {
    "plain": "\n{question}",
    "question": "\nQuestion: {question}\nAnswer:",
    "chat": "\n" + CHAT,
    "r1": "\nUser: {question}. Assistant:",
}
_PLACE = "{question}"


def checked(name: str) -> str:
    """Return the name of a template, or the text of one that holds {question}, as it is.

    Raises:
        ValueError: it is neither.
    """
    if _PLACE not in TEMPLATES.get(name, name):
        raise ValueError(f"template is {name!r}; choose one of {', '.join(TEMPLATES)}, or a text that holds {_PLACE}")
    return name


def fill(name: str, question: str) -> str:
    """Return the prompt of a question."""
    return TEMPLATES.get(name, name).replace(_PLACE, question)


def follow(name: str, reply: str) -> str:
    """Return what comes between a model's turn, which it has ended itself, and its next one."""
    return _NEXT.get(name, "\n" + TEMPLATES.get(name, name)).replace(_PLACE, reply)
