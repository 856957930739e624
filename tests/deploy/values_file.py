"""Reads values.yaml with its comments, because they are the documentation: every key with its place, default and words.

A comment directly above a key is that key's. `# @section NAME` begins a section. Maps are walked into, lists are not;
what stands in a list is documented by the list's key, and its comments are left alone.
"""

import dataclasses
import re

import yaml

from common import CHART, StrictLoader, Wrong

KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z][-A-Za-z0-9_./]*):(?P<rest>.*)$")
COMMENT = re.compile(r"^(?P<indent> *)# ?(?P<words>.*)$")


@dataclasses.dataclass
class Entry:
    """A documented key."""

    path: tuple
    words: str
    default: object
    section: str

    @property
    def dotted(self):
        return ".".join(self.path)

    @property
    def is_group(self):
        """Whether it only holds other keys."""
        return isinstance(self.default, dict) and bool(self.default)


def read(chart=CHART):
    """All entries in their order. Refuses a key without a comment."""
    text = (chart / "values.yaml").read_text()
    values = yaml.load(text, StrictLoader)
    entries, above, words, section = [], [], [], ""
    for number, line in enumerate(text.splitlines(), 1):
        comment = COMMENT.match(line)
        if comment and comment["words"].startswith("@section "):
            section, words = comment["words"].removeprefix("@section "), []
        elif comment:
            words.append(comment["words"])
        elif not (key := KEY.match(line)):
            words = []
        else:
            depth = len(key["indent"]) // 2
            above = [*above[:depth], key["key"]]
            found = look_up(values, above)
            if len(above) == depth + 1 and found is not None:
                if not words:
                    raise Wrong(f"values.yaml line {number}", f"{'.'.join(above)} has no comment", "say above it what it does")
                entries.append(Entry(tuple(above), " ".join(words), found[0], section))
            words = []
    return entries


def look_up(values, path):
    """The value at `path` as a list of one, or nothing: for what only looks like a key, such as a line in a list."""
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return [values]
