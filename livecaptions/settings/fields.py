"""The settings, in groups. Each description gives the unit, and the reason for the default.

The keys are flat: ``port`` in a file, ``--port`` on the command line, ``LIVECAPTIONS_PORT`` in the environment.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from captions.language import LANGUAGE_PATTERN, LanguageTags
from captions.segmenter import SegmenterSettings
from captions.stability import DEFAULT as DEFAULT_STABILITY
from captions.stability import Stability
from inference.engine import FinalWindow, WhisperSettings
from inference.second_pass import RefineSettings
from inference.settings import WorkerSettings
from livecaptions.server.connections import ConnectionLimits
from livecaptions.settings.access import Access, Accounts, Browsers
from livecaptions.settings.allowances import Allowances
from streamer.settings import GatewaySettings
from streamer.vad import DetectorName
from transport.kafka.settings import Compression, KafkaSettings, Login

ENV_PREFIX = "LIVECAPTIONS_"

# each default is defined once, in the package that uses it
_GATEWAY = GatewaySettings()
_SEGMENTER = SegmenterSettings()
_WORKER = WorkerSettings()
_WHISPER = WhisperSettings()
_REFINE = RefineSettings()
_CONNECTIONS = ConnectionLimits()
_KAFKA = KafkaSettings(bootstrap=())

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Listening(BaseModel):
    """Where clients connect."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on. 127.0.0.1: this machine only. 0.0.0.0: all networks."
    )
    port: int = Field(8080, ge=0, le=65535, description="Port of sockets, pages and metrics alike; 0 takes a free one.")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of a worker's health and metrics, and of a gateway's by metrics_access; 0 takes a free one.",
    )
    metrics_access: Literal["open", "operate", "port"] = Field(
        "open",
        description="Who may read a gateway's /metrics. operate: tokens with that right; port: on metrics_port only.",
    )


class Model(BaseModel):
    """The speech model and where it runs."""

    model: str = Field(
        "auto",
        description="A model's name or folder. auto: large-v3-turbo on a GPU, base.en on a CPU, tiny.en offline.",
    )
    models: tuple[str, ...] = Field(
        (), description="Further models that a worker loads; rooms_file says which rooms use them."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes a GPU where there is one.")
    compute_type: str = Field("default", description="CTranslate2's type; default is int8 on a CPU, float16 on a GPU.")
    threads: int = Field(
        0,
        ge=0,
        description="CPU threads of one decode; 0: one, up to four for larger models, or a share of the cores.",
    )
    decoders: int = Field(
        0, ge=0, le=64, description="Batches decoded at the same time; 0: as many as the cores hold, two on a GPU."
    )
    language: str = Field(
        _GATEWAY.language,
        pattern=LANGUAGE_PATTERN,
        description="Of sessions that name none: a BCP 47 tag, or auto to detect it.",
    )
    languages: LanguageTags = Field(
        _GATEWAY.languages,
        description="The languages that auto looks among, as BCP 47 tags; none: all that the model knows.",
    )


class Segmenting(BaseModel):
    """How a stream of audio becomes utterances."""

    vad: DetectorName = Field("cascade", description="The speech detector: docs/voice-activity.md.")
    pre_roll: Seconds = Field(
        _SEGMENTER.pre_roll, description="Seconds sent from before speech was detected: soft onsets."
    )
    endpoint: Seconds = Field(
        _SEGMENTER.endpoint, description="Seconds of non-speech that end an utterance, where a publisher asks for none."
    )
    longest_utterance: float = Field(
        _SEGMENTER.longest, ge=2, le=28, description="Seconds; cut at its quietest point. Whisper hears 30."
    )


class Decoding(BaseModel):
    """How utterances become captions."""

    partial_interval: Seconds = Field(
        _WORKER.partial_interval, description="Seconds of new audio between two partial decodes, when idle."
    )
    stability: Stability = Field(
        DEFAULT_STABILITY,
        description="fast revises at once; balanced takes fewer words back; calm the fewest, later: docs/stability.md.",
    )
    max_batch: Count = Field(
        _WORKER.max_batch, description="Windows decoded together; larger ones gain little and wait longer."
    )
    beam_size: Count = Field(
        _WHISPER.beam_size,
        description="Beams of a final decode; 2 save a tenth of its work and lose up to a point in noise.",
    )
    final_window: FinalWindow = Field(
        _WHISPER.final_window,
        description="Silence computed behind a final's audio: short saves nearly a quarter of its work and may be less "
        "accurate; full is all that fills 30 s, for nearly twice the work.",
    )
    orphan_timeout: Seconds = Field(
        _WORKER.orphan_timeout,
        description="Seconds after which a worker ends an utterance whose audio stopped coming without an end.",
    )
    most_buffered: Seconds = Field(
        _WORKER.most_buffered, description="Seconds of audio that a worker holds before it reads no further."
    )
    attempts: Count = Field(
        _WORKER.attempts, description="Tries at a decode that fails before its utterance is given up."
    )


class SecondPass(BaseModel):
    """How finished speech is decoded again, in long windows: docs/operations.md."""

    refine: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Decode finished speech again in `serve`, while live captions leave time. auto: if refine_model is "
        "set.",
    )
    refine_model: str | None = Field(
        None, description="The model of the second pass, a name or a folder; none: those of the live captions."
    )
    refine_within: float = Field(
        _REFINE.within,
        ge=10,
        allow_inf_nan=False,
        description="Seconds after its end in which a caption may change; a second pass that is later is given up.",
    )

    @property
    def refines(self) -> bool:
        """Whether ``serve`` does the second pass."""
        return self.refine == "on" or (self.refine == "auto" and self.refine_model is not None)


class Sessions(BaseModel):
    """Publishers' sessions and how long things are waited for."""

    resume_window: Seconds = Field(
        _GATEWAY.resume_window, description="Seconds a lost publisher may take to resume its session."
    )
    close_window: Seconds = Field(
        _GATEWAY.close_window,
        description="Seconds a publisher that closed its connection without `end` may take to resume its session.",
    )
    stall_timeout: Seconds = Field(
        _GATEWAY.stall_timeout, description="Seconds without audio after which an open utterance is ended."
    )
    idle_timeout: Seconds = Field(
        _GATEWAY.idle_timeout,
        description="Seconds without audio or keepalive after which a publisher counts as lost.",
    )
    drain_deadline: Seconds = Field(25.0, description="Seconds a stop may take; Kubernetes kills after 30.")


class Limits(BaseModel):
    """What one server takes on."""

    max_sessions: Count = Field(
        _GATEWAY.max_sessions, description="Publishers at a time; more are told to come back later."
    )
    max_tracks: Count = Field(_GATEWAY.max_tracks, description="Publishers at a time in one room.")
    max_viewers: Count = Field(_GATEWAY.max_viewers, description="Viewers at a time; more are told to come back later.")
    overload_after: Seconds = Field(
        _GATEWAY.overload_after, description="Seconds a final may be late before new sessions are refused."
    )
    max_unacknowledged: Count = Field(
        _GATEWAY.max_unacknowledged,
        description="Bytes of audio of a publisher that may wait for their acknowledgement.",
    )
    max_connections: Count = Field(
        _CONNECTIONS.total,
        description="Open connections at a time, fewer if the system allows fewer open files; more are refused.",
    )
    max_per_address: Count = Field(
        _CONNECTIONS.per_address,
        description="Open connections of one address at a time. There is no such limit for trusted_proxies.",
    )
    request_timeout: Seconds = Field(
        _CONNECTIONS.request_timeout, description="Seconds that a client may take to send the head of a request."
    )
    viewer_backlog: Count = Field(
        _GATEWAY.viewer_backlog,
        description="Messages that may wait for a viewer who reads slowly; then it is disconnected.",
    )


class Transport(BaseModel):
    """The log between gateways and workers."""

    transport: str = Field(
        "memory", description="memory, within one process; or kafka://HOST:PORT[,HOST:PORT...] between many."
    )
    partitions: Count = Field(
        32,
        description="Partitions of a topic. Choose more than you will ever have workers: a change moves tracks.",
    )
    replication: Count = Field(1, description="Copies of each topic that `topics` makes; 3 survives a broker's death.")
    kafka_prefix: str = Field(
        _KAFKA.prefix, description="Put before topic and group names: installations can share a cluster."
    )
    kafka_session_timeout: Seconds = Field(
        _KAFKA.session_timeout,
        description="Seconds until a dead worker is replaced; brokers refuse less than their minimum.",
    )
    kafka_start_timeout: Seconds = Field(
        _KAFKA.start_timeout, description="Seconds that brokers are waited for at start."
    )
    kafka_compression: Compression = Field(_KAFKA.compression, description="Of records: docs/kafka.md.")
    kafka_tls: bool = Field(_KAFKA.tls, description="Connect with TLS.")
    kafka_tls_ca: str | None = Field(None, description="A file of certificate authorities; else the system's.")
    kafka_tls_certificate: str | None = Field(None, description="Our own certificate, where brokers ask for one.")
    kafka_tls_key: str | None = Field(None, description="Its key.")
    kafka_sasl: Login = Field(_KAFKA.sasl, description="How to log in; PLAIN needs TLS to be safe.")
    kafka_username: str | None = Field(None, description="Of the login.")
    kafka_password: SecretStr | None = Field(None, description="Of the login; better in the environment than a flag.")


class Retention(BaseModel):
    """What the log keeps."""

    log_bytes: Count = Field(
        256 * 1024 * 1024, description="Bytes of audio that the log in memory holds: over two hours of speech."
    )
    captions_bytes: Count = Field(
        _GATEWAY.history_bytes,
        description="Bytes of finals that rooms hold for late viewers, and the log in memory again: 45,000 finals.",
    )
    audio_retention: float = Field(
        600.0,
        ge=120,
        allow_inf_nan=False,
        description="Seconds audio is kept: the longest that all workers may be gone on Kafka.",
    )
    captions_retention: Seconds = Field(24 * 3600.0, description="Seconds finals can be replayed: a conference day.")


class Output(BaseModel):
    """What the server says of itself."""

    tenant_metrics: bool = Field(
        False, description="Sessions and audio by tenant too: a series for each of the first 100 tenants."
    )
    log_format: Literal["console", "json"] = Field("console", description="json for machines that collect logs.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level shown.")
    audit_file: Path | None = Field(
        None, description="A file for the audit log, in lines of JSON; none: among the other log lines."
    )
    audit_views: bool = Field(
        False, description="Viewers in the audit log too: a large hall writes a line for every one that comes or goes."
    )
    traces_endpoint: AnyHttpUrl | None = Field(
        None, description="Address of an OTLP/HTTP collector that gets a trace of each utterance; none: no traces."
    )
    traces_sample: Probability | None = Field(
        None, description="Share of utterances that are traced; none: what OTEL_TRACES_SAMPLER says, else all."
    )


class Rooms(BaseModel):
    """What is set for rooms."""

    rooms_file: Path | None = Field(
        None,
        description="A TOML file with vocabulary, language, model and retention of rooms; read again when it changes.",
    )


class Settings(
    Accounts,
    Access,
    Rooms,
    Output,
    Retention,
    Transport,
    Allowances,
    Limits,
    Sessions,
    SecondPass,
    Decoding,
    Segmenting,
    Model,
    Browsers,
    Listening,
    BaseSettings,
):
    """All of them; pydantic lists the fields of the last base first."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    @classmethod
    def group_of(cls, name: str) -> str:
        """The group that ``name`` belongs to, as help and ``check-config`` show it."""
        return next(base.__name__ for base in cls.__mro__[1:] if name in base.__annotations__)
