"""Taking jobs: what a person submits becomes a row, an event and a 202, or a refusal, in one transaction."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.fpga import refusals, sources
from jupyter_fpga.fpga.config import SubmitOptions
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Move
from jupyter_fpga.fpga.sessions import check_design, hold_of, may_use
from jupyter_fpga.people import Person
from jupyter_fpga.store.tables import idempotency

__all__ = ("run", "submit", "submit_build")


async def submit(
    floor: Floor, person: Person, source: Source, options: SubmitOptions, fpga_id: int | None
) -> dict[str, Any]:
    """Queue a ``build_and_program`` job for one board, for the board that the person holds, or for any."""
    target = _target(floor, options, fpga_id)
    if options.flash:
        _may_write_flash(person)
        _has_flash(floor, options, target, fpga_id)
    kept, request = await _taken(floor, person, source, options, target)

    def work(move: Move) -> dict[str, Any]:
        def accept() -> RowMapping:
            _within_job_quota(move, person)
            sources.remember(move, kept)
            common: dict[str, Any] = {"request": request, "source_digest": kept.digest, "priority": options.priority}
            if fpga_id is None:
                _within_board_quota(move, person)
                if hopeless := floor.hopeless(request["target"], frozenset(options.tags)):
                    raise hopeless
                return move.add_job("build_and_program", person.name, **common)
            board = move.board(fpga_id)
            live = move.session(board["session_id"])
            if board["state"] == "reserved" and live is not None and live["owner"] == person.name:
                hold_of(move, fpga_id, person)
                return move.add_job(
                    "build_and_program", person.name, fpga_id=fpga_id, session_id=live["session_id"], **common
                )
            if board["state"] != "idle" or board["health"] != "ok":
                raise refusals.fpga_not_idle(board)
            _within_board_quota(move, person)
            job = move.add_job("build_and_program", person.name, fpga_id=fpga_id, **common)
            move.move_board(
                fpga_id,
                "submitted",
                take=True,
                job_id=job["job_id"],
                owner=person.name,
                current_job_id=job["job_id"],
            )
            return job

        return _once(move, person, options.idempotency_key, [fpga_id, kept.digest, request, options.priority], accept)

    return await floor.write("submit", work)


async def submit_build(floor: Floor, person: Person, source: Source, options: SubmitOptions) -> dict[str, Any]:
    """Queue a ``build`` job, which needs no board."""
    if options.flash:
        raise refusals.flash_without_board()
    kept, request = await _taken(floor, person, source, options, options.target or floor.config.default_target)

    def work(move: Move) -> dict[str, Any]:
        def accept() -> RowMapping:
            _within_job_quota(move, person)
            sources.remember(move, kept)
            return move.add_job(
                "build", person.name, request=request, source_digest=kept.digest, priority=options.priority
            )

        body = ["build", kept.digest, request, options.priority]
        return _once(move, person, options.idempotency_key, body, accept)

    return await floor.write("submit build", work)


async def run(
    floor: Floor, person: Person, fpga_id: int, transactions: Sequence[dict[str, Any]], design: str | None = None
) -> dict[str, Any]:
    """Queue a ``run`` job on a board that the person holds. Nothing that can't be right reaches the bus."""
    unit = floor.pool[fpga_id]
    # Whose board it is comes first: another's registers are nobody's business.
    may_use(floor, unit, person)
    manifest, known = unit.manifest, unit.registers
    if manifest is None or known is None:
        raise refusals.fpga_not_reserved(unit.row)
    check_design(unit, design)
    known.plan(transactions)

    def work(move: Move) -> dict[str, Any]:
        board, live = hold_of(move, fpga_id, person)
        _within_job_quota(move, person)
        if board["image_digest"] != manifest.digest:
            raise refusals.fpga_not_reserved(board)
        return _accepted(
            move.add_job(
                "run",
                person.name,
                fpga_id=fpga_id,
                session_id=live["session_id"],
                manifest_digest=manifest.digest,
                request={"transactions": list(transactions)},
            )
        )

    return await floor.write("run", work)


async def _taken(
    floor: Floor, person: Person, source: Source, options: SubmitOptions, target: str
) -> tuple[sources.Kept, dict[str, Any]]:
    """The source on disk and the job's request, unless one can tell without the store that it must be refused."""
    _may_have_priority(person, options)
    sources.check(source)
    return await sources.keep(floor.data_dir, source), _request(options, target)


def _target(floor: Floor, options: SubmitOptions, fpga_id: int | None) -> str:
    """The target that the design is built for."""
    if fpga_id is not None:
        found = floor.pool[fpga_id].config.target
        if options.target not in (None, found):
            raise refusals.target_mismatch(fpga_id, found, str(options.target))
        return found
    target = options.target or floor.config.default_target
    if not floor.pool.suitable(target, frozenset(options.tags)):
        raise refusals.target_unknown(target, options.tags, {unit.config.target for unit in floor.pool})
    return target


def _may_write_flash(person: Person) -> None:
    # On somebody's own lab they are an operator. In a shared one, what one leaves in a flash starts with the next.
    if not person.is_operator:
        raise refusals.flash_not_allowed()


def _has_flash(floor: Floor, options: SubmitOptions, target: str, fpga_id: int | None) -> None:
    units = floor.pool.suitable(target, frozenset(options.tags)) if fpga_id is None else [floor.pool[fpga_id]]
    if not all(unit.driver.has_flash for unit in units):
        raise refusals.flash_not_possible(target)


def _request(options: SubmitOptions, target: str) -> dict[str, Any]:
    request = dataclasses.asdict(options)
    for name in ("priority", "idempotency_key"):
        del request[name]
    for name in ("flash", "verify"):
        # A request that was made with a key before there was a choice is the same request.
        if not request[name]:
            del request[name]
    request.update(target=target, tags=list(options.tags), probes=list(options.probes), params=dict(options.params))
    return request


def _may_have_priority(person: Person, options: SubmitOptions) -> None:
    if options.priority > 0 and not person.is_operator:
        raise refusals.priority_not_allowed(options.priority)


def _within_job_quota(move: Move, person: Person) -> None:
    limit, queued = move.config.quotas.max_queued_jobs, move.queued_jobs(person.name)
    if queued >= limit:
        raise refusals.too_many_jobs(queued, limit)


def _within_board_quota(move: Move, person: Person) -> None:
    limit = move.config.quotas.max_held_boards
    if limit is not None and (held := move.held_boards(person.name)) >= limit:
        raise refusals.too_many_boards(held, limit)


def _once(
    move: Move, person: Person, key: str | None, body: Sequence[Any], accept: Callable[[], RowMapping]
) -> dict[str, Any]:
    """Do it, or give the answer that the same request got before under its key."""
    if key is None:
        return _accepted(accept())
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    table = idempotency.c
    known = (
        move.tx.execute(select(idempotency).where(table.owner == person.name, table.key == key))
        .mappings()
        .one_or_none()
    )
    if known is not None:
        if known["body_digest"] != digest:
            raise refusals.idempotency_conflict(key)
        response: dict[str, Any] = known["response"]
        return response
    job = accept()
    move.note_job(job["job_id"], idempotency_key=key)
    answer = _accepted(job)
    row = {"owner": person.name, "key": key, "body_digest": digest, "response": answer, "created_at": move.now}
    move.tx.execute(insert(idempotency), row)
    return answer


def _accepted(job: RowMapping) -> dict[str, Any]:
    return {"job_id": job["job_id"], "fpga_id": job["fpga_id"], "status": "queued"}
