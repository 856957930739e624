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
    found = [re.fullmatch(r'alertname=~?"([^"]*)"', matcher) for matcher in matchers]
    return [pattern[1] for pattern in found if pattern]


def meant(matchers, names):
    """The alerts that a rule's matchers take."""
    return sorted(name for name in names if all(re.fullmatch(pattern, name) for pattern in patterns(matchers)))


def spelled(pattern):
    """Every name that a pattern spells, such as `FaxplusGateway(Down|NotReady)`."""
    start, _, rest = pattern.partition("(")
    inside, _, end = rest.partition(")")
    return [f"{start}{word}{end}" for word in inside.split("|")]


def takes(matchers, labels):
    """Whether all matchers take an alert with these labels; a label that it lacks is empty."""
    for matcher in matchers:
        label, operator, value = re.fullmatch(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matcher).groups()
        told = labels.get(label, "")
        found = bool(re.fullmatch(value, told)) if "~" in operator else value == told
        if found == operator.startswith("!"):
            return False
    return True


def inhibits(rules, source, target):
    """Whether an alert silences another, as Alertmanager sees it: a label that both lack is equal."""
    return any(takes(rule["source_matchers"], source) and takes(rule["target_matchers"], target)
               and all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
               for rule in rules)


def alert(name, **labels):
    """The labels of an alert of a gateway in a pod."""
    words = {"alertname": f"FaxplusGateway{name}", "namespace": "fax", "gateway": "fax/gw", "job": "faxplus-gateway",
             "pod": "gw-0", "instance": "10.0.0.1:9090", **labels}
    return {key: value for key, value in words.items() if value}


def machine(name, number, **labels):
    """The same of one of two machines, whose series have neither namespace nor pod."""
    return alert(name, namespace="", pod="", job="vmfax", instance=f"vm{number}", **labels)


def burn(slo, severity="critical", **labels):
    """An alert of the error budget."""
    return alert("ErrorBudgetBurn", slo=slo, severity=severity, pod="", instance="", **labels)


# Pairs of alerts, and whether the first is to silence the second.
SCENES = [
    (alert("Down"), alert("StoreErrors"), True),
    (alert("Down"), alert("StoreErrors", gateway="fax/other"), False),
    (alert("Down"), alert("StoreErrors", namespace="other", gateway="other/gw"), False),
    (machine("Down", 1), machine("StoreErrors", 1), True),
    (machine("Down", 1), machine("StoreErrors", 2), False),
    (machine("Down", 1), machine("Restarting", 2), False),
    (machine("Down", 1), machine("Restarting", 1), True),
    (alert("Down"), alert("Restarting", instance=""), True),
    (alert("Down"), alert("Restarting", instance="", pod="gw-1"), False),
    (alert("DiskLow"), alert("StoreErrors"), False),
    (alert("StoreNearlyFull"), alert("StoreErrors"), False),
    (alert("DiskLow"), alert("DiskFilling"), True),
    (alert("StoreErrors"), alert("NotReady"), True),
    (alert("HeldForbidden"), alert("WorkHeld"), True),
    (machine("HeldForbidden", 1), machine("WorkHeld", 2), False),
    (burn("intake"), burn("intake", "warning"), True),
    (burn("intake"), burn("queries", "warning"), False),
    (burn("intake", "warning"), burn("intake"), False),
    (burn("intake"), burn("intake", "warning", gateway="fax/other"), False),
    (alert("WorkHeld"), burn("intake"), True),
    (alert("WorkHeld"), burn("queries"), False),
    (alert("WorkHeld"), burn("intake", gateway="fax/other"), False),
    (alert("PausedForLong", instance=""), burn("intake"), True),
    (alert("StoreErrors"), burn("queries"), True),
    # What is lost is told in any case.
    (alert("PausedForLong", instance=""), alert("HoldEndsSoon", instance=""), False),
    (alert("Down"), alert("GivenUp"), False),
]
