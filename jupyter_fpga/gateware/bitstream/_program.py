"""A netlist in clusters, as C++ against ``harness/fabric.h``."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ._clusters import RAM_PORTS, Cluster, Clusters
from ._netlist import ONE, ZERO, Bit, Gate, Netlist, Ram

__all__ = ("Program",)

_EXPRESSIONS = {
    "NOT": "{0} ^ 1u",
    "BUF": "{0}",
    "AND": "{0} & {1}",
    "NAND": "({0} & {1}) ^ 1u",
    "OR": "{0} | {1}",
    "NOR": "({0} | {1}) ^ 1u",
    "XOR": "{0} ^ {1}",
    "XNOR": "{0} ^ {1} ^ 1u",
    "ANDNOT": "{0} & ~{1}",
    "ORNOT": "{0} | ({1} ^ 1u)",
    # No branch: which way it goes is anybody's guess.
    "MUX": "{0} ^ (({0} ^ {1}) & {2})",
}

_WORD = 64


class Program:
    """The C++ of a netlist: its state, and for each cluster what evaluates it and what a clock edge does to it.

    Parameters
    ----------
    clusters
        Its logic, sorted.
    clock
        The pad whose rising edge is the beginning of a cycle.
    """

    def __init__(self, netlist: Netlist, clusters: Clusters, clock: str) -> None:
        self._netlist = netlist
        self._clusters = clusters
        self._index: dict[Bit, int] = {}
        self._number_values()
        #: Who is to be evaluated when a bit changes. The last cluster has no gates: it notes what the pads do.
        self._readers: defaultdict[Bit, set[int]] = defaultdict(set)
        for number, cluster in enumerate(clusters):
            for bit in cluster.reads:
                self._readers[bit].add(number)
        for bit in [bit for pair in netlist.drivers.values() for bit in pair]:
            self._readers[bit].add(len(clusters))
        main = netlist.pads[clock]
        #: Clocks, and the edge of each that counts: first both of the board's own, then what the design makes of it.
        self._domains = [(main, True), (main, False)]
        for cluster in clusters:
            if (domain := _domain(cluster)) is not None and domain not in self._domains:
                self._domains.append(domain)
        rams = [id(cluster.ram) for cluster in clusters if cluster.port == "R"]
        self._rams = {identity: number for number, identity in enumerate(rams)}

    def _number_values(self) -> None:
        """Places of values: flip-flops of a cluster side by side, as a clock edge moves them all at once."""

        def number(bits: Iterable[Bit]) -> None:
            for bit in bits:
                if bit not in (ZERO, ONE):
                    self._index.setdefault(bit, len(self._index))

        number(sorted(self._netlist.inputs))
        for cluster in self._clusters:
            number(flip_flop.output for flip_flop in cluster.flip_flops)
            if cluster.ram is not None and cluster.port == "R":
                number(cluster.ram.ports["RDATA"])
        for cluster in self._clusters:
            number(sorted(cluster.outputs))

    @property
    def signals(self) -> list[tuple[str, str]]:
        """Names of flip-flops, by the places where they are, and the expression for their value."""
        return [
            ("ff_{}_{}_{}".format(*flip_flop.place), self.value(flip_flop.output))
            for cluster in self._clusters
            for flip_flop in cluster.flip_flops
            if any(flip_flop.place)
        ]

    def value(self, bit: Bit) -> str:
        """The C++ expression for a bit of the state ``s``, 0 or 1."""
        return f"{bit}u" if bit in (ZERO, ONE) else f"s.v[{self._index[bit]}]"

    def input(self, pad: str, level: str) -> str:
        """The C++ statement that drives a pad from outside; nothing where no logic looks at it."""
        bit = self._netlist.pads.get(pad)
        if bit is None or bit not in self._netlist.inputs:
            return ""
        return f"if ({self.value(bit)} != ({level})) {{ {self.value(bit)} ^= 1; {self._wake(self._readers[bit])}}}"

    def functions(self) -> list[str]:
        """For each cluster what evaluates it, ``e…``, and what an edge of its clock does, ``k…``."""
        return [
            text
            for number, cluster in enumerate(self._clusters)
            for text in (self._evaluate(number, cluster), self._commit(number, cluster))
            if text
        ]

    def declarations(self) -> str:
        """What functions and tables need."""
        words = len(self._clusters) // _WORD + 1
        functions = "".join(f"{text.partition(' {')[0]};\n" for text in self.functions())
        return (
            f"struct Sizes {{\n  static constexpr unsigned values = {len(self._index) or 1}, words = {words}, "
            f"domains = {len(self._domains)}, rams = {len(self._rams) or 1}, last = {len(self._clusters)};\n}};\n"
            f"using S = State<Sizes>;\nvoid pads(S &s);\n{functions}"
        )

    def tables(self) -> str:
        """Clusters, clocks, and the contents of block RAMs."""
        clusters = [
            f"{{e{number}, {f'k{number}' if self._commit(number, cluster) else 'nullptr'}}}"
            for number, cluster in enumerate(self._clusters)
        ]
        clocks = [f"{{{self._clock(bit)}, {int(rising)}}}" for bit, rising in self._domains]
        rows = [
            "{" + ", ".join(map(str, cluster.ram.words)) + "}"
            for cluster in self._clusters
            if cluster.ram is not None and cluster.port == "R"
        ]
        return (
            f"const ClusterOf<Sizes> kClusters[] = {{{', '.join(clusters)}, {{pads, nullptr}}}};\n"
            f"const Clock kClocks[] = {{{', '.join(clocks)}}};\n"
            f"const uint16_t kContents[][256] = {{{', '.join(rows) or '{0}'}}};\n"
        )

    @property
    def has_falling(self) -> bool:
        """Whether anything happens at the falling edge of the board's own clock."""
        return any(_domain(cluster) == self._domains[1] for cluster in self._clusters)

    def _clock(self, bit: Bit) -> str:
        # A clock that never moves has no edge; its place doesn't matter.
        return str(self._index.get(bit, 0)) if bit not in (ZERO, ONE) else "kNoClock"

    def _wake(self, numbers: Iterable[int]) -> str:
        """Statements that have clusters evaluated."""
        masks: defaultdict[int, int] = defaultdict(int)
        for number in numbers:
            masks[number // _WORD] |= 1 << number % _WORD
        return "".join(f"s.dirty[{word}] |= {mask:#x}u; " for word, mask in sorted(masks.items()))

    def _evaluate(self, number: int, cluster: Cluster) -> str:
        body = _Body(self, cluster)
        if cluster.flip_flops:
            lines = self._prepare(number, cluster, body)
        elif cluster.ram is not None:
            lines = self._prepare_port(number, cluster, cluster.ram, body)
        else:
            lines = self._output(cluster, body)
        return f"void e{number}(S &s) {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"

    def _output(self, cluster: Cluster, body: "_Body") -> list[str]:
        lines = []
        outputs = sorted(cluster.outputs)
        values = {bit: body.local(bit) for bit in outputs}
        groups: defaultdict[frozenset[int], list[Bit]] = defaultdict(list)
        for bit in outputs:
            groups[frozenset(self._readers[bit])].append(bit)
        for readers, bits in groups.items():
            changed = " | ".join(f"({self.value(bit)} ^ {values[bit]})" for bit in bits)
            stores = "".join(f"{self.value(bit)} = {values[bit]}; " for bit in bits)
            lines.append(f"if ({changed}) {{ {stores}{self._wake(readers)}}}")
        return [*body.lines, *lines]

    def _prepare(self, number: int, cluster: Cluster, body: "_Body") -> list[str]:
        control = cluster.flip_flops[0].control
        enable, reset = body.local(control.enable), body.local(control.reset)
        on = enable if control.enable_level else f"({enable} ^ 1u)"
        off = reset if control.reset_level else f"({reset} ^ 1u)"
        has_reset = control.reset != (ZERO if control.reset_level else ONE)
        first = [*body.lines, "unsigned changed = 0;"]
        to_reset = [self._next(one.output, f"{int(one.reset_value)}u") for one in cluster.flip_flops]
        body.lines = []
        # What only the data are made of is evaluated only if they count.
        data = [self._next(one.output, body.local(one.data)) for one in cluster.flip_flops]
        load = " ".join([*body.lines, *data])
        word, mask = number // _WORD, f"{1 << number % _WORD:#x}u"
        if has_reset and control.asynchronous:
            urgent = f"if (changed) s.urgent[{word}] |= {mask};"
            first.append(f"if ({off}) {{ {' '.join(to_reset)} {urgent} changed = 0; }} else if ({on}) {{ {load} }}")
        elif has_reset and control.enabled_reset:
            first.append(f"if ({on}) {{ if ({off}) {{ {' '.join(to_reset)} }} else {{ {load} }} }}")
        elif has_reset:
            first.append(f"if ({off}) {{ {' '.join(to_reset)} }} else if ({on}) {{ {load} }}")
        else:
            first.append(f"if ({on}) {{ {load} }}")
        return [*first, self._pend(number, cluster, "changed")]

    def _next(self, output: Bit, level: str) -> str:
        place = self._index[output]
        return f"s.n[{place}] = {level}; changed |= s.n[{place}] ^ s.v[{place}];"

    def _pend(self, number: int, cluster: Cluster, condition: str) -> str:
        domain = _domain(cluster)
        assert domain is not None
        return f"s.pend({self._domains.index(domain)}, {number}, {condition});"

    def _prepare_port(self, number: int, cluster: Cluster, ram: Ram, body: "_Body") -> list[str]:
        place = f"s.rams[{self._rams[id(ram)]}]"
        names = {"RADDR": "read_address", "WADDR": "write_address", "WDATA": "data", "MASK": "mask"}
        on = []
        lines = []
        for name in RAM_PORTS[cluster.port]:
            # An enable that leads nowhere is on, as icebox says.
            bits = ram.ports.get(name) or (ONE,)
            if name in names:
                parts = [
                    f"{body.local(bit)} << {index}" if index else body.local(bit)
                    for index, bit in enumerate(bits)
                    if bit != ZERO
                ]
                lines.append(f"{place}.{names[name]} = uint16_t({' | '.join(parts) or '0'});")
            else:
                on.append(body.local(bits[0]))
        condition = " & ".join(on)
        if cluster.port == "R":
            lines.append(f"{place}.reading = {condition};")
            condition = f"{place}.reading"
        return [*body.lines, *lines, self._pend(number, cluster, condition)]

    def _commit(self, number: int, cluster: Cluster) -> str:
        """What an edge of its clock does; nothing for logic alone."""
        if cluster.flip_flops:
            outputs = [one.output for one in cluster.flip_flops]
            first = self._index[outputs[0]]
            readers = set().union(*(self._readers[bit] for bit in outputs))
            body = f"std::memcpy(s.v + {first}, s.n + {first}, {len(outputs)}); {self._wake(readers)}"
        elif cluster.ram is not None and cluster.port == "R":
            body = self._read(number, cluster, cluster.ram)
        elif cluster.ram is not None:
            ram = cluster.ram
            # Whoever reads, and goes on reading the same word, sees the new one after the next edge.
            place = f"s.rams[{self._rams[id(ram)]}]"
            again = self._pend(number - 1, self._clusters[number - 1], f"{place}.reading")
            body = f"{place}.write<{ram.write_mode}>(); {again} "
        else:
            return ""
        return f"void k{number}(S &s) {{ {body}}}\n"

    def _read(self, number: int, cluster: Cluster, ram: Ram) -> str:
        data = ram.ports["RDATA"]
        readers = set().union(*(self._readers[bit] for bit in data))
        stores = "".join(
            f"{self.value(bit)} = data >> {index} & 1; " for index, bit in enumerate(data) if bit in self._index
        )
        place = f"s.rams[{self._rams[id(ram)]}]"
        return (
            f"const unsigned data = s.awake ? {place}.read<{ram.read_mode}>() : 0; "
            f"if (!s.awake) {self._pend(number, cluster, 'true')} "
            f"if (data != {place}.shown) {{ {place}.shown = uint16_t(data); {stores}{self._wake(readers)}}} "
        )


class _Body:
    """Statements that evaluate gates of a cluster, those that are asked for, each once."""

    def __init__(self, program: Program, cluster: Cluster) -> None:
        self._program = program
        self._gates: dict[Bit, Gate] = {gate.output: gate for gate in cluster.gates}
        self._cheap = program._clusters.cheap
        self._done: dict[Bit, str] = {}
        self.lines: list[str] = []

    def local(self, bit: Bit) -> str:
        """The name of a value."""
        if bit in (ZERO, ONE):
            return f"{bit}u"
        if bit in self._done:
            return self._done[bit]
        for gate in self._missing(bit):
            inputs = [self.local(one) for one in gate.inputs]
            name = f"t{gate.output}"
            self.lines.append(f"const unsigned {name} = {_EXPRESSIONS[gate.kind].format(*inputs)};")
            self._done[gate.output] = name
        if bit not in self._done:
            self._done[bit] = f"t{bit}"
            self.lines.append(f"const unsigned t{bit} = {self._program.value(bit)};")
        return self._done[bit]

    def _missing(self, bit: Bit) -> Iterator[Gate]:
        """Gates to be evaluated before ``bit`` is known, in order. No recursion: a chain of carries is long."""
        stack = [bit]
        while stack:
            top = stack[-1]
            gate = self._gates.get(top) or self._cheap.get(top)
            if gate is None or top in self._done:
                stack.pop()
                continue
            before = [
                one for one in gate.inputs if one not in self._done and (one in self._gates or one in self._cheap)
            ]
            if before:
                stack += before
            else:
                stack.pop()
                yield gate


def _domain(cluster: Cluster) -> tuple[Bit, bool] | None:
    """The clock of what a cluster prepares, and the edge of it."""
    if cluster.flip_flops:
        control = cluster.flip_flops[0].control
        return control.clock, control.rising
    if cluster.ram is not None:
        rising = cluster.ram.read_rising if cluster.port == "R" else cluster.ram.write_rising
        return (cluster.ram.ports.get(f"{cluster.port}CLK") or (ZERO,))[0], rising
    return None
