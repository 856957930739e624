"""Checks the dashboards of a rendered chart: that Grafana can provision them, and that a person can read them.

    dashboards.py RENDERED DIRECTORY

Also that every expression parses (promtool), that those about the service level count what the rules count, and that
RUNBOOK.md names panels as they are called.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

import expressions
import grafana
import routing

CHART = Path(__file__).parents[3] / "helm/faxplus-gateway"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
VARIABLES = ["datasource", "namespace", "job", "instance"]
EVERYWHERE = ['namespace=~"$namespace"', 'job=~"$job"', 'instance=~"$instance"']
# Alerts about all gateways of a job have no pod, and some not even a job.
OF_ALERTS = [f'{matcher[:-1]}|"' for matcher in EVERYWHERE]
ONE = "(namespace, job, pod, instance)"
# Windows that are said in words, beside those of Grafana; the long ones of the alerts on the service level join them.
WINDOWS = {"$__rate_interval", "$__range", "1h", "1d", "30d"}
# What the lists of namespaces and jobs are made of. A gateway that went away stays listed for two weeks; and so that no
# alert is hidden by a list that lacks its namespace, those of alerts are in it as well. "All" takes what is listed.
LISTED = {
    "namespace": 'group by (namespace) (last_over_time(faxplus_gateway_build_info[14d]) or ALERTS{alertname=~"FaxplusGateway.*"})',
    "job": 'group by (job) (last_over_time(faxplus_gateway_build_info{namespace=~"$namespace"}[14d]) '
           'or ALERTS{alertname=~"FaxplusGateway.*",namespace=~"$namespace|"})',
}
# How a line is named by its pod, and by its instance where there are no pods.
NAMED = ', "pod", ";", "pod", "instance"), "pod", "$1$2", "pod", "(.+);.*|;(.+)")'
# Before the name of each file, because Grafana's sidecar puts those of all charts into one directory.
PREFIX = "faxplus-gateway-"
BYTES = 300_000


def of_dashboard(dashboard):
    """What is wrong with a dashboard as a whole."""
    if dashboard.get("editable") is not False:
        yield "is editable"
    if "faxplus-gateway" not in dashboard["tags"]:
        yield "lacks the tag by which the others link to it"
    links = [link for link in dashboard["links"] if link["type"] == "dashboards"]
    if not any("faxplus-gateway" in link["tags"] and link["includeVars"] and link["keepTime"] for link in links):
        yield "has no link to the others that keeps variables and time"
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    if names[:4] != VARIABLES:
        yield f"has the variables {names}"
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query" and (variable["refresh"] != 2 or variable["datasource"] != SOURCE):
            yield f"variable {variable['name']}: is not reloaded with the time, or from another data source"
        # Every instance of a job of gateways is one; every namespace or job is not.
        if variable.get("allValue", ".*") != ".*" or ("allValue" in variable) != (variable["name"] == "instance"):
            yield f"variable {variable['name']}: All is {variable.get('allValue')}: it lacks gateways, or takes more"
        if (asks := LISTED.get(variable["name"])) and expressions.listing(variable) != (asks, variable["name"]):
            yield f"variable {variable['name']}: lists {variable['query']['query']}"
    for annotation in dashboard["annotations"]["list"]:
        yield from (f"{annotation['name']}: {fault}" for fault in of_expression(annotation["expr"]))
    text = json.dumps(dashboard)
    if "[30d]" in text and dashboard["refresh"] != "5m":
        yield f"asks for 30 days every {dashboard['refresh']}"
    for word in ("${DS_", "__inputs", "__requires"):
        if word in text:
            yield f"holds {word}, which provisioning does not fill in"
    for used in set(re.findall(r"\$\{?([a-z]\w*)", " ".join(target["expr"] for panel in expressions.panels(dashboard)
                                                                for target in panel["targets"]))):
        if used not in names:
            yield f"uses ${used}, which is no variable of it"
    for kind, values in (("id", [panel["id"] for panel in dashboard["panels"]]),
                         ("title", [panel["title"] for panel in dashboard["panels"]])):
        for twice in {value for value in values if values.count(value) > 1}:
            yield f"has the {kind} {twice!r} twice"


def of_grid(dashboard):
    """Panels outside of the grid, or over each other, and holes between them."""
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        if place["x"] < 0 or place["x"] + place["w"] > 24 or place["h"] < 1:
            yield f"{panel['title']}: is not on the grid"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    yield f"{panel['title']}: lies over {other}"
                    return
    for y in range(max(y for _, y in taken) + 1):
        if holes := [x for x in range(24) if (x, y) not in taken]:
            yield f"nothing is at the columns {holes} of line {y}"
            return


def of_panel(panel):
    """What is wrong with a panel."""
    if len(panel.get("description", "")) < 20:
        yield "has no description"
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "has no unit"
    if not panel.get("targets"):
        yield "asks for nothing"
    if panel.get("datasource") != SOURCE or any(target["datasource"] != SOURCE for target in panel["targets"]):
        yield "does not take the data source of the dashboard"
    names = [target["refId"] for target in panel["targets"]]
    if len(set(names)) != len(names):
        yield "has two targets of one name"
    for target in panel["targets"]:
        yield from of_expression(target["expr"])
        if panel["type"] in ("timeseries", "state-timeline") and not target.get("legendFormat"):
            yield f"target {target['refId']} has no legend"
        if "{{instance}}" not in target.get("legendFormat", "{{instance}}") and (
                "{{pod}}" in target["legendFormat"] and NAMED not in target["expr"]):
            yield f"target {target['refId']} names all gateways without a pod alike"
        if target.get("range") and not target.get("interval"):
            yield f"target {target['refId']} has no least step, so a slow scrape leaves it empty"
        if panel["type"] == "heatmap" and not re.search(r"\brate\(", target["expr"]):
            yield "counts what happened in windows that lie over each other: ask for a rate"
        if panel["type"] == "table" and not target.get("instant"):
            yield f"target {target['refId']} asks for the past, of which a table shows nothing"
        if panel["type"] == "stat" and "> 0)" in target["expr"] and not panel["fieldConfig"]["defaults"].get("noValue"):
            yield "does not say what it means that there is nothing"


def of_expression(expression):
    """What is wrong with an expression, as far as its text tells."""
    for metric, matchers in expressions.selectors(expression):
        told = [f'{label}{operator}"{value}"' for label, operator, value in matchers]
        if missing := [matcher for matcher in (OF_ALERTS if metric == "ALERTS" else EVERYWHERE) if matcher not in told]:
            yield f"{metric} lacks {missing}"
        # Or whether it has ever counted anything.
        whole = re.escape(metric) + r"\{[^}]*\}"
        inside = re.search(rf"\b(rate|increase)\({whole}|\bsum by \([^)]*\) \({whole}\) (== 0|> 0)", expression)
        if re.search(r"_(total|bucket|count|sum)$", metric) and not inside:
            yield f"{metric} is a counter, and neither rate nor increase is asked of it"
    if re.match(r"count\(|sum\(up\{", expression) and not expression.endswith("or vector(0)"):
        yield "shows nothing, not 0, once nothing is there to be counted"
    if re.search(r"/ (ignoring \([^)]*\) group_left )?sum\b", expression):
        yield "divides by a sum that is 0 when nothing happens: (sum(…) > 0)"
    for window in re.findall(r"\[([^\]]*)\]", expression):
        if window not in WINDOWS:
            yield f"the window [{window}] is none of {sorted(WINDOWS)}"
    for window in re.findall(r"\brate\([^[]*\[([^\]]*)\]", expression):
        if window != "$__rate_interval":
            yield f"rate over [{window}]; with Grafana it is $__rate_interval"


def unparsed(shown, directory):
    """What promtool says of each expression, written as recording rules."""
    asked = [(file, title, expression) for file, (dashboard, _) in shown.items()
             for title, expression in expressions.asked(dashboard)]
    rules = [{"record": f"check:expression:{number}", "expr": expression}
             for number, (_, _, expression) in enumerate(asked)]
    file = directory / "dashboards.rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", "--lint=none", file], capture_output=True, text=True)
    if done.returncode:
        yield f"promtool: {done.stdout}{done.stderr}"
        for number in {int(number) for number in re.findall(r"check:expression:(\d+)", done.stdout + done.stderr)}:
            yield f"which is {asked[number]}"


def other_counts(dashboard):
    """Matchers of the service level that the dashboard does not ask with."""
    text = " ".join(target["expr"] for panel in expressions.panels(dashboard) for target in panel["targets"])
    kept = yaml.safe_load((CHART / "files/rules/service-level.yaml").read_text())
    for name, indicator in kept["indicators"].items():
        for matchers in indicator["requests"] + indicator["errors"]:
            if f",{matchers}}}" not in text:
                yield f"does not count {matchers} of {name}, as the rules do"


def not_left_out(dashboard, everywhere):
    """Expressions of the service level that count gateways with a simulated fax.plus, whatever the variable says."""
    asked = [(panel["title"], target["expr"]) for panel in expressions.panels(dashboard) for target in panel["targets"]]
    for title, expression in asked:
        if not everywhere and "faxplus_gateway_http_requests_total" not in expression:
            continue
        clause = rf" unless on {re.escape(ONE)} min_over_time\(faxplus_gateway_sandbox\{{[^}}]*\}}\[([^\]]*)\]\) == \$simulated"
        windows = set(re.findall(r"\b(?:rate|increase)\([^[]*\[([^\]]*)\]", expression))
        left_out = set(re.findall(clause, expression))
        sums = len(re.findall(r"\bsum\b", expression))
        if not left_out or windows - left_out or len(re.findall(clause, expression)) < sums:
            yield f"{title}: counts simulated gateways"


def not_of_values(dashboard, rendered):
    """What the template should have filled in otherwise: it follows the rules, and the monitor."""
    rules = json.dumps(expressions.rules(rendered))
    chosen = {variable["name"]: variable.get("current") for variable in dashboard["templating"]["list"]}
    simulated = {"text": "left out", "value": "1"} if "faxplus_gateway_sandbox" in rules else {"text": "counted", "value": "2"}
    if "simulated" in chosen and chosen["simulated"] != simulated:
        yield f"simulated gateways are {chosen['simulated']}, and in the rules they are {simulated}"
    if "target" in chosen and f"(1 - {chosen['target']['value']} / 100)" not in rules:
        yield f"the objective is {chosen['target']}, which is not that of the rules"
    monitors = [one for one in expressions.documents(rendered) if one["kind"] in ("ServiceMonitor", "PodMonitor")]
    scraped = {end["interval"] for one in monitors
               for end in one["spec"].get("endpoints", one["spec"].get("podMetricsEndpoints"))}
    steps = {target.get("interval") for panel in expressions.panels(dashboard) for target in panel["targets"]
             if target.get("range")}
    if steps != (scraped or {"30s"}):
        yield f"the least steps are {steps}, and scraped is every {scraped or '30s'}"


def misnamed(shown):
    """Panels and rows that RUNBOOK.md names and that are not on that dashboard, and mentions that name none."""
    text = re.sub(r"\s+", " ", routing.RUNBOOK.read_text())
    titles = {dashboard["title"].split(" / ")[1]: {panel["title"] for panel in dashboard["panels"]}
              for dashboard, _ in shown.values()}
    named = re.findall(r'\bthe (?:panels?|rows?) ("[^"]+"(?:(?:,| and) "[^"]+")*) on (?:the (\w+)|"([^"]+)")', text, re.I)
    if len(named) != len(re.findall(r"\bthe (?:panels?|rows?)\b", text, re.I)):
        yield 'RUNBOOK.md: a mention is not of the form: the panel "TITLE" on "DASHBOARD"'
    for quoted, *places in named:
        place = "".join(places).lower()
        for title in set(re.findall(r'"([^"]+)"', quoted)) - titles.get(place, set()):
            yield f"RUNBOOK.md: nothing is named {title!r} on the dashboard {place!r}"
    for place in re.findall(r'on "([^"]+)"', text):
        if place.lower() not in titles:
            yield f"RUNBOOK.md: there is no dashboard {place!r}"


def main():
    """Exits with all that is wrong."""
    shown, directory = expressions.dashboards(sys.argv[1]), Path(sys.argv[2])
    WINDOWS.update(rule["labels"]["long_window"] for group in expressions.rules(sys.argv[1])["groups"]
                   for rule in group["rules"] if "long_window" in rule.get("labels", {}))
    wrong = list(misnamed(shown))
    kept = sorted(f"{PREFIX}{path.name}" for path in (CHART / "files/dashboards").glob("*.json"))
    if sorted(shown) != kept:
        wrong.append(f"rendered are {sorted(shown)}, kept are {kept}")
    for file, (dashboard, document) in shown.items():
        found = [*grafana.faults(dashboard), *of_dashboard(dashboard), *of_grid(dashboard)]
        for panel in expressions.panels(dashboard):
            found += [f"{panel['title']}: {fault}" for fault in of_panel(panel)]
        if file in (f"{PREFIX}service-level.json", f"{PREFIX}overview.json"):
            found += other_counts(dashboard)
        found += not_left_out(dashboard, everywhere=file == f"{PREFIX}service-level.json")
        found += not_of_values(dashboard, sys.argv[1])
        if document["metadata"]["labels"]["grafana_dashboard"] != "1":
            found.append("its ConfigMap lacks the label that Grafana's sidecar looks for")
        wrong += [f"{file}: {fault}" for fault in found]
    uids = [dashboard["uid"] for dashboard, _ in shown.values()]
    if len(set(uids)) != len(uids):
        wrong.append(f"uids are not unique: {uids}")
    size = sum(len(text) for _, document in shown.values() for text in document["data"].values())
    if size > BYTES:
        wrong.append(f"{size} bytes of dashboards are more than {BYTES}")
    wrong += unparsed(shown, directory)
    if wrong:
        sys.exit("\n".join(wrong))
    count = sum(len(expressions.panels(dashboard)) for dashboard, _ in shown.values())
    asked = sum(len(list(expressions.asked(dashboard))) for dashboard, _ in shown.values())
    print(f"{len(shown)} dashboards of {size} bytes, {count} panels, {asked} expressions")


main()
