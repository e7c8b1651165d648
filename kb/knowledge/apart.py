"""Where an event loop runs already, as in Jupyter, none can be started: what needs one goes into a thread."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from threading import Thread
from typing import Concatenate, ParamSpec, TypeVar

from kb.knowledge.notebook import Notebook

_Base = TypeVar("_Base", bound=Notebook)
_Given = ParamSpec("_Given")
_Told = TypeVar("_Told")


def apart(
    method: Callable[Concatenate[_Base, _Given], _Told],
) -> Callable[Concatenate[_Base, _Given], _Told]:
    """The method, which runs an event loop, in a thread of its own where the caller's has one running.

    The caller waits for it. The notebook is opened anew there, since a store belongs to its thread.
    """

    @wraps(method)
    def called(self: _Base, /, *args: _Given.args, **options: _Given.kwargs) -> _Told:
        if not _in_a_loop():
            return method(self, *args, **options)
        told: list[_Told] = []
        failed: list[BaseException] = []

        def work() -> None:
            other = self.twin()
            try:
                told.append(method(other, *args, **options))
            except BaseException as error:  # raised again where it is waited for
                failed.append(error)
            finally:
                other.close()

        thread = Thread(target=work)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return told[0]

    return called


def _in_a_loop() -> bool:
    asyncio = sys.modules.get("asyncio")  # not loaded, it runs nothing
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None
    except RuntimeError:
        return False
