import type { IModel, IRenderContext } from '../anywidget';
import type { IStreamingDoor } from '../lab/door';
import { RETRIES } from '../lab/events';
import { KernelLog, type ILogReader } from '../lab/kernelLog';
import type { IJob } from '../lab/records';
import { ownDoor } from '../lab/widgetDoor';
import { LogStream } from '../logs/stream';
import { element } from '../views/dom';
import { LogView } from '../views/log';

const STYLE = `
.fpga-log { border: 1px solid var(--jp-border-color2, #ddd); }
.fpga-log > header {
  display: flex; gap: 8px; padding: 4px 8px; color: var(--jp-ui-font-color1, #222);
  background: var(--jp-layout-color1, #fff);
  font: var(--jp-ui-font-size1, 13px) var(--jp-ui-font-family, system-ui, sans-serif);
}
.fpga-log > header span { color: var(--jp-ui-font-color2, #666); }
.fpga-log > .jp-FpgaLog { height: 22em; min-height: 8em; resize: vertical; overflow: hidden; }
`;

/** Read the log where it is, and on from there when the connection was lost. */
function readDirectly(door: IStreamingDoor, jobId: string, reader: ILogReader): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  const stream = new LogStream(door, jobId, {
    onText: text => {
      attempt = 0;
      reader.onTrouble('');
      reader.onText(text);
    },
    onEnd: () => {
      door.request<IJob>('GET', `jobs/${jobId}`).then(
        job => {
          reader.onEnd(job.status);
        },
        (error: unknown) => {
          reader.onTrouble(String(error));
        }
      );
    },
    onTrouble: error => {
      reader.onTrouble(error.message);
      if (error.status === 0 || error.status >= 500) {
        timer = setTimeout(() => void stream.read(), RETRIES[Math.min(attempt, RETRIES.length - 1)]);
        attempt += 1;
      }
    }
  });
  void stream.read();
  return () => {
    clearTimeout(timer);
    stream.close();
  };
}

/** What a model's views share: what came through the kernel before a view was there. */
export default function widget(): object {
  let through: KernelLog | null = null;

  function initialize({ model }: { model: IModel }): void {
    if (ownDoor(model) === null) {
      through = new KernelLog(model);
    }
  }

  function render({ model, el }: IRenderContext): () => void {
    const title = `Log: ${model.get('title') as string}`;
    const view = new LogView({ label: title });
    const status = element('span', { role: 'status' });
    el.append(
      element(
        'section',
        { class: 'fpga-log', 'aria-label': title },
        element('style', {}, STYLE),
        element('header', {}, element('b', {}, title), status),
        view.node
      )
    );
    const reader: ILogReader = {
      onText: text => {
        view.append(text);
      },
      onEnd: how => {
        status.textContent = how;
      },
      onTrouble: why => {
        if (status.textContent !== why) {
          status.textContent = why;
        }
      }
    };
    const door = ownDoor(model);
    const jobId = model.get('job_id') as string;
    const end = door === null ? through?.read(reader) : readDirectly(door, jobId, reader);
    return () => {
      end?.();
      view.dispose();
    };
  }

  return { initialize, render };
}
