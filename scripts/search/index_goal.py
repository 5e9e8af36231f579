"""What a step of an index is told, and how it ends. Imported by the steps of indexes."""

import re
import sys

import keeper
from cluster import Cluster, Denied, NoAnswer, end, load
from index_feed import Late, Refused
from indexes import physical

PATTERNS = {
    "alias": r"[a-z][a-z0-9_-]{0,62}",
    "version": r"[a-z0-9][a-z0-9._-]{0,30}",
    "sha": r"[0-9a-f]{64}",
    "how": r"reindex|update|import",
    "origin": r"-|http://[A-Za-z0-9.-]+:\d{1,5}/[a-z0-9.][a-z0-9._-]{0,254}",
    "number": r"\d{1,7}",
    "body": r"/[\w./@+-]+",
}


class Goal:
    """An index that is wanted: `alias`, `version`, its `dest`, and what else the step was told."""

    def __init__(self, words, keys):
        self.sha, self.how, self.origin, self.number, self.body = "", "reindex", "-", 0, ""
        for key, word in zip(keys, words):
            if not re.fullmatch(PATTERNS[key], word):
                end(64, f'{key} can\'t be "{word[:80]}"')
            setattr(self, key, int(word) if key == "number" else word)
        self.dest = physical(self.alias, self.version)

    @property
    def lease(self):
        return f"index-{self.alias}"

    @property
    def remote(self):
        """(http://host:port, index) of an import."""
        host, _, index = self.origin.rpartition("/")
        return host, index


def main(doc, keys, act):
    """Run a step: `act(cluster, goal)` gives its prose, and pairs for programs."""
    words = sys.argv[1:]
    if len(words) != 1 + len(keys) or words[0].startswith("-"):
        print(doc)
        sys.exit(0 if words == ["--help"] else 64)
    keeper.end_with_parent()
    goal = Goal(words[1:], keys)
    cluster = Cluster(load(words[0]))
    try:
        prose, pairs = act(cluster, goal)
    except NoAnswer as error:
        end(75, f"{goal.alias}: {cluster.name} gives no answer: {error}; run npx pulumi up again")
    except Denied as error:
        end(77, f"{goal.alias}: {cluster.name} refuses: {error}")
    except Refused as error:
        end(77, f"{goal.dest} does not take document {error}; {goal.alias} is as it was; change the body or the document")
    except Late:
        end(75, f"{goal.alias}: the time of this step is over; run npx pulumi up again, it goes on")
    print(prose.replace("\n", " "))
    for key, value in pairs.items():
        print(f"{key}={value}")
