"""Checks that the values of `prometheusRule` and `dashboards` do what they say, by rendering the chart again and again.

    variants.py HELM

Every alert can be turned off alone; every threshold, window, severity and `for` is in force; extra labels are on every
alert; the rules look for series as the chart's monitors make them; and what makes no sense is refused by the schema.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

CHART = Path(__file__).parents[3] / "helm/faxplus-gateway"
BASE = {"credentials.existingSecret": "faxplus", "auth.allowAnonymous": True, "prometheusRule.enabled": True,
        "dashboards.enabled": True, "persistence.enabled": False}
# What the rules tell of a setting that is in none of them as it stands.
SHOWN = {"holdEndsSoon.share": "[21600s:1m]", "notReady.share": str(round(1 - (1 - 0.375) * 300 / 380, 4))}
WRONG = []


def rendered(settings, refused=False):
    """The objects by kind and name; with `refused` whether the chart refuses the settings."""
    arguments = [f"--set-json={key}={json.dumps(value)}" for key, value in {**BASE, **settings}.items()]
    done = subprocess.run([sys.argv[1], "template", "gw", CHART, "--namespace", "fax", *arguments],
                          capture_output=True, text=True)
    if refused:
        return done.returncode != 0 and "schema" in done.stderr
    if done.returncode:
        sys.exit(f"{settings}: {done.stderr}")
    return {(document["kind"], document["metadata"]["name"]): document
            for document in yaml.safe_load_all(done.stdout) if document}


def rules(settings):
    """All rules; none when there is no PrometheusRule."""
    found = [document for (kind, _), document in rendered(settings).items() if kind == "PrometheusRule"]
    return [rule for document in found for group in document["spec"]["groups"] for rule in group["rules"]]


def alerts(settings):
    """The alerts alone."""
    return [rule for rule in rules(settings) if "alert" in rule]


def expect(holds, words):
    """Remembers what does not hold."""
    if not holds:
        WRONG.append(words)


def changed(value):
    """Another value of the same kind."""
    if value is None:
        return 7
    return value + 1 if isinstance(value, int) else value / 2 if isinstance(value, float) else "7m"


def each_alert(values):
    """Turns each alert off, and changes each of its settings, alone."""
    before = alerts({})
    for key, settings in values["alerts"].items():
        name = f"FaxplusGateway{key[0].upper()}{key[1:]}"
        own = [rule for rule in before if rule["alert"] == name]
        expect(len(own) == 1, f"{key}: makes {len(own)} alerts")
        left = alerts({f"prometheusRule.alerts.{key}.enabled": False})
        others = [rule for rule in before if rule["alert"] != name]
        if key == "credentialExpiringSoon":
            # Nothing takes over from the alert of two weeks then.
            others = json.loads(json.dumps(others).replace(" < 1209600 >= 42300", " < 1209600"))
        expect(left == others and len(left) < len(before), f"{key}: can't be turned off alone")
        for setting, value in settings.items():
            other = {"enabled": None, "severity": "page"}.get(setting, changed(value))
            if setting == "enabled":
                continue
            after = alerts({f"prometheusRule.alerts.{key}.{setting}": other})
            expect([rule for rule in after if rule["alert"] == name] != own, f"{key}.{setting}: has no effect")
            text = json.dumps([rule for rule in after if rule["alert"] == name])
            expect(SHOWN.get(f"{key}.{setting}", str(other)) in text, f"{key}.{setting}: {other} is not in the rule")


def the_rest():
    """Everything that is not about one alert."""
    more = {"prometheusRule.alertLabels": {"team": "fax"}, "prometheusRule.alertAnnotations": {"by": "chart"}}
    for rule in alerts(more):
        expect(rule["labels"].get("team") == "fax", f"{rule['alert']}: lacks the extra label")
        expect(rule["annotations"].get("by") == "chart", f"{rule['alert']}: lacks the extra annotation")
        expect("severity" in rule["labels"] and "runbook_url" in rule["annotations"], f"{rule['alert']}: lost its own")
    for rule in alerts({"prometheusRule.runbookUrl": "https://runbooks.example/{{ .Release.Name }}"}):
        link = f"https://runbooks.example/gw#{rule['alert'].lower()}"
        expect(rule["annotations"]["runbook_url"] == link, f"{rule['alert']}: the link is not {link}")
    # The slowest monitor that the chart takes together with the rules, and braces that are a part of a pattern.
    expect(alerts({"serviceMonitor.enabled": True, "serviceMonitor.interval": "60s",
                   "prometheusRule.selector": 'pod=~"gw-[0-9]{1}"'}), "no alerts with the slowest monitor")
    records = [rule for rule in rules({"prometheusRule.slo.enabled": False}) if "record" in rule]
    expect(not records, "slo can't be turned off")
    for rule in rules({"prometheusRule.includeSandbox": True}):
        expect("sandbox" not in rule["expr"], f"{rule}: leaves simulated gateways out all the same")
    for rule in alerts({}):
        expect(rule["labels"]["gateway"] == "fax/gw-faxplus-gateway", f"{rule['alert']}: does not say of which release")
    for selector, stable in (('job="vm"', "namespace, job, pod, instance"), ('job="vm",pod=~"gw-.*"', "namespace, job, pod")):
        made = {rule["alert"]: rule for rule in alerts({"prometheusRule.selector": selector})}
        for name in ("Restarting", "PausedForLong", "HoldEndsSoon"):
            rule = made[f"FaxplusGateway{name}"]
            expect(f"max by ({stable}" in rule["expr"] and f"unless on ({stable})" in rule["expr"], f"{name}: not by {stable}")
        words = made["FaxplusGatewayRestarting"]["annotations"]["description"]
        expect(("$labels.instance" in words) == ("instance" in stable), f"{selector}: names nobody in {words!r}")
    for rule in rules({"prometheusRule.selector": 'app="{{ .Release.Name }}"'}):
        mine = 'app="gw"' in rule["expr"] or 'gateway="fax/gw-faxplus-gateway"' in rule["expr"]
        expect(mine and "namespace=" not in rule["expr"].replace("gateway=", ""), f"{rule}: looks elsewhere")
    burns = [rule for rule in alerts({"prometheusRule.slo.target": 99.5, "prometheusRule.slo.minErrors": 9}) if
             rule["alert"].endswith("BudgetBurn")]
    expect(all("99.5 / 100" in rule["expr"] and ">= 9" in rule["expr"] for rule in burns), "slo.target has no effect")
    windows = [{"long": "2h", "short": "10m", "factor": 10, "for": "3m", "severity": "page"}]
    made = rules({"prometheusRule.slo.windows": windows})
    records = {rule["record"] for rule in made if "record" in rule}
    expect({"faxplus_gateway:slo_errors:ratio2h", "faxplus_gateway:slo_errors:ratio10m"} <= records, "windows: no records")
    expect(len([rule for rule in made if rule.get("alert", "").endswith("BudgetBurn")]) == 1, "windows: not one alert")
    expect(not rules({"prometheusRule.enabled": False}), "rules can't be turned off")


def other_values():
    """What follows the chart's other values: which alerts there are, and thresholds."""
    of = lambda name, settings: [rule["expr"] for rule in alerts({"persistence.enabled": True, **settings}) if rule["alert"] == f"FaxplusGateway{name}"]
    expect(of("Absent", {}) and not of("Absent", {"replicaCount": 0}), "a release that is stopped on purpose is missed")
    expect(not of("Absent", {"sandbox.enabled": True}), "a sandbox is missed")
    expect(of("Absent", {"sandbox.enabled": True, "prometheusRule.includeSandbox": True}), "Absent can't be tried")
    expect(not of("StoreNearlyFull", {}), "a store without a bound is nearly full")
    for settings, bound in (({"config.store.max_bytes": 5000000}, 5000000),
                            ({"persistence.enabled": False, "persistence.size": "4Gi"}, 3 << 30)):
        (expression,) = of("StoreNearlyFull", settings) or [""]
        expect(f"0.9 * {bound}\n" in expression, f"{settings}: the bound is not {bound} in {expression!r}")
    for name, settings, bound in (("DiskLow", {}, 384 << 20), ("DiskFilling", {}, 256 << 20),
                                  ("DiskLow", {"config.store.reserve_bytes": 1 << 30}, 3 << 29),
                                  ("DiskFilling", {"config.store.reserve_bytes": 1 << 30}, 1 << 30)):
        (expression,) = of(name, settings)
        expect(f" < {bound}\n" in expression, f"{name}: {settings} does not make it {bound}")
    (expression,) = of("NotReady", {"terminationGracePeriodSeconds": 600})
    expect("[900s]" in expression and "> 0.9167\n" in expression, "NotReady: a drain of ten minutes is told")
    (expression,) = of("HoldEndsSoon", {"config.dispatch.max_hold_seconds": 7200})
    expect("[3600s:1m]" in expression, "HoldEndsSoon: does not follow the longest hold")
    (expression,) = of("GivenUp", {"config.dispatch.max_hold_seconds": 60, "prometheusRule.alerts.holdEndsSoon.enabled": False})
    expect("[15m]) > 0\n" in expression, "GivenUp: does not follow the longest hold")


def records():
    """Every record is read by another rule: one that nobody reads costs Prometheus for nothing."""
    made = rules({})
    for rule in made:
        read = any(f"{rule['record']}{{" in other["expr"] for other in made) if "record" in rule else True
        expect(read, f"{rule.get('record')}: is read by no rule")


def one_release():
    """The rules look for what the monitors of this release bring about, and not for what another release does."""
    made = rendered({"serviceMonitor.enabled": True})
    label = made["ServiceMonitor", "gw-faxplus-gateway"]["spec"]["jobLabel"]
    job = made["Service", "gw-faxplus-gateway-admin"]["metadata"]["labels"][label]
    pod = made["StatefulSet", "gw-faxplus-gateway"]["metadata"]["name"]
    selector = f'{{namespace="fax",job="{job}",pod=~"{pod}-[0-9]+"'
    for rule in rules({}):
        expect(selector in rule["expr"] or f'gateway="fax/{pod}"' in rule["expr"], f"{rule}: does not ask with {selector}")


def boards():
    """Dashboards one by one, their folder, and the objective."""
    own = lambda settings: {name.split("dashboard-")[1]: document for (kind, name), document in rendered(settings).items()
                            if kind == "ConfigMap" and "-dashboard-" in name}
    files = {"overview": "overview", "upstream": "upstream", "serviceLevel": "service-level"}
    for key, file in files.items():
        expect(set(own({f"dashboards.include.{key}": False})) == set(files.values()) - {file}, f"{key}: can't be turned off")
    expect(not own({"dashboards.enabled": False}), "dashboards can't be turned off")
    placed = own({"dashboards.folder": "Fax", "dashboards.folderAnnotation": "where", "dashboards.namespace": "grafana"})
    for name, document in placed.items():
        metadata = document["metadata"]
        expect(metadata["annotations"].get("where") == "Fax" and metadata["namespace"] == "grafana", f"{name}: not in its folder")
        expect(list(document["data"]) == [f"faxplus-gateway-{name}.json"], f"{name}: its file may be another chart's as well")
    (text,) = own({"prometheusRule.slo.target": 99.5})["service-level"]["data"].values()
    (target,) = [one for one in json.loads(text)["templating"]["list"] if one["name"] == "target"]
    expect(target["query"] == "99.5", f"the dashboard's objective is {target['query']}")
    pairs = [("2h", 4, "warning"), ("3h", 10, "page"), ("30m", 20, "critical"), ("1d", 10, "warning")]
    windows = [{"long": long, "short": "10m", "factor": factor, "for": "3m", "severity": severity}
               for long, factor, severity in pairs]
    for settings, most, colors, lines in (
            ({}, [0.001, 0.0144], {1: "orange", 3: "orange", 6: "red", 14.4: "red"},
             {"1h": 14.4, "6h": 6, "1d": 3, "3d": 1}),
            ({"prometheusRule.slo.target": 99, "prometheusRule.slo.windows": windows}, [0.01, 0.2],
             {4: "orange", 10: "red", 20: "red"}, {long: factor for long, factor, _ in pairs}),
            ({"prometheusRule.slo.windows": windows[:1] + [{**windows[1], "factor": 0.5}]}, [0.001, 0.004],
             {0.5: "red", 4: "orange"}, {"2h": 4, "3h": 0.5}),
            ({"prometheusRule.slo.windows": [{**windows[1], "factor": 0.5}]}, [0.0005], {0.5: "red"}, {"3h": 0.5})):
        bounds_follow(own(settings), settings, most, colors, lines)


def bounds_follow(made, settings, most, colors, lines):
    """Bounds of the dashboards are those of the alerts about the service level, and there is a line for each of these."""
    panels = {panel["title"]: panel for document in made.values() for text in document["data"].values()
              for panel in json.loads(text)["panels"]}
    steps = lambda title: panels[title]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    told = [step["value"] for step in steps("Own errors, last hour")]
    expect(told == [None, *most], f"{settings}: the bounds of own errors are {told}")
    for title in ("Burn rate (intake)", "Burn rate (queries)"):
        told = [(step["value"], step["color"]) for step in steps(title)[1:]]
        expect(told == list(colors.items()), f"{settings}: the bounds of {title} are {told}")
        told = [(target["legendFormat"], set(re.findall(r"\[(.*?)\]", target["expr"]))) for target in panels[title]["targets"]]
        meant = [(f"{long}, alert above {factor}", {long}) for long, factor in lines.items()]
        expect(told == meant, f"{settings}: the lines of {title} are {told}")


def refusals():
    """What the schema must not let through."""
    for key, value in {
        "alerts.noSuchAlert": {"enabled": True}, "alerts.down.treshold": 1, "alerts.down.for": "soon", "alerts.down.severity": "",
        "alerts.storeErrors.window": "5 minutes", "alerts.heldThrottled.share": 1, "alerts.holdEndsSoon.share": 1, "alerts.workHeld.seconds": "300",
        "alerts.workStalled.seconds": 12.5, "alerts.diskLow.bytes": 0,
        "slo.target": 100, "slo.windows": [], "slo.windows[0].factor": 0, "runbookUrl": "", "alertLabels": {"a": 1},
    }.items():
        expect(rendered({f"prometheusRule.{key}": value}, refused=True), f"prometheusRule.{key}={value} is not refused")
    for key, value in {"include.nothing": True, "folder": 1, "folderAnnotation": ""}.items():
        expect(rendered({f"dashboards.{key}": value}, refused=True), f"dashboards.{key}={value} is not refused")


values = yaml.safe_load((CHART / "values.yaml").read_text())["prometheusRule"]
each_alert(values)
the_rest()
other_values()
records()
one_release()
boards()
refusals()
if WRONG:
    sys.exit("\n".join(WRONG))
print(f"{len(values['alerts'])} alerts and {sum(map(len, values['alerts'].values()))} settings of theirs are in force")
