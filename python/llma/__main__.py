# SPDX-License-Identifier: Apache-2.0
"""`python -m llma` is the program llma, which is part of the package."""

import os
import pathlib
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    if sys.argv[1:2] == ["tune"]:
        from .tune.__main__ import main as tune

        tune(sys.argv[2:])
        sys.exit()
    program = pathlib.Path(__file__).parent / "bin" / "llma"
    # Python ignores it, and the program would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(program, ["llma", *sys.argv[1:]])


if __name__ == "__main__":
    main()
