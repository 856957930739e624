"""Reads `cargo metadata` on standard input and refuses what may not be built in.

Sources other than the registry, licences of the GPL family, and crates that the design rules out.
"""

import json
import sys

BANNED = {
    "actix-governor": "GPL-3.0",
    "tracing-awc": "AGPL-3.0",
    "backoff": "unmaintained, RUSTSEC-2025-0012",
    "openssl-sys": "TLS is rustls with ring",
    "aws-lc-sys": "TLS is rustls with ring",
}
ONCE = {"rustls", "ring", "actix-http", "tokio", "moka", "prometheus"}


def allowed(licence):
    """Whether some choice that the expression offers is free of the GPL."""
    if not licence:
        return False
    choices = licence.replace("/", " OR ").split(" OR ")
    return any("GPL" not in choice for choice in choices)


def main():
    packages = json.load(sys.stdin)["packages"]
    faults = []
    for package in packages:
        name, version = package["name"], package["version"]
        source = package["source"]
        if name == "faxplus-gateway":
            continue
        if source is None or not source.startswith("registry+"):
            faults.append(f"{name} {version}: comes from {source}, not from the registry")
        if not allowed(package["license"]) and not package["license_file"]:
            faults.append(f"{name} {version}: licence {package['license']}")
        if name in BANNED:
            faults.append(f"{name} {version}: {BANNED[name]}")
    for name in sorted(ONCE):
        versions = {package["version"] for package in packages if package["name"] == name}
        if len(versions) != 1:
            faults.append(f"{name}: expected one version, found {sorted(versions)}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(packages)} packages")
    return 1 if faults else 0


sys.exit(main())
