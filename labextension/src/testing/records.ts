import type { IBoard, IJob } from '../lab/records';

/** A board that is free, or else what is said. */
export function board(fpgaId: number, more: Partial<IBoard> = {}): IBoard {
  return {
    fpga_id: fpgaId,
    state: 'idle',
    target: 'simulated',
    tags: [],
    health: 'ok',
    owner: null,
    session: null,
    current_job_id: null,
    ...more
  };
}

/** A board of one's own, for so many seconds. */
export function held(fpgaId: number, seconds: number, session = `session-${fpgaId}`): IBoard {
  return board(fpgaId, {
    state: 'reserved',
    owner: 'ada',
    session: {
      session_id: session,
      owner: 'ada',
      expires_at: new Date(Date.now() + seconds * 1000).toISOString(),
      remaining_seconds: seconds
    }
  });
}

/** A board of somebody else's. */
export function heldBy(owner: string, fpgaId: number): IBoard {
  const { session, ...rest } = held(fpgaId, 600);
  return { ...rest, owner, session: session && { ...session, session_id: null, owner } };
}

/** A build that waits, or else what is said. */
export function job(jobId: string, lsn: number, more: Partial<IJob> = {}): IJob {
  return {
    job_id: jobId,
    fpga_id: null,
    type: 'build_and_program',
    status: 'queued',
    stage: null,
    build_stage: null,
    owner: 'ada',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    lsn,
    position: null,
    eta_seconds: null,
    error: null,
    ...more
  };
}
