# The agent's image: Node, the bundle, the addon, the symbolizer and the libraries they load, from scratch. No shell, no
# package manager. It runs as root with the capabilities BPF, PERFMON, SYS_PTRACE, CHECKPOINT_RESTORE, SYSLOG and
# DAC_READ_SEARCH, in the host's pid namespace, on a read-only root file system:
#   docker run --pid=host --read-only --cap-drop=ALL --cap-add={BPF,PERFMON,…} --security-opt=seccomp=unconfined \
#     --security-opt=apparmor=unconfined -v /var/lib/emberscope:/var/lib/emberscope IMAGE
# node:20-bookworm-slim is debian:bookworm-slim with Node under /usr/local; another one must have Node's headers too.
ARG NODE_IMAGE=docker.io/library/node:20-bookworm-slim
FROM ${NODE_IMAGE} AS build
WORKDIR /src
# First the list of packages alone, so that a change of the sources installs none anew.
COPY bin/setup/packages.mjs bin/setup/host.mjs bin/setup/run.mjs bin/setup/
RUN node --input-type=module -e "import { installPackages, missingPackages } from '/src/bin/setup/packages.mjs'; \
    installPackages(missingPackages(['build']))"
COPY . .
RUN node bin/setup/rootfs.mjs /rootfs

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="Emberscope agent" \
      org.opencontainers.image.description="Continuous CPU profiles of a whole host by eBPF, exported as OTLP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="The Emberscope authors" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /rootfs/ /
# The directory of a volume belongs to whoever made it; the cache must be ours alone, so it lies below.
ENV NODE_ENV=production EMBERSCOPE_CACHE_DIR=/var/cache/emberscope/tables
VOLUME /var/lib/emberscope
EXPOSE 9464
USER 0:0
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/profile", "agent"]
