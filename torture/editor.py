"""An editor in a hurry: it saves a note again and again, a line longer each time, until it is told to stop.

It saves by a rename, and takes over what somebody else wrote in the meantime: none of the two may
lose what the other wrote.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from kb.notes.exchange import exchange


def main(note: Path, seed: int) -> None:
    """Save until SIGTERM comes, then print how often."""
    chance, saves, stopped = random.Random(seed), 0, False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    print("saving", flush=True)
    while not stopped:
        text = note.read_bytes()
        _save(note, text, text + f"* edit {saves}\n".encode())
        saves += 1
        time.sleep(chance.uniform(0.0, 0.05))
    print(saves)


def _save(note: Path, read: bytes, text: bytes) -> None:
    """By a rename; what somebody else put at the end in the meantime is put at the end again."""
    new = note.with_name(".editor.swp")
    while True:
        new.write_bytes(text)
        exchange(str(new), str(note))
        taken = new.read_bytes()
        if taken == read:
            os.unlink(new)
            return
        # What was taken out is what stood there before, and somebody's words after it.
        read, text = text, text + taken[len(read) :]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
