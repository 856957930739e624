"""What dashboards and rules ask for: every PromQL expression of them, and what it names."""

import json
import re
from pathlib import Path

import yaml

# What Grafana puts in for its variables. The labels are those the live stage scrapes with.
LABELS = {"namespace": "fax", "job": "faxplus-gateway", "pod": "gw-faxplus-gateway-0"}
VARIABLES = {"$__rate_interval": "15s", "$__range": "10m", "$namespace": LABELS["namespace"], "$job": LABELS["job"],
             "$instance": ".*", "$target": "99.9", "$simulated": "1"}
WORDS = {"by", "on", "ignoring", "group_left", "group_right", "without", "and", "or", "unless", "bool", "offset"}


def documents(rendered):
    """The objects of a rendered chart."""
    return [document for document in yaml.safe_load_all(Path(rendered).read_text()) if document]


def dashboards(rendered):
    """The dashboards of a rendered chart, by file name, with the ConfigMap each came in."""
    return {
        file: (json.loads(text), document)
        for document in documents(rendered)
        if document["kind"] == "ConfigMap" and "grafana_dashboard" in document["metadata"].get("labels", {})
        for file, text in document["data"].items()
    }


def rules(rendered):
    """The spec of the only PrometheusRule."""
    (rule,) = [document for document in documents(rendered) if document["kind"] == "PrometheusRule"]
    return rule["spec"]


def panels(dashboard):
    """Its panels, rows left out."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def asked(dashboard, variables=VARIABLES):
    """Every expression, as (what asks, expression as Grafana would send it); of several lines each has its name."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            name = f": {target['legendFormat']}" if len(panel["targets"]) > 1 and "legendFormat" in target else ""
            yield f"{panel['title']}{name}", filled(target["expr"], variables)
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], filled(annotation["expr"], variables)


def listing(variable):
    """What a variable lists: the expression that is asked for it, and its label. None of one that lists in other ways."""
    found = re.fullmatch(r"query_result\((.*)\)", variable["query"]["query"])
    return (found[1], re.fullmatch(r'/(\w+)="\(\[\^"\]\+\)"/', variable["regex"])[1]) if found else None


def either(values):
    """What Grafana puts in for several values of a variable."""
    return f"({'|'.join(re.escape(value).replace(chr(92), chr(92) * 2) for value in values)})"


def filled(expression, variables):
    """The expression with its variables filled in."""
    for variable, value in sorted(variables.items(), key=lambda pair: -len(pair[0])):
        expression = expression.replace(variable, value)
    return expression


def selectors(expression):
    """Every series selector: the metric, and its matchers as (label, operator, value)."""
    for metric, inside in re.findall(r"([a-zA-Z_:][\w:]*)\{([^{}\"]*(?:\"[^\"]*\"[^{}\"]*)*)\}", expression):
        yield metric, re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', inside)


def grouped(expression):
    """Every label that a clause such as `by (…)` names."""
    clauses = re.findall(r"\b(?:by|on|ignoring|group_left|group_right|without)\s*\(([^)]*)\)", expression)
    return {label.strip() for clause in clauses for label in clause.split(",") if label.strip()}


def series(metrics):
    """What /metrics tells: the labels of each name, and for each label its values."""
    known = {}
    for name, inside in re.findall(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$", metrics, re.M):
        labels = known.setdefault(name, {})
        for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', inside):
            labels.setdefault(label, set()).add(value)
    known["up"] = {}
    for labels in known.values():
        labels.update({label: {value} for label, value in LABELS.items()}, instance={"127.0.0.1:0"})
    return known
