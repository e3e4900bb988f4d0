// Each notebook widget becomes one ES module that stands alone, as anywidget wants it: it is sent to the browser, and
// kept in a saved notebook, as text. Parts are what a widget's kernel sends when the view is open: they aren't saved.
import { build } from 'esbuild';
import { readdirSync, statSync } from 'node:fs';

const from = 'src/widgets';
const to = '../jupyter_fpga/notebook/widgets/static';
// Of each module, bytes: it is in every notebook that shows the widget.
const most = 20_000;

const entries = ['', 'parts/'].flatMap(folder =>
  readdirSync(from + '/' + folder)
    .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(name => folder + name)
);
await build({
  entryPoints: entries.map(name => `${from}/${name}`),
  outdir: to,
  outbase: from,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  loader: { '.css': 'text' },
  logLevel: 'warning'
});
for (const name of entries) {
  const file = `${to}/${name.replace(/\.ts$/, '.js')}`;
  const size = statSync(file).size;
  if (size >= most && !name.startsWith('parts/')) {
    throw new Error(`${file} has ${size} bytes, and must have fewer than ${most}.`);
  }
}
