"""What the runbook gives Alertmanager: its route and inhibit rules, and the alerts that each of them is about."""

import re
from pathlib import Path

import yaml

RUNBOOK = Path(__file__).parents[3] / "helm/faxplus-gateway/RUNBOOK.md"


def config():
    """The block of the runbook as a whole configuration, which tells nobody."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", RUNBOOK.read_text(), re.M | re.S)
    given = yaml.safe_load(block)
    return {"route": {"receiver": "nobody", **given["route"]}, "receivers": [{"name": "nobody"}],
            "inhibit_rules": given["inhibit_rules"]}


def patterns(matchers):
    """The patterns of names that a rule's matchers ask for."""
    return [re.fullmatch(r'alertname=~?"([^"]*)"', matcher)[1] for matcher in matchers]


def meant(matchers, names):
    """The alerts that a rule's matchers take."""
    return sorted(name for name in names if all(re.fullmatch(pattern, name) for pattern in patterns(matchers)))


def spelled(pattern):
    """Every name that a pattern spells, such as `FaxplusGateway(Down|NotReady)`."""
    start, _, rest = pattern.partition("(")
    inside, _, end = rest.partition(")")
    return [f"{start}{word}{end}" for word in inside.split("|")]
