"""An open connection to a database, through its client program."""

import os
import subprocess
import tempfile
import threading

from database import LIMIT_S, client, judge
from host import TimedOut, last_line
from stage import OWN, take_over


class Session:
    """One open connection. It ends with this process in any case, and its locks end with it."""

    def __init__(self, words, judged, cwd=None):
        self.errors = tempfile.TemporaryFile()
        self.judged = judged
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, cwd=cwd)
        self.asked = 0
        self.late = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def why(self):
        if self.late:
            return TimedOut("the database gave no answer in time; run again")
        self.child.wait(LIMIT_S)
        self.errors.seek(0)
        return self.judged(last_line(self.errors.read().decode(errors="replace")))

    def give_up(self):
        self.late = True
        self.child.kill()

    def send(self, data):
        try:
            self.child.stdin.write(data)
            self.child.stdin.flush()
        except BrokenPipeError:
            raise self.why() from None

    def ask(self, query, seconds=LIMIT_S):
        """Rows of the answer, as strings."""
        self.asked += 1
        mark = f"--answered-{os.getpid()}-{self.asked}"
        self.send(f"{query};\nSELECT '{mark}';\n".encode())
        timer = threading.Timer(seconds, self.give_up)
        timer.start()
        rows = []
        try:
            for line in self.child.stdout:
                if line.decode().rstrip("\n") == mark:
                    return rows
                rows.append(line.decode(errors="replace").rstrip("\n").split("\t"))
        finally:
            timer.cancel()
        raise self.why()


def session(settings):
    """A session that no limit of the server's own ends."""
    opened = Session(client(settings), lambda error: judge(settings, error))
    take_over(opened, OWN)
    return opened
