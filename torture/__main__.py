"""All harnesses at full length, one after the other: python -m torture."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

WHOLE: Final = (
    ("crash", "--kills", "200"),
    ("disk", "--rounds", "30"),
    ("crowd", "--rounds", "20"),
    ("hostile",),
    ("apis",),
    ("within",),
    ("mutations",),
)


def main() -> int:
    """Run them; 1 if any found anything."""
    failed = []
    for module, *args in WHOLE:
        print(f"== {module}", flush=True)
        if subprocess.run([sys.executable, "-m", f"torture.{module}", *args], check=False).returncode:
            failed.append(module)
    print(f"{len(WHOLE) - len(failed)} passed, {len(failed)} failed" + (f": {failed}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
