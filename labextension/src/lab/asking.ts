/** What panels ask the lab for: lists of boards and jobs, and those of them that are otherwise than before. */

import { Refusal, type IDoor } from './door';
import type { IFound } from './kept';
import { isOperator, type IBoard, type IJob, type IMe } from './records';

/** Jobs that are listed; single accesses to registers are jobs as well, and far too many. */
export const TYPES = ['build_and_program', 'build', 'reset'];
/** Of each type that are asked for. */
const ASKED = 30;
/** From so many on, all are asked for at once. */
const MANY = 8;

export async function allBoards(door: IDoor): Promise<IFound<IBoard>> {
  return { records: await door.request<IBoard[]>('GET', 'fpga'), all: true };
}

export async function someBoards(door: IDoor, ids: string[]): Promise<IFound<IBoard>> {
  const found = ids.length < MANY ? await Promise.all(ids.map(id => one<IBoard>(door, `fpga/${id}`))) : [null];
  // So many at once are one question; and when one isn't there any more, others may be.
  return found.includes(null) ? allBoards(door) : { records: present(found), all: false };
}

/** One's own: also an operator's, who is shown everybody's unless they ask for theirs. */
export async function allJobs(door: IDoor, me: IMe | null): Promise<IFound<IJob>> {
  const own = me !== null && isOperator(me) ? `&owner=${encodeURIComponent(me.name)}` : '';
  const lists = [
    ...TYPES.map(type => `jobs?type=${type}&limit=${ASKED}`),
    // However many came after them.
    ...TYPES.slice(0, 2).map(type => `jobs?type=${type}&status=queued`)
  ];
  const found = await Promise.all(lists.map(path => door.request<IJob[]>('GET', path + own)));
  return { records: found.flat(), all: true };
}

export async function someJobs(door: IDoor, ids: string[], me: IMe | null): Promise<IFound<IJob>> {
  if (ids.length >= MANY) {
    return allJobs(door, me);
  }
  return { records: present(await Promise.all(ids.map(id => one<IJob>(door, `jobs/${id}`)))), all: false };
}

/** What there may be, or `null`. */
async function one<T>(door: IDoor, path: string): Promise<T | null> {
  try {
    return await door.request<T>('GET', path);
  } catch (error) {
    if (error instanceof Refusal && error.status === 404 && error.code !== 'no_lab') {
      return null;
    }
    throw error;
  }
}

function present<T>(values: (T | null)[]): T[] {
  return values.filter(value => value !== null);
}
