"""Ends with 0 if an address shows a page of the site: a status below 500 without the marker of the maintenance page.

Usage: page.py ADDRESS:PORT HOST
"""

import http.client
import sys

name, _, port = sys.argv[1].rpartition(":")
connection = http.client.HTTPConnection(name, int(port), timeout=5)
try:
    connection.request("GET", "/", headers={"Host": sys.argv[2]})
    answer = connection.getresponse()
    sys.exit(answer.status >= 500 or answer.getheader("X-Maintenance") is not None)
except (OSError, http.client.HTTPException):
    sys.exit(1)
