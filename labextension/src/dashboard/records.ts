/** What the compute service says, as far as it is shown. */

/** `GET …/compute/jobs`. */
export interface IActionRecord {
  lsn: number;
  function: string;
  worker: string;
  owner: string;
  state: string;
  started_at: string | null;
}

/** `GET …/compute/queues`. */
export interface IQueue {
  queue_id: number;
  owner: string;
  state: string;
  active: number;
  completed: number;
  failed: number;
  cancelled: number;
}

/** `GET …/compute/workers`. */
export interface IWorker {
  worker: string;
  name: string;
  functions: { name: string; version: string }[];
}

/** `GET …/compute/sysinfo`. */
export interface ISysInfo {
  cores: number;
  runner: { kind: string; capacity?: number };
  sandbox: { tier: string; reason: string };
}

/** Where results came from, since the lab was started. */
export interface IResults {
  run: number;
  shared: number;
  cache: number;
}

/** `jupyter_fpga_results_total{source="…"}` of the lab's metrics. */
export function resultsOf(metrics: string): IResults {
  const results: IResults = { run: 0, shared: 0, cache: 0 };
  for (const [, source, count] of metrics.matchAll(/^jupyter_fpga_results_total\{source="(\w+)"\} (\S+)$/gm)) {
    if (source === 'run' || source === 'shared' || source === 'cache') {
      results[source] = Number(count);
    }
  }
  return results;
}
