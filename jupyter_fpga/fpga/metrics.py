"""What the lab counts and how it is now, in the form that Prometheus collects."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.states import BOARD_STATES

__all__ = ("FloorCollector", "registry")


class FloorCollector(Collector):
    """Reads the floor's memory when somebody collects; costs nothing in between. Names no owner."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def collect(self) -> Iterable[Metric]:
        """The metrics now."""
        floor = self._floor
        boards = GaugeMetricFamily("jupyter_fpga_boards", "Boards by state", labels=("target", "state"))
        quarantined = GaugeMetricFamily("jupyter_fpga_boards_quarantined", "Boards in quarantine", labels=("target",))
        targets = {unit.config.target for unit in floor.pool}
        states = Counter((u.config.target, u.row["state"]) for u in floor.pool if u.row is not None)
        for target in sorted(targets):
            for state in BOARD_STATES:
                boards.add_metric((target, state), states[target, state])
            quarantined.add_metric((target,), sum(u.quarantined for u in floor.pool if u.config.target == target))
        yield boards
        yield quarantined
        yield GaugeMetricFamily("jupyter_fpga_builds_waiting", "Builds that wait for a slot", value=len(floor.gate))
        yield GaugeMetricFamily(
            "jupyter_fpga_board_waiting", "Finished builds that wait for a board", value=len(floor.queue)
        )
        yield GaugeMetricFamily(
            "jupyter_fpga_streams", "Open streams", value=sum(len(unit.streams) for unit in floor.pool)
        )
        jobs = CounterMetricFamily("jupyter_fpga_jobs", "Jobs that ended", labels=("type", "status"))
        for (type_, status), count in sorted(floor.counts.jobs.items()):
            jobs.add_metric((type_, status), count)
        yield jobs
        yield CounterMetricFamily(
            "jupyter_fpga_stream_frames", "Frames answered on streams", value=floor.counts.stream_frames.total()
        )
        yield CounterMetricFamily(
            "jupyter_fpga_stream_words", "Words moved on streams", value=floor.counts.stream_words.total()
        )
        yield CounterMetricFamily("jupyter_fpga_events", "Events in the log, ever", value=floor.store.events.latest)


def registry(floor: Floor) -> CollectorRegistry:
    """A registry of its own with the floor's metrics, to be joined to others or printed."""
    registry = CollectorRegistry()
    registry.register(FloorCollector(floor))
    return registry
