"""The rendered dashboards and rules on a real Prometheus that scrapes a real gateway under load.

    live.py BINARY RENDERED DIRECTORY

Every expression of every panel must give something, and something other than nothing but zeros where the load makes for
it, and with "All" chosen nothing of other targets; the table of gateways must have a row for each, with the one that is
down among them; simulated ones must be left out of the service level, and counted, as its variable says; sums must be
what callers and the simulated fax.plus counted; every rule must evaluate; an alert must be seen firing, and ending, on
the overview and in a real Alertmanager, where the runbook's inhibit rules must silence what they say.
"""

import json
import math
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import yaml

import expressions
import routing
from load import Load, people
from stack import DOWN, Stack, get, host, until

# What is zero in a gateway that is well, which has no OAuth2, and whose upstream is not down.
STAYS_ZERO = {
    "Each gateway", "Breaker", "Addresses forgotten", "Failed operations", "Access tokens asked for, last day",
    "Credentials refused", "Gateways that hold work", "Holds", "Budget left, 30 days (queries)", "Burn rate (queries)",
    "Budget left, 30 days (intake)", "Resends that took at most as long as promised", "Own errors, last hour: queries",
}
ALERT = "FaxplusGatewayPausedForLong"


def unknown_names(rendered, metrics):
    """Metrics, labels and values that dashboards and rules ask for, and the gateway does not have; and the reverse."""
    known = expressions.series(metrics)
    alerts = [rule for group in expressions.rules(rendered)["groups"] for rule in group["rules"] if "alert" in rule]
    known["ALERTS"] = {label: {value} for label, value in expressions.LABELS.items()} | {
        "instance": {"127.0.0.1:0"}, "alertname": {rule["alert"] for rule in alerts},
        "alertstate": {"firing", "pending"}, "severity": {rule["labels"]["severity"] for rule in alerts},
        "reason": known["faxplus_gateway_hold"]["reason"]}
    asked = [(f"{file}: {title}", expression)
             for file, (dashboard, _) in expressions.dashboards(rendered).items()
             for title, expression in expressions.asked(dashboard)]
    rules = [rule for group in expressions.rules(rendered)["groups"] for rule in group["rules"]]
    asked += [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules]
    recorded = {rule["record"]: {"gateway", "slo", "namespace", "job"} for rule in rules if "record" in rule}
    shown = set()
    for place, expression in asked:
        here = [(metric, matchers) for metric, matchers in expressions.selectors(expression) if metric not in recorded]
        for metric, matchers in here:
            if not place.startswith("FaxplusGateway") and ":" not in place.split(": ")[0]:
                shown.add(metric)
            if metric not in known:
                yield f"{place}: there is no {metric}"
                continue
            for label, operator, value in matchers:
                values = known[metric].get(label)
                if values is None:
                    yield f"{place}: {metric} has no label {label}"
                elif operator == "=" and label != "status" and value not in values:
                    yield f"{place}: {metric} never has {label}={value}"
                elif operator == "=~" and not any(re.fullmatch(value, one) for one in values):
                    yield f"{place}: {metric} has no {label} that {value} matches"
        labels = {label for metric, _ in here for label in known.get(metric, {})}
        for label in expressions.grouped(expression) - labels - {"slo", "gateway"}:
            yield f"{place}: groups by {label}, which nothing in it has"
    family = lambda metric: re.sub(r"_(bucket|sum|count)$", "", metric)
    hidden = {family(metric) for metric in known if metric.startswith("faxplus_gateway_")} - set(map(family, shown))
    yield from (f"no dashboard shows {metric}" for metric in sorted(hidden))


def unanswered(stack, rendered, alerts=False):
    """Expressions that gave nothing yet, or nothing but zeros: a function that asks them again and tells the rest.

    Either those about alerts, or all others.
    """
    left = {(file, title, expression) for file, (dashboard, _) in expressions.dashboards(rendered).items()
            for title, expression in expressions.asked(dashboard) if ("ALERTS{" in expression) == alerts}
    count = len(left)

    def ask():
        for place in list(left):
            values = [value for _, value in stack.query(place[2]) if math.isfinite(value)]
            if values and (any(values) or {place[1], place[1].split(": ")[0]} & STAYS_ZERO):
                left.discard(place)
        return not left

    return left, count, ask


def everything(stack, dashboard):
    """The variables as Grafana fills them in when "All" is chosen in each."""
    chosen = dict(expressions.VARIABLES)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        if listing := expressions.listing(variable):
            expression, label = listing
            listed = [labels[label] for labels, _ in stack.query(expressions.filled(expression, chosen))]
        else:
            question = expressions.filled(variable["query"]["query"], chosen)
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", question).groups()
            listed = stack.values(label, selector)
        chosen[f"${variable['name']}"] = variable.get("allValue") or expressions.either(listed)
    return chosen


def of_others(stack, rendered):
    """Expressions that give something else with "All" than with the only gateway that there is."""
    now = time.time() - 5
    seen = lambda expression: sorted((sorted(labels.items()), repr(value)) for labels, value in stack.query(expression, now))
    for file, (dashboard, _) in expressions.dashboards(rendered).items():
        chosen = everything(stack, dashboard)
        pairs = zip(expressions.asked(dashboard), expressions.asked(dashboard, chosen), strict=True)
        for (title, one), (_, of_all) in pairs:
            if seen(one) != seen(of_all):
                yield f"{file}: {title}: All shows what is no gateway: {of_all}"


def not_joined(stack, rendered):
    """What keeps the table of all gateways from having one row for each, with the one that is down among them."""
    (panel,) = [panel for dashboard, _ in expressions.dashboards(rendered).values()
                for panel in expressions.panels(dashboard) if panel["title"] == "Each gateway"]
    keys = ("namespace", "job", "pod", "instance")
    cells = [stack.query(expressions.filled(target["expr"], expressions.VARIABLES)) for target in panel["targets"]]
    place = lambda labels: tuple(labels.get(key) for key in keys)
    answers = {place(labels): value for labels, value in cells[0]}
    if sorted((where[3], value) for where, value in answers.items()) != sorted([(DOWN, 0), (host(stack.admin), 1)]):
        yield f"the rows are {answers}"
    for target, column in zip(panel["targets"], cells, strict=True):
        rows = [place(labels) for labels, _ in column]
        up = {where for where, value in answers.items() if value}
        if len(set(rows)) != len(rows) or not up <= set(rows) <= set(answers):
            yield f"{target['expr']}: gives the rows {rows}"
        for labels, _ in column:
            if more := set(labels) - {*keys, "version", "commit"}:
                yield f"{target['expr']}: is told apart by {more} as well"


def still_counted(stack, rendered):
    """Expressions that do not do as the variable about simulated gateways says. The only gateway's is 0, none has 2."""
    for file, (dashboard, _) in expressions.dashboards(rendered).items():
        for title, expression in expressions.asked(dashboard, {**expressions.VARIABLES, "$simulated": "$simulated"}):
            if "$simulated" not in expression:
                continue
            now = time.time() - 5
            of = lambda value: stack.query(expression.replace("$simulated", value), now)
            if of("0") or not of("2"):
                yield f"{file}: {title}: {expression}: left out {of('0')}, counted {of('2')}"


def not_inhibited(stack, names):
    """Alerts that Alertmanager would tell, although the runbook's rules say that another one explains them."""
    posted = []
    for number, rule in enumerate(routing.config()["inhibit_rules"]):
        for source in routing.meant(rule["source_matchers"], names):
            place = {"namespace": f"{number}-{source}", "job": "gateway", "pod": "gw-0"}
            targets = routing.meant(rule["target_matchers"], names)
            posted += [{"labels": {"alertname": name, **place}} for name in (source, *targets)]
    request = urllib.request.Request(f"{stack.alertmanager}/api/v2/alerts", json.dumps(posted).encode(),
                                     {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()
    # Alertmanager works out what inhibits what a while after it has taken the alerts.
    deadline = time.monotonic() + 60
    while (wrong := list(wrongly_told(stack))) and time.monotonic() < deadline:
        time.sleep(0.5)
    return wrong


def wrongly_told(stack):
    """Alerts of `not_inhibited` that are told and should not be, or the other way round, by now."""
    for alert in json.loads(get(f"{stack.alertmanager}/api/v2/alerts")):
        labels = alert["labels"]
        is_source = labels["namespace"].endswith(f"-{labels['alertname']}")
        if labels["namespace"][0].isdigit() and is_source == bool(alert["status"]["inhibitedBy"]):
            yield f"{labels}: inhibited by {alert['status']['inhibitedBy']}"


def sums_differ(stack, load):
    """Where Prometheus and those who were asked, or asked, do not count the same."""
    number = lambda expression: round(stack.number(expression))
    all_of = lambda metric, inside="": number(f"sum(faxplus_gateway_{metric}{{{inside}}})")
    for client, posted in load.posted.items():
        received = all_of("addresses_received_total", f'client="{client}"')
        if received != posted:
            yield f"{client} posted {posted} addresses, received are {received}"
        told = {}
        for resend in resends(stack, client):
            for outcome, count in resend["counts"].items():
                told[outcome] = told.get(outcome, 0) + count
        for outcome in ("sent", "duplicate", "invalid", "rejected", "not_sent", "unknown"):
            ended = all_of("addresses_total", f'client="{client}",outcome="{outcome}"')
            if ended != told.get(outcome, 0):
                yield f"{client} was told {told.get(outcome, 0)} {outcome}, the metric says {ended}"
    truth = json.loads(get(f"{stack.upstream}/sandbox/stats"))
    results = {"ok": 200, "rejected": 422, "server_error": 500, "unauthorized": 401, "throttled": 429}
    for result, status in results.items():
        seen = truth["calls_by_status"].get(str(status), 0)
        counted = all_of("upstream_calls_total", f'result="{result}"')
        if seen != counted:
            yield f"fax.plus answered {seen} calls with {status}, the metric says {counted} {result}"
    if truth["calls"] != all_of("upstream_calls_total"):
        yield f"fax.plus saw {truth['calls']} calls, the metric says {all_of('upstream_calls_total')}"
    sent, unknown = (all_of("addresses_total", f'outcome="{outcome}"') for outcome in ("sent", "unknown"))
    # What is repeated in a list is unknown twice, if its only call was.
    if not sent <= truth["addresses_accepted"] <= sent + unknown:
        yield f"fax.plus accepted {truth['addresses_accepted']} addresses; {sent} are sent, {unknown} unknown"
    for (route, status), count in load.answers.items():
        path = {"post": 'route="/v1/resends",method="POST"',
                "patch": 'route="/v3/accounts/self/member-invitations"'}.get(route)
        if path and status != 401 and all_of("http_requests_total", f'{path},status="{status}"') != count:
            yield f"{route} was answered {status} {count} times"
    bad = load.answers["post", 503] + load.answers["patch", 503]
    good = sum(count for (route, status), count in load.answers.items()
               if route in ("post", "patch") and not 400 <= status < 500) - bad
    ratio = stack.number('faxplus_gateway:slo_errors:ratio1h{slo="intake"}')
    if not math.isclose(ratio, bad / (bad + good), rel_tol=0.15):
        yield f"{bad} of {bad + good} lists were refused for want of room, the recorded ratio is {ratio}"


def resends(stack, client):
    """All resends of a client."""
    cursor = ""
    while True:
        _, page = stack.post(f"/v1/resends?limit=500{cursor}", b"", client, "GET")
        # Operators see those of others as well.
        yield from (resend for resend in page["resends"] if resend["client"] == client)
        if not page.get("next_cursor"):
            return
        cursor = f"&cursor={page['next_cursor']}"


def amtool(stack):
    """What Alertmanager knows of the alert."""
    command = ["amtool", f"--alertmanager.url={stack.alertmanager}", "alert", "query", "-o", "json"]
    done = subprocess.run([*command, f"alertname={ALERT}"], capture_output=True, text=True, timeout=20)
    return json.loads(done.stdout or "[]") if not done.returncode else []


def main():
    """Everything the module says, in about a minute and a half."""
    binary, rendered, directory = Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]).resolve()
    rules = directory / "rules.yaml"
    rules.write_text(yaml.safe_dump(expressions.rules(rendered)))
    with Stack(binary, rules, directory) as stack:
        if wrong := list(unknown_names(rendered, get(f"{stack.admin}/metrics"))):
            sys.exit("\n".join(wrong))
        with Load(stack) as load:
            left, count, ask = unanswered(stack, rendered)
            try:
                until(100, "answer to every panel", ask)
            except SystemExit as error:
                sys.exit(f"{error}\n" + "\n".join(f"{file}: {title}: {one}" for file, title, one in sorted(left))
                         + f"\n{load.failed}\n{dict(load.answers)}\n{stack.told('gateway')}")
        if load.failed:
            sys.exit(f"callers failed: {load.failed}")
        if wrong := [*of_others(stack, rendered), *not_joined(stack, rendered), *still_counted(stack, rendered)]:
            sys.exit("\n".join(wrong))
        print(f"{count} expressions gave something, and with All the same; answers were {dict(sorted(load.answers.items()))}")

        until(60, "end of the work", lambda: not stack.number("sum(faxplus_gateway_resends_active)"))
        differences = []
        same = lambda: not (differences.clear() or differences.extend(sums_differ(stack, load)) or differences)
        try:
            until(20, "agreement about the sums", same)
        except SystemExit as error:
            sys.exit(f"{error}\n" + "\n".join(differences))
        print(f"{sum(load.posted.values())} addresses: Prometheus, the callers and fax.plus count the same")

        groups = json.loads(get(f"{stack.prometheus}/api/v1/rules"))["data"]["groups"]
        states = [rule for group in groups for rule in group["rules"]]
        if sick := [rule for rule in states if rule["health"] != "ok"]:
            sys.exit(f"rules that can't be evaluated: {sick}")
        if amtool(stack):
            sys.exit(f"{ALERT} fires before anything was paused")
        stack.post("/v1/operator/pause", {"note": "a test of the alert"})
        (alert,) = until(40, f"{ALERT} in Alertmanager", lambda: amtool(stack))
        words = " ".join(alert["annotations"].values())
        link = alert["annotations"]["runbook_url"]
        if "no value" in words or "error" in words.lower() or not link.endswith(f"#{ALERT.lower()}"):
            sys.exit(f"the words of the alert are {alert['annotations']}")
        if alert["labels"]["severity"] != "warning" or "instance" in alert["labels"]:
            sys.exit(f"the labels of the alert are {alert['labels']}")
        left, of_alerts, ask = unanswered(stack, rendered, alerts=True)
        try:
            until(20, "alert on the overview", ask)
        except SystemExit as error:
            sys.exit(f"{error}\n{left}")
        stack.post("/v1/operator/resume", b"")
        until(40, f"end of {ALERT} in Alertmanager", lambda: not amtool(stack))
        if wrong := list(not_inhibited(stack, {rule["name"] for rule in states if rule["type"] == "alerting"})):
            sys.exit("\n".join(wrong))
        print(f"{len(states)} rules evaluate; {ALERT} fired, which {of_alerts} expressions showed, and ended in "
              "Alertmanager, which inhibits as the runbook says")


main()
