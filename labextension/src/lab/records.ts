/** The lab's records as its API describes them: the fields that are shown somewhere. */

/** `GET …/fpga`. */
export interface IBoard {
  fpga_id: number;
  state: string;
  target: string;
  tags: string[];
  health: string;
  /** Why it is not well, where it isn't. */
  reason?: string | null;
  owner: string | null;
  session: ISession | null;
  current_job_id: string | null;
}

/** Of somebody else's board session, the id is `null`. */
export interface ISession {
  session_id: string | null;
  owner: string;
  expires_at: string;
  remaining_seconds: number;
  /**
   * Of one's own: when the lab last had to program the design again by itself, with whose registers all is lost that
   * was in them.
   */
  registers_lost_at?: string | null;
  /** Digest of what the board runs; only in the answer of `GET …/fpga/{id}/session`. */
  design?: string | null;
}

/** `GET …/jobs`. */
export interface IJob {
  job_id: string;
  fpga_id: number | null;
  type: string;
  status: string;
  stage: string | null;
  build_stage: string | null;
  owner: string;
  created_at: string;
  updated_at: string;
  lsn: number;
  position: number | null;
  eta_seconds: number | null;
  error: { code?: string; stage?: string; reason?: string } | null;
}

/** `GET …/me`. */
export interface IMe {
  name: string;
  roles: string[];
}

/** Whether somebody may touch what others hold, and sees it. */
export function isOperator(me: IMe): boolean {
  return me.roles.includes('operator');
}
