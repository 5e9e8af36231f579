#!/usr/bin/env python3
"""Print what PostgreSQL keeps of a password, so that no statement, log or statistic ever has the password itself.

Usage: scram.py    (stdin: the password, of letters, digits, _ and -)

RFC 5803, as `\\password` of psql sends it.
"""

import base64
import hashlib
import hmac
import os
import sys

ROUNDS = 4096


def verifier(password, salt):
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return "SCRAM-SHA-256${}:{}${}:{}".format(ROUNDS, *(base64.b64encode(part).decode() for part in (salt, stored, server)))


def main():
    if len(sys.argv) != 1:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    print(verifier(sys.stdin.readline().strip(), os.urandom(16)))


if __name__ == "__main__":
    main()
