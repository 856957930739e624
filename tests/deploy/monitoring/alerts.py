"""Checks the rules of the chart with promtool: that they parse, when each alert fires, when it stays silent.

    alerts.py RENDERED DIRECTORY

RENDERED is the chart with `prometheusRule.selector` as in GATEWAY. The cases come from cases.yaml; promtool's files go
to DIRECTORY. Also checks that no rule lacks a case of either kind, that every alert has what a person needs, that its
words name no label which it does not have, that the runbook has a section for it, and no other, and that Alertmanager
takes the inhibit rules of the runbook, which name alerts that exist.
"""

import re
import subprocess
import sys
from pathlib import Path

import yaml

import expressions
import routing

HERE = Path(__file__).parent
GATEWAY = {"namespace": "fax", "job": "gateway", "pod": "gw-0", "instance": "gw:9090"}
# The labels by which two rules of one name differ.
APART = ["severity", "long_window", "short_window"]


def series(name, values):
    """One input series, with the labels of the gateway where it has none of its own."""
    metric, _, rest = name.partition("{")
    own = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    labels = ",".join(f'{key}="{value}"' for key, value in {**GATEWAY, **own}.items())
    return {"series": f"{metric}{{{labels}}}", "values": values}


def simulated(names):
    """What every alert is tried with once more: the same gateways, but they mail nobody."""
    places = {",".join(re.findall(r'(?:pod|instance)="[^"]*"', name)) for name in names}
    return {f"faxplus_gateway_sandbox{{{place}}}": "1x400" for place in {"", *places}}


def sample(alert, labels):
    """ALERTS as it stands while an alert with these labels fires."""
    place = {} if "slo" not in labels else {"gateway": "fax/gw-faxplus-gateway", "pod": "none", "instance": "none"}
    words = {"alertname": alert, "alertstate": "firing", **GATEWAY, **place, **labels}
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(words.items()) if value != "none")
    return {"labels": f"ALERTS{{{inside}}}", "value": 1}


def unit_test(alert, case, sandbox):
    """A case as promtool takes it."""
    only = "".join(f',{key}="{value}"' for key, value in case.get("only", {}).items())
    return {
        "name": f"{alert}: {case['case']}" + (" (sandbox)" if sandbox else ""),
        "interval": case.get("every", "1m"),
        "input_series": [series(*pair) for pair in {**case["series"], **(simulated(case["series"]) if sandbox else {})}.items()],
        "promql_expr_test": [{
            "expr": f'ALERTS{{alertname="{alert}",alertstate="firing"{only}}}',
            "eval_time": case["at"],
            "exp_samples": [] if sandbox else [sample(alert, labels) for labels in case["fires"]],
        }],
    }


def tool(*command):
    """Runs promtool or amtool; what it says is the explanation of a failure."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")


def same(rule, labels):
    """Whether an alert with these labels comes from this rule."""
    return all(rule["labels"].get(key) == labels.get(key) for key in APART)


def uncovered(rules, cases):
    """Rules without a case that fires, or without one that is silent."""
    for rule in rules:
        own = cases.get(rule["alert"], [])
        fires = [labels for case in own for labels in case["fires"] if same(rule, labels)]
        if not fires:
            yield f"{rule['alert']} {rule['labels']}: no case in which it fires"
        matches = lambda case: all(rule["labels"].get(key) == value for key, value in case.get("only", {}).items())
        if not any(matches(case) and not any(same(rule, labels) for labels in case["fires"]) for case in own):
            yield f"{rule['alert']} {rule['labels']}: no case in which it is silent"
        known = set(GATEWAY) | {key for labels in fires for key in labels}
        gone = {key for labels in fires for key, value in labels.items() if value == "none"}
        texts = " ".join(rule["annotations"].values())
        for label in set(re.findall(r"\$labels\.(\w+)", texts)) - (known - gone):
            yield f"{rule['alert']}: its words name the label {label}, which no firing case has"
    for alert in set(cases) - {rule["alert"] for rule in rules}:
        yield f"{alert}: has cases, but there is no such alert"


def incomplete(rules):
    """Alerts without words, or with a link that leads nowhere; sections of the runbook without an alert."""
    text = routing.RUNBOOK.read_text()
    anchors = {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
               for line in re.findall(r"^#+ (.*)$", text, re.M)}
    for rule in rules:
        if rule["labels"].get("severity") not in ("critical", "warning"):
            yield f"{rule['alert']}: severity {rule['labels'].get('severity')}"
        for name in ("summary", "description", "runbook_url"):
            if not rule["annotations"].get(name):
                yield f"{rule['alert']}: no {name}"
        anchor = rule["annotations"].get("runbook_url", "").partition("#")[2]
        if anchor not in anchors:
            yield f"{rule['alert']}: the runbook has no section #{anchor}"
    for section in set(re.findall(r"^## (FaxplusGateway\w+)$", text, re.M)) - {rule["alert"] for rule in rules}:
        yield f"RUNBOOK.md: the section {section} is of no alert"
    for section in re.findall(r"^## (FaxplusGateway\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S):
        for part in ("**Meaning.**", "**Impact.**", "**Look at.**", "**Do.**"):
            if part not in section[1]:
                yield f"RUNBOOK.md: {section[0]} lacks {part}"


def misrouted(names, directory):
    """Inhibit rules of the runbook about alerts that don't exist, or that would silence themselves."""
    config = routing.config()
    file = directory / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(config))
    tool("amtool", "check-config", file)
    for rule in config["inhibit_rules"]:
        sides = [rule["source_matchers"], rule["target_matchers"]]
        for pattern in routing.patterns(sides[0] + sides[1]):
            for name in set(routing.spelled(pattern)) - names:
                yield f"RUNBOOK.md: the inhibit rules name {name}, which is no alert"
        for name in set(routing.meant(sides[0], names)) & set(routing.meant(sides[1], names)):
            yield f"RUNBOOK.md: {name} inhibits itself"
        if not {"namespace", "job"} <= set(rule["equal"]):
            yield f"RUNBOOK.md: {rule} silences other gateways"


def main():
    """Everything the module says; exits with all that is wrong."""
    directory = Path(sys.argv[2]).resolve()
    spec = expressions.rules(sys.argv[1])
    rules_file = directory / "alerts.rules.yaml"
    rules_file.write_text(yaml.safe_dump(spec))
    tool("promtool", "check", "rules", rules_file)
    rules = [rule for group in spec["groups"] for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule]
    # Everything stays a text: to YAML 0x10 would be sixteen, to promtool it is ten times nothing.
    cases = yaml.load((HERE / "cases.yaml").read_text(), Loader=yaml.BaseLoader)
    cases = {entry["alert"]: entry["cases"] for entry in cases}
    names = {rule["alert"] for rule in alerts}
    if wrong := [*uncovered(alerts, cases), *incomplete(alerts), *misrouted(names, directory)]:
        sys.exit("\n".join(wrong))
    tests = [unit_test(alert, case, sandbox)
             for alert, own in cases.items() for case in own for sandbox in (False, True)
             if case["fires"] or not sandbox]
    for every in {test["interval"] for test in tests}:
        file = directory / f"alerts.{every}.test.yaml"
        some = [test for test in tests if test["interval"] == every]
        # The records first: otherwise promtool takes the groups in any order.
        order = [group["name"] for group in spec["groups"]]
        whole = {"rule_files": [str(rules_file)], "evaluation_interval": every, "group_eval_order": order, "tests": some}
        file.write_text(yaml.safe_dump(whole, sort_keys=False))
        tool("promtool", "test", "rules", file)
    firing = sum(bool(case["fires"]) for own in cases.values() for case in own)
    print(f"{len(rules)} rules, {len(alerts)} alerts of {len(cases)} names; "
          f"{firing} cases fire, {len(tests) - 2 * firing} are silent, {firing} are silent in the sandbox")


main()
