"""Read files of a pair's machine. Kept small: users wait while a script imports it."""


def pairs_of(path):
    """KEY=VALUE lines of a file as a dictionary; None when the file is missing or no text."""
    try:
        with open(path, encoding="utf8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except (OSError, ValueError):
        return None


def text_of(path):
    """The text of a file without its last newline; None when the file is missing or no text."""
    try:
        with open(path, encoding="utf8") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return None
