"""Keeps what is made of values.yaml in step with it: the tables in the chart's README, descriptions and defaults in its
schema, the schema of `config` and the defaults of settings, which are made of the gateway's own config/default.toml, and
the list of values that may not be empty. With --write it writes them; without, it says which of them is behind.

The chart's appVersion must be the gateway's version, what its README links to must be in the package, and the table of
alerts in the gateway's README must hold the alerts that the chart makes.
"""

import json
import re
import shlex
import sys
import tomllib

import restricted
import schemas
import values_file
import yaml
from common import CHART, KUBERNETES, ROOT, HelmError, Wrong, main, objects, template

BEGIN, END = "<!-- values: written by tests/deploy/run --write -->", "<!-- end of values -->"
# Nothing in the place of these is a choice: no limits, the runtime's own security, the gateway's own settings.
MAY_BE_EMPTY = ("config", "resources", "tests.resources", "podSecurityContext", "securityContext", "dnsConfig",
                "httpRoute.timeouts", "dashboards.labels")
# Maps and lists that the rules can't do without.
NEEDED = ("prometheusRule.alertLabels", "prometheusRule.alertAnnotations", "prometheusRule.slo.windows")
SETTINGS = ROOT / "config" / "default.toml"
REMEDY = "run tests/deploy/run --write and look at what it changed"


def settings():
    """The gateway's settings as a schema: sections, keys, kinds of value and words, of config/default.toml."""
    text = SETTINGS.read_text()
    sections, words, section, told = {}, [], None, False
    for line in text.splitlines():
        if line.startswith("#"):
            # Words are for the keys below them, which may be a pair; after a key they begin anew.
            words = [*([] if told else words), line.lstrip("# ")]
            told = False
        elif found := re.match(r"\[(\w+)\]$", line):
            section = sections.setdefault(found[1], {})
            words = []
        elif found := re.match(r"(\w+) = ", line):
            value = tomllib.loads(line)[found[1]]
            section[found[1]] = {"description": " ".join(words), "default": value, **kind(value, words)}
            told = True
        else:
            words = []
    # A section with nothing behind it sets nothing.
    closed = {"type": ["object", "null"], "additionalProperties": False}
    return {name: {**closed, "properties": keys} for name, keys in sections.items()}


def kind(value, words):
    """The JSON type of a setting's values; null takes away what another values file says."""
    if isinstance(value, bool):
        return {"type": ["boolean", "null"]}
    if isinstance(value, int):
        return {"type": ["number" if "fractions" in " ".join(words) else "integer", "null"]}
    return {"type": ["string", "null"], "pattern": "^[^\\x00-\\x1f\\x7f]*$"}


def schema(entries, chart):
    """The schema as it should be: hand-written but for `config`, descriptions and defaults."""
    whole = json.loads((chart / "values.schema.json").read_text())
    whole["properties"]["config"] = {"type": "object", "additionalProperties": False, "properties": settings()}
    for entry in entries:
        if entry.path[0] == "config" and len(entry.path) > 1:
            continue
        here = schema_at(whole, entry.path)
        if here is None:
            raise Wrong("values.schema.json", f"does not know {entry.dotted} of values.yaml", "describe it there")
        here["description"] = entry.words
        if not entry.is_group:
            here["default"] = entry.default
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def is_required(entry):
    """Whether the chart can't do without a value: it has a default, and neither list nor map may stand empty in its place."""
    open_to_all = any(f"{entry.dotted}.".startswith(f"{place}.") for place in MAY_BE_EMPTY)
    has_default = not isinstance(entry.default, list) and entry.default not in ("", None, {})
    return entry.dotted in NEEDED or (has_default and not open_to_all)


def required(entries):
    """The template that lists the values which may not be empty."""
    names = "\n".join(entry.dotted for entry in entries if is_required(entry))
    return named_template("required", "What may not be empty", names)


def default_settings():
    """The template that tells the gateway's own settings."""
    return named_template("defaultSettings", "The gateway's settings where nothing is given, as YAML",
                          yaml.safe_dump(tomllib.loads(SETTINGS.read_text()), sort_keys=False).strip())


def named_template(name, words, text):
    """A template that is written from here."""
    return f'{{{{/* {words}; written by tests/deploy/run --write. */}}}}\n{{{{- define "faxplus-gateway.{name}" -}}}}\n{text}\n{{{{- end -}}}}\n'


def schema_at(whole, path):
    """The schema of the value at `path`; None when there is none."""
    here = whole
    for key in path:
        if "properties" not in here:
            return {}  # an open map: whatever stands in it is welcome
        here = here["properties"].get(key)
        if here is None:
            return None
    return here


def readme(entries, chart):
    """The README as it should be: hand-written but for the tables of values."""
    text = (chart / "README.md").read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    out, section = [], None
    for entry in entries:
        if entry.section != section:
            section = entry.section
            out += ["", f"### {section}", "", "| key | default | meaning |", "|---|---|---|"]
        default = "" if entry.is_group else f"`{json.dumps(entry.default, ensure_ascii=False)}`"
        default = "see values.yaml" if len(default) > 80 else default
        out.append(f"| `{entry.dotted}` | {cell(default)} | {cell(entry.words)} |")
    return before + BEGIN + "\n" + "\n".join(out) + "\n\n" + END + after


def cell(text):
    return text.replace("|", "\\|")


def check_version(chart):
    """The chart installs the gateway that it lies beside."""
    chart = yaml.safe_load((chart / "Chart.yaml").read_text())
    gateway = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    if chart["appVersion"] != gateway:
        raise Wrong("Chart.yaml", f"appVersion is {chart['appVersion']}, and the gateway {gateway}", "set it, and raise the chart's version")


def check_links(chart):
    """Whoever has the packaged chart can follow what its README links to."""
    for text, place in re.findall(r"\[([^]]*)\]\((?!https?:|#)([^)#]*)", (chart / "README.md").read_text()):
        if not (chart / place).is_file() or place.startswith(("..", "ci/")):
            raise Wrong("README.md of the chart", f"links {text} to {place}, which is not in the package", "say it in words")


def on_kubernetes():
    """What the gateway's README tells operators of a cluster."""
    return (ROOT / "README.md").read_text().split("\n### On Kubernetes\n")[1].split("\n### ")[0].split("\n## ")[0]


def check_alerts(chart):
    """The table of alerts under "On Kubernetes" holds every alert of the chart, once, and no other."""
    # With a bound of the store, which brings an alert of its own.
    more = ["--set", "prometheusRule.enabled=true", "--set", "config.store.max_bytes=1073741824"]
    found = objects(template(chart / "ci" / "minimal.yaml", chart=chart, more=more), "the rules")
    rules = next(one for one in found if one["kind"] == "PrometheusRule")
    made = {rule["alert"] for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule}
    told = re.findall(r"^\| `(Faxplus\w+)` \|", on_kubernetes(), re.MULTILINE)
    if wrong := set(told) ^ made:
        raise Wrong("README.md, On Kubernetes", f"its table and the chart's alerts differ in {', '.join(sorted(wrong))}", "mend the table")
    if len(told) != len(made):
        raise Wrong("README.md, On Kubernetes", "an alert stands twice in its table", "take one out")


def check_commands(chart):
    """What both READMEs give to helm renders, and what they give to kubectl is valid."""
    for where, text in (("README.md", on_kubernetes()), ("README.md of the chart", (chart / "README.md").read_text())):
        for command in re.findall(r"^helm (?:install|upgrade) (?:.*\\\n)*.*", text, re.MULTILINE):
            words = shlex.split(command, comments=True)
            sets = [part for flag, value in zip(words, words[1:]) if flag == "--set" for part in (flag, value)]
            values = re.search(r"cat > values\.yaml <<'END'\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)[1] if "-f" in words else None
            try:
                template(values, chart=chart, more=sets)
            except HelmError as error:
                raise Wrong(where, f"{command}\n{error}", "a command of a README must work") from error
        for manifest in re.findall(r"kubectl apply -f - <<'END'\n(.*?)^END$", text, re.MULTILINE | re.DOTALL):
            found = [one for one in objects(manifest, where) if one["kind"] != "VolumeSnapshot"]  # its schema is not at hand
            schemas.check(found, where, KUBERNETES[-1])
            restricted.check(found, where)


def check(chart=CHART):
    check_version(chart)
    check_links(chart)
    entries = values_file.read(chart)
    wanted = {
        chart / "values.schema.json": schema(entries, chart),
        chart / "README.md": readme(entries, chart),
        chart / "templates" / "_required.tpl": required(entries),
        chart / "templates" / "_default_settings.tpl": default_settings(),
    }
    if "--write" in sys.argv:
        for path, text in wanted.items():
            path.write_text(text)
        return "written: " + ", ".join(path.name for path in wanted)
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            raise Wrong(path.name, "is behind values.yaml or config/default.toml", REMEDY)
    check_alerts(chart)
    check_commands(chart)
    return f"{len(entries)} values have a comment; READMEs with their commands, schema, versions and alerts are in step"


if __name__ == "__main__":
    main(check)
