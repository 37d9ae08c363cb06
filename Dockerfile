# Gateway, worker or both, by the command that follows: livecaptions serve | gateway | worker | topics ...
FROM python:3.11-slim AS build
RUN pip install --no-cache-dir uv
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --locked --no-default-groups --extra tiny --no-install-project
COPY captions captions
COPY streamer streamer
COPY inference inference
COPY transport transport
COPY monitoring monitoring
COPY livecaptions livecaptions
RUN uv sync --locked --no-default-groups --extra tiny --no-editable

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home captions
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH LIVECAPTIONS_HOST=0.0.0.0
USER captions
EXPOSE 8080
ENTRYPOINT ["livecaptions"]
CMD ["serve"]
