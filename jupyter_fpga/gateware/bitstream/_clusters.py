"""Logic in clusters: what is evaluated together, or not at all.

In most cycles few signals of a SoC change. A cluster is a set of gates with few outputs; it is evaluated only after
one of its inputs has changed. Clusters are ordered so that each comes after those whose outputs it reads.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ._netlist import ONE, ZERO, Bit, FlipFlop, Gate, Netlist, Ram, Unreadable

__all__ = ("RAM_PORTS", "Cluster", "Clusters", "clusters_of")

#: What each port of a block RAM looks at when its clock has an edge.
RAM_PORTS = {"R": ("RADDR", "RE", "RCLKE"), "W": ("WADDR", "WDATA", "MASK", "WE", "WCLKE")}

#: Gates that are repeated in each cluster that needs them: it takes longer to find out whether their output changed.
_CHEAP = 2

_PORTS: tuple[Literal["R", "W"], ...] = ("R", "W")

#: Gates in a cluster. Larger ones are evaluated more often than they need, smaller ones cost more to keep book of.
_MOST = 24


@dataclass(eq=False)
class Cluster:
    """Gates that are evaluated together.

    Parameters
    ----------
    gates
        In order of evaluation.
    outputs
        Bits that others read.
    flip_flops
        What it prepares the next state of, if anything; or
    ram, port
        the block RAM whose ``"R"`` or ``"W"`` port it prepares.
    reads
        Bits from elsewhere.
    """

    gates: list[Gate] = field(default_factory=list)
    outputs: set[Bit] = field(default_factory=set)
    flip_flops: list[FlipFlop] = field(default_factory=list)
    ram: Ram | None = None
    port: Literal["", "R", "W"] = ""
    reads: set[Bit] = field(default_factory=set)

    @property
    def wants(self) -> Iterable[Bit]:
        """What the next state is made of."""
        for flip_flop in self.flip_flops:
            yield from (flip_flop.data, flip_flop.control.enable, flip_flop.control.reset)
        if self.ram is not None:
            for name in RAM_PORTS[self.port]:
                yield from self.ram.ports.get(name, ())


class Clusters(list[Cluster]):
    """All clusters in order of evaluation; those that prepare a next state last."""

    cheap: dict[Bit, Gate]
    """Gates that belong to no cluster, by their output."""


def clusters_of(netlist: Netlist) -> Clusters:
    """Sort a netlist's logic.

    Raises
    ------
    Unreadable
        Some of it runs in a circle.
    """
    gates = _in_order(netlist.gates)
    cheap = _cheap_gates(gates, netlist)
    states = _states(netlist)
    users = _users(gates, cheap, states)
    kept = set(_kept(netlist))
    home: dict[Bit, Cluster] = {}
    logic: list[Cluster] = []
    for gate in reversed(gates):
        if gate.output in cheap:
            continue
        found = {home.get(user.output) if isinstance(user, Gate) else user for user in users[gate.output]}
        around = {cluster for cluster in found if cluster is not None}
        if not around and gate.output not in kept:
            continue  # nobody reads it
        if len(around) == 1 and gate.output not in kept:
            (cluster,) = around
        else:
            cluster = Cluster(outputs={gate.output})
            logic.append(cluster)
        home[gate.output] = cluster
        cluster.gates.append(gate)
    for cluster in logic + states:
        cluster.gates.reverse()
    return _finish(logic, states, cheap, kept)


def _in_order(gates: list[Gate]) -> list[Gate]:
    """Each after those whose outputs it reads."""
    by_output = {gate.output: gate for gate in gates}
    waiting = {gate: sum(bit in by_output for bit in set(gate.inputs)) for gate in gates}
    readers = defaultdict(list)
    for gate in gates:
        for bit in set(gate.inputs):
            readers[bit].append(gate)
    ordered = [gate for gate in gates if not waiting[gate]]
    for gate in ordered:
        for reader in readers[gate.output]:
            waiting[reader] -= 1
            if not waiting[reader]:
                ordered.append(reader)
    if len(ordered) < len(gates):
        raise Unreadable("logic that runs in a circle")
    return ordered


def _cheap_gates(gates: list[Gate], netlist: Netlist) -> dict[Bit, Gate]:
    kept = set(_kept(netlist))
    cheap: dict[Bit, Gate] = {}
    size: dict[Bit, int] = {}
    for gate in gates:
        cost = 1 + sum(size[bit] for bit in gate.inputs if bit in cheap)
        if cost <= _CHEAP and gate.output not in kept:
            cheap[gate.output] = gate
            size[gate.output] = cost
    return cheap


def _kept(netlist: Netlist) -> Iterable[Bit]:
    """Bits that somebody outside the clusters looks at."""
    for level, enable in netlist.drivers.values():
        yield from (level, enable)
    for flip_flop in netlist.flip_flops:
        yield flip_flop.control.clock
    for ram in netlist.rams:
        yield from (*ram.ports.get("RCLK", ()), *ram.ports.get("WCLK", ()))


def _states(netlist: Netlist) -> list[Cluster]:
    """A cluster for the flip-flops of each tile, which share their controls, and two for each block RAM.

    A RAM's read comes before its write: at the same edge it reads what was there before.
    """
    groups: defaultdict[object, list[FlipFlop]] = defaultdict(list)
    for flip_flop in sorted(netlist.flip_flops, key=lambda one: (one.place, one.output)):
        groups[flip_flop.place[:2], flip_flop.control].append(flip_flop)
    ports = [Cluster(ram=ram, port=port) for ram in netlist.rams for port in _PORTS]
    return [Cluster(flip_flops=group) for group in groups.values()] + ports


def _users(gates: list[Gate], cheap: dict[Bit, Gate], states: list[Cluster]) -> defaultdict[Bit, set[Gate | Cluster]]:
    """Who reads a bit, directly or through cheap gates."""
    users: defaultdict[Bit, set[Gate | Cluster]] = defaultdict(set)

    def use(bit: Bit, user: Gate | Cluster) -> None:
        users[bit].add(user)
        if bit in cheap:
            for behind in cheap[bit].inputs:
                use(behind, user)

    for gate in gates:
        if gate.output not in cheap:
            for bit in gate.inputs:
                use(bit, gate)
    for state in states:
        for bit in state.wants:
            use(bit, state)
    return users


def _finish(logic: list[Cluster], states: list[Cluster], cheap: dict[Bit, Gate], kept: set[Bit]) -> Clusters:
    for cluster in logic + states:
        _find_reads(cluster, cheap)
    logic = _merged(logic, states)
    read = kept.union(*(cluster.reads for cluster in logic + states))
    for cluster in logic:
        cluster.outputs &= read
    result = Clusters([*_sorted(logic), *states])
    result.cheap = cheap
    return result


def _find_reads(cluster: Cluster, cheap: dict[Bit, Gate]) -> None:
    inside = {gate.output for gate in cluster.gates}

    def read(bit: Bit) -> None:
        if bit in cheap:
            for behind in cheap[bit].inputs:
                read(behind)
        elif bit not in inside and bit not in (ZERO, ONE):
            cluster.reads.add(bit)

    for gate in cluster.gates:
        for bit in gate.inputs:
            read(bit)
    for bit in cluster.wants:
        read(bit)


def _merged(logic: list[Cluster], states: list[Cluster]) -> list[Cluster]:
    """Fewer clusters of about the same use.

    Two may become one where that can't close a circle: if the same clusters read both; or if one reads the other, and
    whoever else reads that one prepares a state, from where no logic goes on.
    """
    for _ in range(8):
        readers = _readers(logic, states)
        before = len(logic)
        together: dict[frozenset[int], Cluster] = {}
        for cluster in _sorted(logic):
            key = frozenset(map(id, readers[id(cluster)]))
            first = together.get(key)
            if key and first is not None and len(first.gates) + len(cluster.gates) <= _MOST:
                _absorb(first, cluster)
                logic.remove(cluster)
            else:
                together[key] = cluster
        readers = _readers(logic, states)
        gone: set[int] = set()
        for cluster in _sorted(logic):
            after = [reader for reader in readers[id(cluster)] if reader.outputs]
            if len(after) == 1 and id(after[0]) not in gone and id(cluster) not in gone:
                (next_one,) = after
                if len(next_one.gates) + len(cluster.gates) <= _MOST:
                    gone.add(id(cluster))
                    _absorb(cluster, next_one)
                    next_one.gates, next_one.outputs, next_one.reads = cluster.gates, cluster.outputs, cluster.reads
                    next_one.reads -= next_one.outputs
        logic = [cluster for cluster in logic if id(cluster) not in gone]
        if len(logic) == before:
            break
    return logic


def _absorb(first: Cluster, second: Cluster) -> None:
    first.gates = first.gates + second.gates
    first.outputs = first.outputs | second.outputs
    first.reads = first.reads | second.reads


def _readers(logic: list[Cluster], states: list[Cluster]) -> dict[int, list[Cluster]]:
    maker = {bit: cluster for cluster in logic for bit in cluster.outputs}
    readers: dict[int, dict[int, Cluster]] = {id(cluster): {} for cluster in logic}
    for cluster in logic + states:
        for bit in cluster.reads:
            if bit in maker and maker[bit] is not cluster:
                readers[id(maker[bit])][id(cluster)] = cluster
    return {key: list(found.values()) for key, found in readers.items()}


def _sorted(logic: list[Cluster]) -> list[Cluster]:
    readers = _readers(logic, [])
    waiting = {id(cluster): 0 for cluster in logic}
    for found in readers.values():
        for cluster in found:
            waiting[id(cluster)] += 1
    ordered = [cluster for cluster in logic if not waiting[id(cluster)]]
    for cluster in ordered:
        for reader in readers[id(cluster)]:
            waiting[id(reader)] -= 1
            if not waiting[id(reader)]:
                ordered.append(reader)
    assert len(ordered) == len(logic)
    return ordered
