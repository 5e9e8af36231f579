"""Whether an address shows a page of the site: ends with 0 for a status below 500 without the maintenance page's marker.

Usage: page.py ADDRESS:PORT HOST
"""

import http.client
import sys

name, _, port = sys.argv[1].rpartition(":")
asked = http.client.HTTPConnection(name, int(port), timeout=5)
try:
    asked.request("GET", "/", headers={"Host": sys.argv[2]})
    answer = asked.getresponse()
    sys.exit(answer.status >= 500 or answer.getheader("X-Maintenance") is not None)
except (OSError, http.client.HTTPException):
    sys.exit(1)
