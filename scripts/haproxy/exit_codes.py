"""Exit codes, log lines and verdicts of the Python half of a host script; lib.sh has the same for Bash."""

import sys
import time


class Ended(Exception):
    """The script ends, and its exit code is an instruction to the caller."""

    def __init__(self, code, word, why):
        super().__init__(why)
        self.code, self.word = code, word


def misuse(why):
    return Ended(64, "called wrongly", why)


def timed_out(why):
    return Ended(75, "timed out", why)


def refused(why):
    return Ended(77, "refused", why)


def log(text):
    """Write what comes next to stderr; the reader may be gone."""
    try:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
    except BrokenPipeError:
        pass


def counted(count, thing):
    """`1 session`, `2 sessions`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def judged(good, prose):
    """A verdict for receipt_of in lib.sh: a line of prose, then key=value lines for programs."""
    line = " ".join(prose.split())
    return f"good: {line}\nverdict=good" if good else f"bad: {line}\nverdict=bad\nwhy={line}"


def run(main, doc, least, most=None):
    """Call MAIN with the words of the command line, and print its result."""
    words = sys.argv[1:]
    if words[:1] == ["--help"]:
        print(doc)
        return
    try:
        if not least <= len(words) <= (most or 1000):
            raise misuse(f"{sys.argv[0]} got: {' '.join(words)}")
        output = main(*words)
    except Ended as ended:
        log(f"{ended.word}: {ended}")
        sys.exit(ended.code)
    except OSError as error:
        # A record that can't be written, a socket that is gone: nothing was decided.
        log(f"timed out: {error}; remove the cause, then run again")
        sys.exit(75)
    if output:
        print(output)
