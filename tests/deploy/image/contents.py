#!/usr/bin/env python3
"""Holds what is in the image against what it should be: labels, user, command, and every file. Runs nothing of it.

    contents.py CONFIG ROOT VERSION COMMIT     CONFIG: the image as `podman image inspect` shows it; ROOT: mounted

Prints every finding and exits with 1 when there is one.
"""

import json
import os
import re
import stat
import struct
import sys

MOST_BYTES = 24 << 20
USER = 65532
PROGRAM = "usr/bin/faxplus-gateway"
DATA = "var/lib/faxplus-gateway"
FILES = {
    PROGRAM,
    "etc/faxplus-gateway/gateway.toml",
    "etc/group",
    "etc/nsswitch.conf",
    "etc/passwd",
    "etc/ssl/certs/ca-certificates.crt",
    "usr/share/doc/faxplus-gateway/third-party",
}
# What buildah leaves where it mounted something while building; a runtime mounts the real ones over them.
MOUNT_POINTS = {"dev", "proc", "sys", "run", "etc/hosts", "etc/resolv.conf"}
NOTICES = [
    "Copyright 2020-2021 SmartBear Software Inc.",
    "GNU LESSER GENERAL PUBLIC LICENSE",
    "Apache License",
    "actix-web-",
]


def of_config(inspected, version, commit):
    """What the image says of itself."""
    config = inspected["Config"]
    labels = config.get("Labels") or {}
    wanted = {"title": "faxplus-gateway", "version": version, "revision": commit}
    for name, value in wanted.items():
        if labels.get(f"org.opencontainers.image.{name}") != value:
            yield f"label {name} is {labels.get(f'org.opencontainers.image.{name}')!r}, not {value!r}"
    if not labels.get("org.opencontainers.image.description"):
        yield "label description is missing"
    if inspected.get("Created", "1970") < "2000":
        yield f"it does not tell when it was made: {inspected.get('Created')!r}"
    if config.get("User") != f"{USER}:{USER}":
        yield f"the user is {config.get('User')!r}, not 65532:65532"
    if config.get("Entrypoint") != [f"/{PROGRAM}"]:
        yield f"the entrypoint is {config.get('Entrypoint')}"
    if (config.get("Cmd") or [None])[0] != "serve":
        yield f"the command is {config.get('Cmd')}"
    if config.get("Volumes"):
        yield "volumes are declared"
    if config.get("StopSignal") not in (None, "", "SIGTERM", "15"):
        yield f"it is stopped with {config['StopSignal']}"
    for setting in config.get("Env") or []:
        if setting.startswith("FAXPLUS_GATEWAY"):
            yield f"{setting} in the environment would win over a mounted file"
    if inspected["Size"] > MOST_BYTES:
        yield f"{inspected['Size']:,} bytes are more than {MOST_BYTES:,}"


def of_files(root):
    """What lies in it."""
    found = set()
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            told = os.path.relpath(path, root)
            entry = os.lstat(path)
            if told not in MOUNT_POINTS:
                yield from of_entry(told, entry)
            if not stat.S_ISDIR(entry.st_mode):
                found.add(told)
    for path in sorted(FILES - found):
        yield f"/{path} is missing"
    for path in sorted(found - FILES - MOUNT_POINTS):
        yield f"/{path} has no business there"


def of_entry(told, entry):
    """One file or directory: whose, and who may write it."""
    owner = USER if told == DATA else 0
    if (entry.st_uid, entry.st_gid) != (owner, owner):
        yield f"/{told} belongs to {entry.st_uid}:{entry.st_gid}, not {owner}"
    if told == DATA and stat.S_IMODE(entry.st_mode) != 0o755:
        yield f"/{told} is {stat.S_IMODE(entry.st_mode):o}, not 755: written by its owner, entered by whoever is started there"
    if told == "tmp":
        if stat.S_IMODE(entry.st_mode) != 0o1777:
            yield f"/tmp is {stat.S_IMODE(entry.st_mode):o}, not 1777"
    elif entry.st_mode & 0o022:
        yield f"/{told} can be written by others"
    if entry.st_mode & 0o6000:
        yield f"/{told} runs as somebody else"
    if stat.S_ISREG(entry.st_mode) and entry.st_mode & 0o111 and told != PROGRAM:
        yield f"/{told} can be run"


def of_program(root):
    """The program needs no loader, and neither its addresses nor its stack can be foreseen."""
    with open(os.path.join(root, PROGRAM), "rb") as file:
        head = file.read(64)
        kind = struct.unpack_from("<H", head, 16)[0]
        fields = [("<Q", 32), ("<H", 54), ("<H", 56)]
        offset, size, count = (struct.unpack_from(form, head, at)[0] for form, at in fields)
        file.seek(offset)
        headers = [struct.unpack_from("<II", file.read(size)) for _ in range(count)]
    if head[:4] != b"\x7fELF" or kind != 3:
        yield "the program can't be loaded anywhere in memory (no PIE)"
    if any(segment == 3 for segment, _ in headers):
        yield "the program needs a loader, and there is none"
    if any(segment == 0x6474E551 and flags & 1 for segment, flags in headers):
        yield "the program's stack can be executed"


def of_texts(root):
    """Authorities, and the notices of what others wrote."""
    with open(os.path.join(root, "etc/ssl/certs/ca-certificates.crt"), encoding="ascii") as file:
        authorities = file.read().count("BEGIN CERTIFICATE")
    if authorities < 100:
        yield f"only {authorities} certificate authorities"
    path = os.path.join(root, "usr/share/doc/faxplus-gateway/third-party")
    with open(path, encoding="utf-8", errors="replace") as file:
        notices = file.read()
    for words in NOTICES:
        if words not in notices:
            yield f"the notices lack {words!r}"
    listed = re.findall(r"^(\S+)\t", notices, re.MULTILINE)
    if len(listed) < 100:
        yield f"the notices list only {len(listed)} crates"
    for crate in listed:
        if not re.search(rf"^{re.escape(crate)}(/\S+)?$", notices, re.MULTILINE):
            yield f"the notices have no text of {crate}, and don't say that it ships none"


def main(config, root, version, commit):
    """Every finding, a line each."""
    with open(config, encoding="utf-8") as file:
        inspected = json.load(file)[0]
    findings = [*of_config(inspected, version, commit), *of_files(root)]
    if not any("missing" in finding for finding in findings):
        findings += [*of_program(root), *of_texts(root)]
    for finding in findings:
        print(finding)
    if not findings:
        print(f"{inspected['Size']:,} bytes, {len(FILES)} files, user {USER}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
