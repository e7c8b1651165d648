"""A note's file -> the rows it will be: in this process, or in helpers beside it.

Reading is two thirds of a first sync, and one note says nothing of the next: where many files
are to be read, helper processes read them while this one writes. A helper is a plain process
that is handed jobs on its standard input (never a fork: whoever calls may have threads, a model
loaded, or a store open). Without helpers, or when one dies, the same work is done here.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, NamedTuple, TypeAlias

from kb import urls
from kb.errors import UnknownNote
from kb.model.kinds import LinkKind
from kb.model.links import Key
from kb.model.notes import Link, LinkForm
from kb.notes import files
from kb.notes.parse import parse
from kb.notes.walk import reason
from kb.store.prepared import Prepared, prepare
from kb.store.rows import Identity, Stamp

#: Fewer files than this are read here: helpers take a tenth of a second to start.
WORTH_HELPING = 1_000
#: One writer keeps up with so many.
MAX_HELPERS = 3
# A job and its answer lie in memory whole; its paths must fit into a pipe that nobody reads yet.
_JOB_FILES, _JOB_BYTES, _JOB_PATHS = 50, 1024 * 1024, 8 * 1024
_AHEAD = 24
# Jobs that a helper holds at once; their paths too must fit into that pipe.
_EACH = 2


_Box: TypeAlias = "SimpleQueue[list[Read] | None]"


class Wanted(NamedTuple):
    """A file to read: path, size, the mtime to remember, and the digest it is known by, if any."""

    path: str
    size: int
    mtime_ns: int
    digest: str


class Read(NamedTuple):
    """What came of it. Without rows: `fault` says why it cannot be read, `gone` that it is gone,
    else its bytes are those it was known by.
    """

    path: str
    stamp: Stamp
    rows: Prepared | None = None
    fault: str = ""
    gone: bool = False


def identify(link: Link) -> Identity:
    """Which link a mention means."""
    if link.form is LinkForm.WIKILINK and not urls.is_web(link.url):
        return Identity(Key(link.url), LinkKind.INTERNAL, "")  # `[[Note: a part]]` has no scheme
    return Identity(*urls.identify(link.url, link.anchor))


def read(root: Path, wanted: Wanted, *, day_first: bool) -> Read:
    """Read one file and make its rows, unless its bytes are the known ones. Never raises for a bad note."""
    path, size, mtime, known = wanted
    try:
        data = files.read(root, path)
    except UnknownNote:
        return Read(path, Stamp(size, mtime, ""), gone=True)
    except OSError as error:
        return Read(path, Stamp(size, mtime, ""), fault=reason(error))
    stamp = Stamp(size, mtime, blake2b(data, digest_size=16).hexdigest())
    if stamp.digest == known:
        return Read(path, stamp)
    return Read(path, stamp, prepare(parse(path, data, day_first=day_first), stamp, identify))


def read_all(
    root: Path, wanted: Sequence[Wanted], *, day_first: bool, helpers: int | None = None
) -> Iterator[Read]:
    """Read files in order. `helpers` is how many processes may help; None for as many as make sense."""
    count = _helpers(len(wanted)) if helpers is None else helpers
    if not count:
        yield from (read(root, one, day_first=day_first) for one in wanted)
        return
    with _Pool(count, root, day_first) as pool:
        yield from pool.run(wanted)


def _helpers(files: int) -> int:
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    worth = files >= WORTH_HELPING and cores > 1 and bool(sys.executable)
    return min(cores, MAX_HELPERS) if worth else 0


class _Pool:
    """Helpers, and a thread for each that hands it jobs and waits for its answers."""

    def __init__(self, count: int, root: Path, day_first: bool) -> None:
        self._root, self._day_first = root, day_first
        self._todo: SimpleQueue[tuple[Sequence[Wanted], _Box] | None] = SimpleQueue()
        self._helpers = [_start(root, day_first) for _ in range(count)]
        self._alive = [helper.pid for helper in self._helpers if helper is not None]
        self._threads = [Thread(target=self._work, args=(helper,), daemon=True) for helper in self._helpers]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        for helper in self._helpers:
            if helper is not None:
                helper.kill()  # it only reads; what it was about is no longer wanted
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        for helper in self._helpers:
            if helper is not None:
                with suppress(OSError):
                    helper.communicate()

    def run(self, wanted: Sequence[Wanted]) -> Iterator[Read]:
        """Answers in order; no more than `_AHEAD` jobs are under way or wait to be taken."""
        ahead: deque[tuple[Sequence[Wanted], _Box]] = deque()
        for job in _jobs(wanted):
            box: _Box = SimpleQueue()
            ahead.append((job, box))
            self._todo.put((job, box))
            if len(ahead) == _AHEAD:
                yield from self._answer(*ahead.popleft())
        while ahead:
            yield from self._answer(*ahead.popleft())

    def _answer(self, job: Sequence[Wanted], box: _Box) -> list[Read]:
        found = box.get()
        if found is None:
            found = [read(self._root, one, day_first=self._day_first) for one in job]
        return found

    def _work(self, helper: subprocess.Popen[bytes] | None) -> None:
        """The life of a thread. Without a helper it leaves the jobs to the others, if there are any.

        A helper has its next job before its answer is taken: else it would stand idle meanwhile.
        """
        asked: deque[_Box] = deque()
        while helper is not None or not self._alive:
            if not asked or (len(asked) < _EACH and self._todo.qsize() > len(self._helpers)):
                task = self._todo.get()
                if task is None:
                    return
                job, box = task
                asked.append(box)
                if helper is not None and _ask(helper, job):
                    continue
            answer = None if helper is None else _answer(helper)
            if answer is not None:
                asked.popleft().put(answer)
                continue
            if helper is not None:  # it died: what it was asked is done elsewhere
                self._alive.remove(helper.pid)
                helper = None
            while asked:
                asked.popleft().put(None)


def _ask(helper: subprocess.Popen[bytes], job: Sequence[Wanted]) -> bool:
    """Hand a helper a job; False when it died."""
    if helper.stdin is None:
        return False
    try:
        _send(helper.stdin, marshal.dumps([tuple(one) for one in job]))
    except (OSError, ValueError):
        return False
    return True


def _answer(helper: subprocess.Popen[bytes]) -> list[Read] | None:
    """Its next answer; None when it died."""
    if helper.stdout is None:
        return None
    try:
        answer = _receive(helper.stdout)
        if answer is None:
            return None
        return [
            Read(path, Stamp(*stamp), Prepared(*rows) if rows else None, fault, gone)
            for path, stamp, rows, fault, gone in marshal.loads(answer)  # noqa: S302 - of a process of our own
        ]
    except (OSError, ValueError, EOFError, TypeError):
        return None


def _jobs(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    job: list[Wanted] = []
    size = names = 0
    for one in wanted:
        if job and (len(job) == _JOB_FILES or size + one.size > _JOB_BYTES or names > _JOB_PATHS):
            yield job
            job, size, names = [], 0, 0
        job.append(one)
        size += one.size
        names += len(one.path.encode())
    if job:
        yield job


def _start(root: Path, day_first: bool) -> subprocess.Popen[bytes] | None:
    # -P and our own path: the folder we stand in may hold a stranger's yaml.py. Without `site`, which
    # would find what this process has found, a helper starts in two thirds of the time.
    path = [*sys.path, os.fspath(Path(__file__).parent.parent)]
    code = f"import sys; sys.path[:] = {path!r}; from kb.reading import serve; serve()"
    command = [sys.executable, "-P", "-S", "-c", code, os.fspath(root), "1" if day_first else ""]
    try:
        return subprocess.Popen(  # noqa: S603 - this very program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return None


def serve() -> None:
    """The life of a helper: jobs on standard input, answers on standard output, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked tells us when to stop
    root, day_first = Path(sys.argv[1]), bool(sys.argv[2])
    os.nice(5)  # who asked writes meanwhile: should it wait for the processor, all would end later
    gc.disable()  # a note leaves no cycles behind, and looking for them takes a tenth of the time
    while (job := _receive(sys.stdin.buffer)) is not None:
        found = [read(root, Wanted(*one), day_first=day_first) for one in marshal.loads(job)]  # noqa: S302
        plain = [
            (one.path, tuple(one.stamp), tuple(one.rows) if one.rows else None, one.fault, one.gone)
            for one in found
        ]
        _send(sys.stdout.buffer, marshal.dumps(plain))


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """The next message; None where the other side is gone."""
    head = pipe.read(8)
    if len(head) < 8:
        return None
    size = int.from_bytes(head, "little")
    data = pipe.read(size)
    return data if len(data) == size else None
