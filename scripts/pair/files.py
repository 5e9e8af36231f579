"""Files of a pair's machine, read; small, as every script that waits for Python waits for its imports."""


def pairs_of(path):
    """KEY=VALUE lines of a file as a dictionary; None when there is no such file."""
    try:
        with open(path, encoding="utf8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        return None


def text_of(path):
    try:
        with open(path, encoding="utf8") as file:
            return file.read().strip()
    except OSError:
        return None
