"""The simulator is a worker of its own, beside the one that builds."""

from jupyter_fpga.compute import Builds
from jupyter_fpga.compute.actions.descriptors import Action
from jupyter_fpga.compute.builds.simulator import SIMULATE, SIMULATION, SimulatorFunctions
from jupyter_fpga.people import Person

from .builds import Make


async def functions(builds: Builds) -> list[tuple[str, set[str]]]:
    workers = await builds.compute.workers(Person("ann"))
    return sorted((worker["name"], {function["name"] for function in worker["functions"]}) for worker in workers)


async def test_each_of_the_labs_workers_is_replaced_by_itself_only(make: Make) -> None:
    builds = await make()
    await builds.compute.install(SimulatorFunctions(builds.cache))
    before = await functions(builds)
    (_, tools), (name, simulator) = before[1:]
    assert (name, simulator) == ("simulator", {SIMULATE})
    assert "elaborate" in tools
    assert SIMULATE not in tools
    await builds.offer()
    await builds.compute.install(SimulatorFunctions(builds.cache))
    assert await functions(builds) == before


async def test_a_simulation_knows_how_long_it_may_take(make: Make) -> None:
    builds = await make()
    for seconds, told in ((None, "60"), (5.0, "5")):
        simulator = SimulatorFunctions(builds.cache, seconds)
        task = await simulator.task(Action(SIMULATE, simulator.versions[SIMULATE], {}, {"entry": "design.py"}), "token")
        assert task.environment == {"LAB_SECONDS": told}
        assert task.limits.wall_seconds == float(told)
        assert task.inputs == {"request.json": b'{"entry": "design.py"}'}
        assert task.required == (SIMULATION,)
