/** The lab's machine words and numbers as people read them. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { IBoard, IJob } from './lab/records';

/** How a board is, in a word. */
export function stateWord(trans: TranslationBundle, board: IBoard): string {
  if (board.health === 'quarantined') {
    return trans.__('out of order');
  }
  if (board.health === 'unplugged') {
    return trans.__('unplugged');
  }
  switch (board.state) {
    case 'idle':
      return trans.__('free');
    case 'queued':
      return trans.__('waiting');
    case 'building':
      return trans.__('building');
    case 'programming':
      return trans.__('programming');
    case 'reserved':
      return board.session === null ? trans.__('resetting') : trans.__('in use');
    case 'error':
      return trans.__('failed');
    default:
      return board.state;
  }
}

/** What a board's place in a list looks like: one of a few looks, each with an icon of its own. */
export function stateLook(board: IBoard): 'free' | 'busy' | 'held' | 'mine' | 'failed' {
  if (board.state === 'error' || board.health === 'quarantined' || board.health === 'unplugged') {
    return 'failed';
  }
  if (board.session?.session_id) {
    return 'mine';
  }
  if (board.state === 'reserved' && board.session !== null) {
    return 'held';
  }
  return board.state === 'idle' ? 'free' : 'busy';
}

/** Whether somebody can have it now. */
export function isFree(board: IBoard): boolean {
  return stateLook(board) === 'free';
}

/** How many of them somebody can have now. */
export function freeBoards(trans: TranslationBundle, boards: readonly IBoard[]): string {
  return trans._n('%2 of %1 board free', '%2 of %1 boards free', boards.length, boards.filter(isFree).length);
}

/** `4:59` in the last five minutes, `59 min`, `1 h 05 min`. */
export function timeLeft(trans: TranslationBundle, seconds: number): string {
  const whole = Math.floor(seconds);
  const pad = (number: number): string => String(number).padStart(2, '0');
  if (whole < 300) {
    return `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
  }
  if (whole < 3600) {
    return trans.__('%1 min', Math.floor(whole / 60));
  }
  return trans.__('%1 h %2 min', Math.floor(whole / 3600), pad(Math.floor((whole % 3600) / 60)));
}

/** `about 40 s`, `about 3 min`. */
export function aboutTime(trans: TranslationBundle, seconds: number): string {
  return seconds < 90
    ? trans.__('about %1 s', Math.max(1, Math.round(seconds)))
    : trans.__('about %1 min', Math.round(seconds / 60));
}

/** What a job is: `Build for board 3`. */
export function jobTitle(trans: TranslationBundle, job: IJob): string {
  switch (job.type) {
    case 'build_and_program':
      return job.fpga_id === null ? trans.__('Build for any board') : trans.__('Build for board %1', job.fpga_id);
    case 'reset':
      return trans.__('Reset of board %1', job.fpga_id ?? '?');
    case 'run':
      return trans.__('Access to board %1', job.fpga_id ?? '?');
    default:
      return trans.__('Build');
  }
}

/** How far it is: `running: synthesize`, `waiting, place 3, about 40 s`, `failed: …`. */
export function jobProgress(trans: TranslationBundle, job: IJob): string {
  const stage = job.build_stage ?? job.stage;
  switch (job.status) {
    case 'queued': {
      const parts = [trans.__('waiting')];
      if (job.position !== null) {
        parts.push(trans.__('place %1', job.position));
      }
      if (job.eta_seconds !== null) {
        parts.push(aboutTime(trans, job.eta_seconds));
      }
      return parts.join(', ');
    }
    case 'running':
      return stage === null ? trans.__('running') : trans.__('running: %1', stage.replaceAll('_', ' '));
    case 'complete':
      return trans.__('done');
    case 'failed':
      return trans.__('failed: %1', jobReason(job));
    case 'cancelled':
      return trans.__('cancelled');
    default:
      return job.status;
  }
}

/** Why it failed, in the lab's own words. */
export function jobReason(job: IJob): string {
  return job.error?.reason ?? '';
}

/** Whether it waits or runs. */
export function isUnfinished(job: IJob): boolean {
  return job.status === 'queued' || job.status === 'running';
}
