"""Plays to the dashboards what no gateway under load shows, with promtool: one that went away, and some without pods.

    boards.py RENDERED DIRECTORY

With "All" chosen a gateway that went away stays listed for two weeks, and no alert is hidden, not even one of a gateway
that never came up. Where no pod tells gateways apart each has lines of its own, and a pod that moves keeps its line.
"""

import re
import subprocess
import sys
from pathlib import Path

import yaml

import expressions

MINUTE, HOUR, DAY = 60, 3600, 86400
FIRES = 'alertname="FaxplusGateway{}",alertstate="firing",severity="critical",namespace="{}",job="{}"'
# After how many seconds, the namespaces and jobs that are listed, and how many alerts fire.
MOMENTS = [(HOUR // 2, ["fax"], ["gw"], 0), (11 * DAY, ["fax", "new"], ["gw", "vm"], 2),
           (13 * DAY, ["fax", "new"], ["gw", "vm"], 1), (15 * DAY, ["new"], ["vm"], 1), (20 * DAY, [], [], 0)]
# Two gateways without a pod, the first of which is held, and a pod that was held before it moved.
PODLESS = [f'namespace="fax",job="gw",instance="{name}"' for name in ("vm-1:9090", "vm-2:9090")]
MOVED = [f'namespace="fax",job="gw",pod="gw-0",instance="{name}"' for name in ("10.0.0.1:9090", "10.0.0.2:9090")]
NAMES = ("gw-0", "vm-1:9090", "vm-2:9090")


def series(name, labels, values):
    """An input series."""
    return {"series": f"{name}{{{labels}}}", "values": values}


def gives(expression, after, rows, value=None):
    """A question, and the labels of all it must give; without a value it is not asked which."""
    told = ["{" + ",".join(f'{key}="{one}"' for key, one in row.items()) + "}" for row in rows]
    return {"expr": expression if value is not None else f"group without () ({expression})", "eval_time": f"{after}s",
            "exp_samples": [{"labels": row, "value": 1 if value is None else value} for row in told]}


def one_that_went(dashboard):
    """A gateway that answered for an hour, an alert about it, one about a gateway that never did, and a foreign one."""
    of = lambda hours: f"_x6 1x{hours * 6}"
    told = [series("faxplus_gateway_build_info", MOVED[0], "1x6"),
            series("ALERTS", FIRES.format("Absent", "fax", "gw"), of(12 * 24)),
            series("ALERTS", FIRES.format("Down", "new", "vm") + ',instance="vm-1:9090"', of(16 * 24)),
            series("ALERTS", 'alertname="Other",alertstate="firing",namespace="other",job="other"', of(20 * 24))]
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    expected = []
    for after, namespaces, jobs, alerts in MOMENTS:
        chosen = {**expressions.VARIABLES, "$instance": variables["instance"]["allValue"],
                  "$namespace": expressions.either(namespaces), "$job": expressions.either(jobs)}
        for name, values in (("namespace", namespaces), ("job", jobs)):
            expression, label = expressions.listing(variables[name])
            expected.append(gives(expressions.filled(expression, chosen), after, [{label: value} for value in values]))
        for title, expression in expressions.asked(dashboard, chosen):
            if title == "Alerts that fire":
                expected.append(gives(expression, after, [{}], alerts))
            elif "ALERTS{" in expression:
                expected.append(gives(f"count({expression})", after, [{}] if alerts else [], alerts))
    return {"interval": "10m", "input_series": told, "promql_expr_test": expected}


def some_without_pods(dashboards):
    """Gateways without a pod beside one with it."""
    told = []
    for labels, when in ((PODLESS[0], "{}x60"), (PODLESS[1], "{}x60"), (MOVED[0], "{}x29 stale"), (MOVED[1], "_x30 {}x30")):
        for name, value in {"process_start_time_seconds": 1, "faxplus_gateway_last_upstream_success_timestamp_seconds": 2,
                            "faxplus_gateway_credential_expiry_timestamp_seconds": 9000,
                            "faxplus_gateway_credential_refreshes_total": 0}.items():
            told.append(series(name, labels, when.format(value)))
        for reason, held in {"paused": labels == PODLESS[0], "throttled": labels == MOVED[0]}.items():
            told.append(series("faxplus_gateway_hold", f'{labels},reason="{reason}"', when.format(int(held))))
    each = [{"namespace": "fax", "pod": name} for name in NAMES]
    reasons = lambda reason, names: [{"namespace": "fax", "pod": name, "reason": reason} for name in names]
    rows = {"Time since the last success": each, "Credential ends in": each,
            # Without a pod nothing tells a gateway that moved from another one: a reason that held one has a row for each.
            "Holds": [*each, *reasons("paused", NAMES[1:]), *reasons("throttled", NAMES[:1])],
            "Share of time held": [*reasons("paused", NAMES), *reasons("throttled", NAMES)]}
    chosen = {**expressions.VARIABLES, "$job": "gw"}
    found = {title: expression for dashboard in dashboards for title, expression in expressions.asked(dashboard, chosen)}
    expected = [gives(found[title], 8 * MINUTE, of) for title, of in rows.items()]
    return {"interval": "10s", "input_series": told, "promql_expr_test": expected}


def main():
    """Exits with what promtool says."""
    shown, directory = expressions.dashboards(sys.argv[1]), Path(sys.argv[2])
    dashboards = {re.sub(".*faxplus-gateway-", "", file): dashboard for file, (dashboard, _) in shown.items()}
    played = [one_that_went(dashboards["overview.json"]), some_without_pods(dashboards.values())]
    file = directory / "boards.test.yaml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "1m", "rule_files": [], "tests": played}))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"promtool: {done.stdout}{done.stderr}")
    count = sum(len(one["promql_expr_test"]) for one in played)
    print(f"{count} answers about gateways that went away, and that have no pod, are as they should be")


main()
