"""Checks the rules of the chart with promtool: that they parse, when each alert fires, when it stays silent.

    alerts.py RENDERED DIRECTORY

RENDERED is the chart with a `prometheusRule.selector` that takes GATEWAY. The cases come from cases.yaml; promtool's
files go to DIRECTORY. Every case that fires is tried four more times: with a failed scrape just before, for how long it
took, as a gateway with a simulated fax.plus (unless it says itself which it is), and as one of another job. Also checks
that no rule lacks a case of either kind, that every alert has what a person needs, that its words name no label which it
does not have, that the runbook has a section for it, and no other, and that Alertmanager takes the inhibit rules of the
runbook, which name alerts that exist and leave those of other gateways alone.
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
RELEASE = "fax/gw-faxplus-gateway"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SANDBOX = "faxplus_gateway_sandbox"
# What says of itself that a scrape failed, or that there is none.
OF_SCRAPES = ("FaxplusGatewayDown", "FaxplusGatewayAbsent")
# The labels by which two rules of one name differ.
APART = ["severity", "long_window", "short_window"]


def seconds(duration):
    """Seconds of a duration such as 1h30m."""
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


def series(name, values, **others):
    """One input series, with the labels of the gateway where it has none of its own."""
    metric, _, rest = name.partition("{")
    own = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    labels = ",".join(f'{key}="{value}"' for key, value in {**GATEWAY, **own, **others}.items())
    return {"series": f"{metric}{{{labels}}}", "values": values}


def simulated(names):
    """What every alert is tried with once more: the same gateways, but they mail nobody."""
    places = {",".join(re.findall(r'(?:pod|instance)="[^"]*"', name)) for name in names}
    return {f"{SANDBOX}{{{place}}}": "1x1600" for place in {"", *places}}


def samples(values):
    """Values as promtool takes them, one by one."""
    for word in values.split():
        first, step, count = re.fullmatch(r"(_|stale|-?\d+)([+-]\d+)?(?:x(\d+))?", word).groups()
        if first in ("_", "stale"):
            yield from [first] * int(count or 1)
        else:
            yield from (str(int(first) + number * int(step or 0)) for number in range(int(count or 0) + 1))


def interrupted(case):
    """The same series, but the scrape before the last one failed."""
    last = seconds(case["at"]) // seconds(case.get("every", "1m"))
    for name, values in case["series"].items():
        told = list(samples(values))
        if last - 1 < len(told) and told[last - 1] != "_":
            told[last - 1] = "stale"
        yield name, " ".join(told)


def sample(alert, labels):
    """ALERTS as it stands while an alert with these labels fires."""
    place = {} if "slo" not in labels else {"pod": "none", "instance": "none"}
    words = {"alertname": alert, "alertstate": "firing", "gateway": RELEASE, **GATEWAY, **place, **labels}
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(words.items()) if value != "none")
    return {"labels": f"ALERTS{{{inside}}}", "value": 1}


def unit_test(alert, case, input_series, fires, kind=""):
    """A case as promtool takes it."""
    only = "".join(f',{key}="{value}"' for key, value in case.get("only", {}).items())
    return {
        "name": f"{alert}: {case['case']}{kind}",
        "interval": case.get("every", "1m"),
        "input_series": input_series,
        "promql_expr_test": [{
            "expr": f'ALERTS{{alertname="{alert}",alertstate="firing"{only}}}',
            "eval_time": case["at"],
            "exp_samples": [sample(alert, labels) for labels in fires],
        }],
    }


def not_after(alert, case, labels, after):
    """What asks promtool for alerts that fired sooner or later after they became true than they should."""
    if isinstance(after, dict):
        after = after[labels["long_window"]]
    apart = "".join(f',{key}="{labels[key]}"' for key in APART if key in labels)
    firing = f'ALERTS{{alertname="{alert}",alertstate="firing"{apart}}}'
    age = f"time() - (ALERTS_FOR_STATE and ignoring (alertstate) {firing})"
    expression = f"min_over_time(({age})[{case['at']}:{case.get('every', '1m')}]) != {seconds(after)}"
    return {"expr": expression, "eval_time": case["at"], "exp_samples": []}


def unit_tests(entry):
    """All tests of an alert's cases."""
    alert = entry["alert"]
    for case in entry["cases"]:
        plain = [series(*pair) for pair in case["series"].items()]
        test = unit_test(alert, case, plain, case["fires"])
        yield test
        if not case["fires"]:
            continue
        test["promql_expr_test"] += [not_after(alert, case, labels, entry["after"]) for labels in case["fires"]]
        if not any(name.startswith(SANDBOX) for name in case["series"]):
            more = [series(*pair) for pair in simulated(case["series"]).items()]
            yield unit_test(alert, case, plain + more, [], " (sandbox)")
        if alert not in OF_SCRAPES:
            yield unit_test(alert, case, [series(*pair) for pair in interrupted(case)], case["fires"], " (a scrape failed)")
        if alert != "FaxplusGatewayAbsent":
            others = [series(*pair, job="other") for pair in case["series"].items()]
            yield unit_test(alert, case, others, [], " (another job)")


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
        known = {"gateway", *GATEWAY} | {key for labels in fires for key in labels}
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


def misrouted(cases, directory):
    """Inhibit rules of the runbook about alerts that don't exist, or that would silence what they should not."""
    config = routing.config()
    file = directory / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(config))
    tool("amtool", "check-config", file)
    names = set(cases)
    # What has no instance: the error budget, and what outlasts a pod.
    wide = {name for name, own in cases.items() for case in own for labels in case["fires"]
            if "slo" in labels or labels.get("instance") == "none"}
    for rule in config["inhibit_rules"]:
        sides = [rule["source_matchers"], rule["target_matchers"]]
        for pattern in routing.patterns(sides[0] + sides[1]):
            for name in set(routing.spelled(pattern)) - names:
                yield f"RUNBOOK.md: the inhibit rules name {name}, which is no alert"
        sources, targets = (set(routing.meant(side, names)) for side in sides)
        for name in sources & targets:
            labels = {"alertname": name, "severity": "critical", "slo": "intake"}
            if routing.takes(sides[0], labels) and routing.takes(sides[1], labels):
                yield f"RUNBOOK.md: {name} inhibits itself"
        if not {"namespace", "gateway"} <= set(rule["equal"]):
            yield f"RUNBOOK.md: {rule} silences other releases"
        if sources - wide and targets - wide and "instance" not in rule["equal"]:
            yield f"RUNBOOK.md: {rule} silences other gateways of a job: both sides have an instance"
    for source, target, silences in routing.SCENES:
        if routing.inhibits(config["inhibit_rules"], source, target) != silences:
            yield f"RUNBOOK.md: {source} {'does not silence' if silences else 'silences'} {target}"


def needed(spec, alert):
    """The groups of rules that an alert's cases need: with all of them promtool would take minutes."""
    reads = lambda rule: rule.get("alert") == alert or "record" in rule and alert == "FaxplusGatewayErrorBudgetBurn"
    groups = [{**group, "rules": [rule for rule in group["rules"] if reads(rule)]} for group in spec["groups"]]
    return [group for group in groups if group["rules"]]


def run(entry, spec, directory):
    """Runs all tests of an alert, and gives them."""
    tests = list(unit_tests(entry))
    rules_file = directory / f"{entry['alert']}.rules.yaml"
    groups = needed(spec, entry["alert"])
    rules_file.write_text(yaml.safe_dump({"groups": groups}))
    for every in {test["interval"] for test in tests}:
        file = directory / f"{entry['alert']}.{every}.test.yaml"
        # The records first: otherwise promtool takes the groups in any order.
        whole = {"rule_files": [str(rules_file)], "evaluation_interval": every,
                 "group_eval_order": [group["name"] for group in groups],
                 "tests": [test for test in tests if test["interval"] == every]}
        file.write_text(yaml.safe_dump(whole, sort_keys=False))
        tool("promtool", "test", "rules", file)
    return tests


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
    entries = {entry["alert"]: entry for entry in cases}
    cases = {alert: entry["cases"] for alert, entry in entries.items()}
    if wrong := [*uncovered(alerts, cases), *incomplete(alerts), *misrouted(cases, directory)]:
        sys.exit("\n".join(wrong))
    tests = [test for entry in entries.values() for test in run(entry, spec, directory)]
    firing = sum(bool(case["fires"]) for own in cases.values() for case in own)
    kinds = [sum(test["name"].endswith(f"({kind})") for test in tests) for kind in ("a scrape failed", "sandbox", "another job")]
    print(f"{len(rules)} rules, {len(alerts)} alerts of {len(cases)} names; {firing} cases fire, each when it should, "
          f"{kinds[0]} of them over a failed scrape too; {sum(map(len, cases.values())) - firing} are silent, "
          f"{kinds[1]} in the sandbox, {kinds[2]} of another job")


if __name__ == "__main__":
    main()
