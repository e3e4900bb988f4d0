/** The log's looks, as text: a view brings it along, so that it is the same in a panel and in a notebook. */

// Tools choose colours for a dark terminal or a light one. Each is mixed with the theme's text colour here, which makes
// it readable on the theme's background, whichever that is.
const HUES = [
  'var(--jp-ui-font-color2, #616161)',
  'var(--jp-error-color1, #d32f2f)',
  'var(--jp-success-color1, #388e3c)',
  'var(--jp-warn-color1, #f57c00)',
  'var(--jp-brand-color1, #1976d2)',
  'var(--md-purple-500, #9c27b0)',
  'var(--jp-info-color1, #0097a7)',
  'var(--jp-ui-font-color1, #212121)'
];

const PALETTE = HUES.map(
  (hue, index) => `--jp-FpgaLog-ansi${index}:color-mix(in srgb,${hue} 60%,var(--jp-content-font-color0,#111));`
).join('');

export const STYLE = `
.jp-FpgaLog{${PALETTE}display:flex;flex-direction:column;min-height:0;height:100%;box-sizing:border-box;
 color:var(--jp-content-font-color1,#212121);background:var(--jp-layout-color1,#fff);
 font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:var(--jp-ui-font-size1,13px)}
.jp-FpgaLog-bar{display:flex;flex-wrap:wrap;gap:4px;align-items:center;padding:4px 8px;
 border-bottom:1px solid var(--jp-border-color2,#e0e0e0)}
.jp-FpgaLog-bar input{flex:0 1 16em;min-width:6em;padding:2px 6px;font:inherit;color:inherit;
 background:var(--jp-input-background,#f5f5f5);border:1px solid var(--jp-border-color1,#bdbdbd);border-radius:2px}
.jp-FpgaLog-bar button{padding:2px 8px;font:inherit;color:inherit;cursor:pointer;
 background:var(--jp-layout-color2,#eee);border:1px solid var(--jp-border-color1,#bdbdbd);border-radius:2px}
.jp-FpgaLog-bar button[aria-pressed=true]{border-color:var(--jp-brand-color1,#1976d2);
 box-shadow:inset 0 -2px var(--jp-brand-color1,#1976d2)}
.jp-FpgaLog-bar button:disabled{opacity:.5;cursor:default}
.jp-FpgaLog-bar output{flex:1;color:var(--jp-ui-font-color2,#616161);font-variant-numeric:tabular-nums}
.jp-FpgaLog-bar :focus-visible,.jp-FpgaLog-scroll:focus-visible{outline:2px solid var(--jp-brand-color1,#1976d2);
 outline-offset:-1px}
.jp-FpgaLog-scroll{flex:1;min-height:0;overflow:auto;overflow-anchor:none;position:relative;
 font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);line-height:1.4}
.jp-FpgaLog-all{position:relative;min-width:100%}
.jp-FpgaLog-seen{position:absolute;left:0;min-width:100%;box-sizing:border-box;padding:0 8px}
.jp-FpgaLog-seen div{white-space:pre;min-height:1.4em}
.jp-FpgaLog-seen .bold{font-weight:bold}
.jp-FpgaLog-seen .faint{opacity:.75}
.jp-FpgaLog-seen .italic{font-style:italic}
.jp-FpgaLog-seen .underline{text-decoration:underline}
.jp-FpgaLog-seen .strike{text-decoration:line-through}
.jp-FpgaLog-seen mark{color:inherit;background:color-mix(in srgb,var(--jp-warn-color1,#f57c00) 30%,transparent)}
/* Above and below: where the colour changes within a match it is two elements, and still one match. */
.jp-FpgaLog-seen .current mark{
 box-shadow:0 -2px var(--jp-warn-color1,#f57c00),0 2px var(--jp-warn-color1,#f57c00)}
`;
