"""One run of ``livecaptions bench capacity``: our server, then each peer, then the comparison."""

from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from bench.capacity import report
from bench.capacity.compared import compare
from bench.capacity.goals import PEERS as PEER_GOALS
from bench.capacity.goals import goals_of
from bench.capacity.level import Level
from bench.capacity.peers import PEERS
from bench.capacity.plot import picture
from bench.capacity.ramp import MAX_STREAMS, plan_of
from bench.capacity.recordings import Loop, load
from bench.capacity.run import climb
from bench.capacity.systems import Livecaptions
from captions.errors import SetupError
from inference.engine.parallelism import available_cores
from inference.models import resolve
from livecaptions.processes import exit_on_signals
from livecaptions_client.address import check_address


@dataclass(frozen=True, kw_only=True)
class Session:
    """The options of the command."""

    url: str | None
    streams: str
    audio: str
    seconds: float
    peers: tuple[str, ...]
    model: str
    threads: int
    decoders: int
    cores: int | None
    pids: tuple[int, ...]
    language: str
    token: str | None
    goals: tuple[str, ...]

    def check(self) -> None:
        """Raise ``SetupError`` if options contradict each other, or ``AddressError`` if the URL is invalid."""
        if unknown := set(self.peers) - set(PEERS):
            raise SetupError(f"--peer {', '.join(sorted(unknown))}: known peers are {' and '.join(PEERS)}")
        if self.url is not None:
            check_address(self.url)
        elif self.pids:
            raise SetupError("--pid needs --url: it names processes of that server")

    @property
    def given_cores(self) -> int | None:
        """The cores of the server; None if it may run on another machine."""
        if self.url is not None and not self.pids:
            return None
        return self.cores or available_cores()


def measure(session: Session, *, json: Path | None, plot: Path | None) -> None:
    """Measure and print the results. Raises ``SetupError`` before anything is started if an option is wrong."""
    plan, goals = plan_of(session.streams), goals_of(session.goals)
    session.check()
    for file in (json, plot):
        if file is not None and not file.resolve().parent.is_dir():
            raise SetupError(f"{file} cannot be written: its folder does not exist")
    loop = Loop(load(session.audio))
    exit_on_signals()
    console = Console()

    def progress(level: Level, broken: list[str]) -> None:
        verdict = "; ".join(broken) or "held"
        console.print(f"{level.system}, {level.streams} streams: {verdict}", style="dim", markup=False, highlight=False)

    folder = None if session.url is not None and not session.peers else resolve(session.model, progress=True).path
    flags = ["--model", str(folder), "--threads", str(session.threads), "--decoders", str(session.decoders)]
    flags += ["--max-sessions", str(2 * MAX_STREAMS)]
    ours = Livecaptions(
        url=session.url,
        pids=session.pids,
        flags=flags,
        cores=session.cores,
        language=session.language,
        token=session.token,
    )
    results = [climb(ours, loop, session.seconds, plan=plan, goals=goals, report=progress)]
    for name in session.peers:
        if folder is not None:
            peer = PEERS[name](folder, session.language, session.cores)
            results.append(climb(peer, loop, session.seconds, plan=plan, goals=PEER_GOALS, report=progress))
    compared = [found for result in results[1:] if (found := compare(results[0], result)) is not None]
    report.show(console, results, compared, session.given_cores)
    settings = {**asdict(session), "token": None, "goals": asdict(goals), "peer_goals": asdict(PEER_GOALS)}
    if json is not None:
        report.write(json, results, compared, settings)
    if plot is not None:
        picture(results, goals, plot)
