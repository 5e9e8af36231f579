"""Read files of a pair's machine. Kept small: users wait while a script imports it."""


def pairs_of(path):
    """KEY=VALUE lines of a file as a dictionary; None without the file."""
    try:
        with open(path, encoding="utf8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        return None


def text_of(path):
    """The text of a file without its last newline; None without the file."""
    try:
        with open(path, encoding="utf8") as file:
            return file.read().strip()
    except OSError:
        return None
