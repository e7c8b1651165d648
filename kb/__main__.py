"""Where a process begins, as `kb` or as `python -m kb`."""

# The C part of `signal`, which is there already: the other imports enum first.
import _signal  # type: ignore[import-not-found]


def run() -> None:
    """Let Ctrl-C end the process without a word while modules load; then it is the command's to answer.

    An interrupt that Python turns into an exception in the midst of an import is a traceback that nobody
    asked for, and nothing has been done yet that could be left half done.
    """
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # not where it is ignored
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from kb import cli

    cli.run()


if __name__ == "__main__":
    run()
