"""`python -m rlkit.cli`, for torchrun: `torchrun --nproc-per-node 2 -m rlkit.cli train ppo`; only the first process prints."""

import contextlib
import os
import sys
from pathlib import Path

from rlkit.cli import main
from rlkit.run import ranks

if __name__ == "__main__":
    with contextlib.ExitStack() as stack:
        if not ranks.writes():
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
        code = main()
    ranks.leave()
    sys.exit(code)
