"""The Pod Security Standard "restricted", with all of "baseline" that it includes, for every container of a pod."""

from common import Wrong, containers_of, name_of, pods_of

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SECCOMP = {"RuntimeDefault", "Localhost"}
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
}
SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def check(found, where):
    """Refuses a pod that an enforcing namespace would refuse."""
    for one, _, spec in pods_of(found):
        for what in breaches(spec):
            raise Wrong(f"{where}, {name_of(one)}", what, "the restricted Pod Security Standard wants it otherwise")


def breaches(spec):
    """What is not allowed, in words."""
    pod = spec.get("securityContext", {})
    for host in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(host):
            yield f"{host} is true"
    for volume in spec.get("volumes", []):
        if not set(volume) - {"name"} <= VOLUMES:
            yield f"volume {volume['name']} is of a type that is not allowed: {', '.join(set(volume) - {'name'})}"
    if not {sysctl["name"] for sysctl in pod.get("sysctls", [])} <= SYSCTLS:
        yield "sets a sysctl that is not safe"
    yield from context_breaches("the pod", pod)
    for container in containers_of(spec):
        yield from container_breaches(container, pod)


def container_breaches(container, pod):
    name, own = f"container {container['name']}", container.get("securityContext", {})
    merged = {**pod, **own}
    yield from context_breaches(name, own)
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation is not false"
    if own.get("privileged"):
        yield f"{name}: is privileged"
    if merged.get("runAsNonRoot") is not True:
        yield f"{name}: runAsNonRoot is not true"
    if merged.get("seccompProfile", {}).get("type") not in SECCOMP:
        yield f"{name}: seccompProfile is not RuntimeDefault"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []):
        yield f"{name}: capabilities does not drop ALL"
    if not set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"}:
        yield f"{name}: adds capabilities"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield f"{name}: takes a port of the node"
    if container.get("lifecycle") and any("host" in action.get("httpGet", {}) for action in container["lifecycle"].values()):
        yield f"{name}: its lifecycle names a host"


def context_breaches(name, context):
    """What neither a pod's nor a container's context may hold."""
    if context.get("runAsUser") == 0:
        yield f"{name}: runs as root"
    if context.get("procMount", "Default") != "Default":
        yield f"{name}: procMount is not Default"
    if context.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield f"{name}: AppArmor is off"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield f"{name}: is a host process"
    selinux = context.get("seLinuxOptions", {})
    if selinux.get("type", "") not in SELINUX or selinux.get("user") or selinux.get("role"):
        yield f"{name}: SELinux options are not allowed"
