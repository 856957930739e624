# faxplus-gateway alone on an empty root: one static program, its certificate authorities, user 65532; no shell.
#
#   podman build --build-arg COMMIT="$(git rev-parse HEAD)" -t REGISTRY/faxplus-gateway:0.2.0 .
#   podman push REGISTRY/faxplus-gateway:0.2.0      # for a cluster: the chart takes image.registry=REGISTRY
#
# tests/deploy/image/run builds it with stand-ins for the base image and runs it under restrictions.
#
# Static with glibc on scratch because of these figures (2 busy cores, medians of 14 rounds in turn, serve --sandbox):
#                                    static, scratch   dynamic, distroless/cc
#   image                                      20 MB                    43 MB
#   from start to ready                        24 ms                    23 ms
#   memory idle, after 60,000 posts     12.7, 118 MiB           14.0, 119 MiB
#   processor time of 60,000 posts            2.46 s                   2.38 s
# In pairs the static one took 0.87 to 1.14 times the processor time, 1.05 in the middle. The allocator is the same in
# both. Names are looked up and certificates checked alike.
#
# Pin the base by digest where you build: --build-arg RUST_IMAGE=docker.io/library/rust@sha256:...
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-slim-bookworm
ARG VERSION=0.2.0

# The dependencies, built around an empty program: a layer that lasts until Cargo.toml or Cargo.lock changes. What
# Cargo.toml names for tests and benchmarks is taken out, because its files are not in the image.
FROM ${RUST_IMAGE} AS dependencies
# The target is named, so that build scripts and procedural macros are linked as usual.
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_BUILD_TARGET=host-tuple \
    CARGO_PROFILE_DIST_STRIP=symbols
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN awk '/^\[/ { skip = /^\[\[(bench|example|test)\]\]/ } !skip' Cargo.toml >filtered.toml \
    && mv filtered.toml Cargo.toml \
    && mkdir src \
    && echo '//! Empty.' >src/lib.rs \
    && echo '//! Empty.' >src/main.rs \
    && echo 'fn main() {}' >>src/main.rs \
    && cargo build --profile dist --locked

# The program. What was copied may look older to cargo than the empty program: hence touch. Its version is
# that of the label, or the build fails.
FROM dependencies AS build
COPY config config
COPY src src
ARG COMMIT=unknown
ARG VERSION
RUN touch src/lib.rs src/main.rs \
    && FAXPLUS_GATEWAY_COMMIT="${COMMIT}" cargo build --profile dist --locked \
    && mkdir /program \
    && cp target/*/dist/faxplus-gateway /program/ \
    && test "$(/program/faxplus-gateway --version)" = "faxplus-gateway ${VERSION}"

# All else that the image holds. The store's directory can be entered by everybody, because it is where the program is
# started and some clusters choose the user; only 65532 may write it. A static glibc looks hosts up by itself in the
# order of nsswitch.conf.
FROM dependencies AS files
COPY .ci/third-party .ci/third-party
COPY config/container.toml /files/etc/faxplus-gateway/gateway.toml
RUN mkdir -p /data /files/etc/ssl/certs /files/usr/share/doc/faxplus-gateway /files/var/lib \
    && chmod 0755 /data \
    && mkdir -m 1777 /files/tmp \
    && echo 'gateway:x:65532:65532::/nonexistent:/nonexistent' >/files/etc/passwd \
    && echo 'gateway:x:65532:' >/files/etc/group \
    && echo 'hosts: files dns' >/files/etc/nsswitch.conf \
    && cp /etc/ssl/certs/ca-certificates.crt /files/etc/ssl/certs/ \
    && .ci/third-party >/files/usr/share/doc/faxplus-gateway/third-party

FROM scratch
COPY --from=files /files /
COPY --from=files --chown=65532:65532 /data /var/lib/faxplus-gateway
COPY --from=build /program/faxplus-gateway /usr/bin/faxplus-gateway

# No VOLUME: it would put the addresses of a store that nobody asked for on volumes without a name. No setting by ENV:
# it would win over the file that somebody mounts. A relative store.path ends in the volume, too.
USER 65532:65532
WORKDIR /var/lib/faxplus-gateway
EXPOSE 8080 9090
ENTRYPOINT ["/usr/bin/faxplus-gateway"]
CMD ["serve", "--config", "/etc/faxplus-gateway/gateway.toml"]

ARG COMMIT=unknown
ARG VERSION
# When it was made is told by the image itself.
LABEL org.opencontainers.image.title="faxplus-gateway" \
      org.opencontainers.image.description="Resends fax.plus member invitations: any list in, calls of ten out, one true outcome per address." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
