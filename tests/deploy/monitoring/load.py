"""Callers of a gateway: lists of many kinds from two clients, refusals included, until they are stopped.

Counts what was posted and what came back, to be compared with what the metrics say.
"""

import itertools
import threading
from collections import Counter

from stack import QUEUED

NUMBERS = itertools.count()


def people(count, domain="example.com"):
    """Addresses that nobody has used yet."""
    return [f"person{next(NUMBERS)}@{domain}" for _ in range(count)]


class Load:
    """See the module."""

    def __init__(self, stack):
        self.stack = stack
        self.posted = Counter()
        self.answers = Counter()
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.failed = []
        self.threads = [threading.Thread(target=self.repeat, args=(job,)) for job in
                        (self.lists, self.lists_of_crm, self.invitations, self.questions, self.refusals)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(90)

    def repeat(self, job):
        """Does the job over and over."""
        try:
            while not self.ended.is_set():
                job()
        except Exception as error:  # the main thread tells it
            self.failed.append(f"{job.__name__}: {error!r}")

    def ask(self, route, path, body, client="billing", method="POST", headers=()):
        """Asks and counts: requests by route and status, addresses of those that were taken."""
        status, answer = self.stack.post(path, body, client, method, headers)
        taken = status in (200, 202, 207, 422, 502) if route == "post" else status in (200, 500, 504)
        with self.lock:
            self.answers[route, status] += 1
            if route in ("post", "patch") and taken and "type" not in (answer or {}):
                self.posted[client] += len(body)
        return status, answer

    def lists(self):
        """Some good, a repeat, two that are none, one that fax.plus refuses, one that ends in doubt."""
        some = people(27)
        some += [some[0], "nobody", "", *people(1, "refused.example"), *people(1, "doubt.example")]
        self.ask("post", "/v1/resends?results=none", some)

    def lists_of_crm(self):
        """Longer than a second, followed to the end; and one whose caller does not want to wait so long."""
        _, answer = self.ask("post", "/v1/resends?results=none", people(500), "crm", headers=[("Prefer", "respond-async")])
        if answer and "id" in answer:
            self.ask("get", f"/v1/resends/{answer['id']}?wait=30", b"", "crm", "GET")
        self.ask("post", "/v1/resends?results=none&on_timeout=cancel", people(900), "crm", headers=[("Prefer", "wait=1")])

    def invitations(self):
        """The path of fax.plus: one list that is done in time, one that is not, one that ends in doubt."""
        path = "/v3/accounts/self/member-invitations"
        self.ask("patch", path, people(5), "crm", "PATCH")
        self.ask("patch", path, people(300), "crm", "PATCH")
        self.ask("patch", path, people(1, "doubt.example"), "crm", "PATCH")

    def questions(self):
        """What others ask."""
        self.ask("list", "/v1/resends?limit=5", b"", method="GET")
        _, found = self.ask("list", "/v1/resends?limit=1&status=finished", b"", method="GET")
        for resend in found["resends"]:
            self.stack.post(f"/v1/resends/{resend['id']}/results", b"", method="GET")
        self.ask("lookup", "/v1/recent-sends/lookup", {"email": "person1@example.com"})
        self.ask("operator", "/v1/operator", b"", method="GET")
        self.ended.wait(0.2)

    def refusals(self):
        """More than the queue takes; nobody's token; no list."""
        self.ask("post", "/v1/resends", people(QUEUED + 1))
        self.ask("nobody", "/v1/resends", people(1), client="of-nobody")
        self.ask("post", "/v1/resends", b"[", client="billing")
        self.ended.wait(0.5)
