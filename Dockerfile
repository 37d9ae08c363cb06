# livecaptions in a container: gateway, worker or both, by the command that follows (serve | gateway | worker | topics ...).
#   docker build .                  for CPUs
#   docker build --target cuda .    for NVIDIA GPUs: the same and cuBLAS
# Behind a proxy that signs with a certificate of its own: mount the bundle (podman build --volume), or put it into BASE,
# and name it with --build-arg SSL_CERT_FILE.
ARG BASE=docker.io/library/debian:bookworm-slim
ARG UV=ghcr.io/astral-sh/uv:0.13.9
# CTranslate2 loads libcublas.so.12 and needs nothing else of CUDA, cuDNN neither
ARG CUDA_BASE=docker.io/nvidia/cuda:12.9.1-runtime-ubuntu24.04

FROM ${UV} AS uv

FROM ${CUDA_BASE} AS cublas
RUN mkdir /cublas && cp -L /usr/local/cuda/lib64/libcublas.so.12 /usr/local/cuda/lib64/libcublasLt.so.12 /cublas/

FROM ${BASE} AS python
# a pinned Debian package is gone after its next security fix
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get upgrade -y \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb

FROM python AS build
COPY --from=uv /uv /usr/local/bin/uv
ARG SSL_CERT_FILE
# compiled here: the root of the end image is read-only
ENV UV_PYTHON=/usr/bin/python3 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY livecaptions_client/pyproject.toml livecaptions_client/
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --extra tiny --extra traces --no-install-workspace
COPY captions captions
COPY auth auth
COPY streamer streamer
COPY inference inference
COPY transport transport
COPY monitoring monitoring
COPY livecaptions livecaptions
COPY livecaptions_client livecaptions_client
# built anew: uv's cache knows a project by its pyproject.toml, not by its code
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --extra tiny --extra traces --no-editable \
    --reinstall-package livecaptions --reinstall-package livecaptions-client \
 && rm .venv/.lock

# what the image contains: docs/supply-chain.md
FROM build AS sbom
ARG SSL_CERT_FILE
COPY tools/sbom.py tools/
RUN --mount=type=cache,target=/root/.cache/uv \
    UV_PROJECT_ENVIRONMENT=/sbom uv sync --locked --only-group sbom \
 && /sbom/bin/python tools/sbom.py --debian /app/.venv/bin/python sbom.cdx.json

FROM python AS runtime
# no program of this image has to be another user
RUN useradd --uid 10001 --create-home --home-dir /var/cache/livecaptions --shell /usr/sbin/nologin captions \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /app/.venv /app/.venv
COPY --from=sbom /app/sbom.cdx.json /app/
# models that are fetched go to HF_HOME; every role answers on 8080
ENV PATH=/app/.venv/bin:$PATH HF_HOME=/var/cache/livecaptions \
    LIVECAPTIONS_HOST=0.0.0.0 LIVECAPTIONS_PORT=8080 LIVECAPTIONS_METRICS_PORT=8080 LIVECAPTIONS_LOG_FORMAT=json
USER 10001:10001
VOLUME /var/cache/livecaptions
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-m", "livecaptions.commands.health"]
ENTRYPOINT ["livecaptions"]
CMD ["serve"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="livecaptions" \
      org.opencontainers.image.description="Streaming live captions: audio in over a WebSocket, captions out whose stable words stand still." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM runtime AS cuda
USER 0
COPY --from=cublas /cublas /usr/local/lib/
RUN ldconfig
# without a GPU it ends and says so, instead of decoding slowly on the CPU
ENV LIVECAPTIONS_DEVICE=cuda NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001

FROM runtime AS cpu
