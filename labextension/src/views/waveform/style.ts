/**
 * The view's style, which it brings along: a notebook widget is one module and nothing else. Colours are JupyterLab's;
 * where there is no JupyterLab, they follow what the browser says the person likes.
 */
export const STYLE = `
.fpga-Wave{--fw-paper:var(--jp-layout-color0,#fff);--fw-bar:var(--jp-layout-color1,#f7f7f7);
--fw-ink:var(--jp-ui-font-color1,#222);--fw-faint:var(--jp-ui-font-color2,#666);--fw-grid:var(--jp-border-color2,#ddd);
--fw-bit:var(--jp-success-color1,#2e7d32);--fw-bus:var(--jp-brand-color1,#1976d2);
--fw-unknown:var(--jp-error-color1,#d32f2f);--fw-a:var(--jp-warn-color1,#e65100);--fw-b:var(--jp-info-color1,#7b1fa2);
--fw-chosen:var(--jp-layout-color2,#eee);--fw-font:var(--jp-code-font-family,Menlo,Consolas,'DejaVu Sans Mono',monospace);
display:flex;flex-direction:column;min-width:0;color:var(--fw-ink);background:var(--fw-paper);
border:1px solid var(--fw-grid);font:12px var(--jp-ui-font-family,system-ui,sans-serif)}
@media (prefers-color-scheme:dark){.fpga-Wave{--fw-paper:var(--jp-layout-color0,#111);--fw-bar:var(--jp-layout-color1,#1e1e1e);
--fw-ink:var(--jp-ui-font-color1,#ddd);--fw-faint:var(--jp-ui-font-color2,#999);--fw-grid:var(--jp-border-color2,#444);
--fw-bit:var(--jp-success-color1,#66bb6a);--fw-bus:var(--jp-brand-color1,#64b5f6);
--fw-unknown:var(--jp-error-color1,#ef5350);--fw-a:var(--jp-warn-color1,#ffb74d);--fw-b:var(--jp-info-color1,#ce93d8);
--fw-chosen:var(--jp-layout-color2,#333)}}
.fpga-Wave *{box-sizing:border-box}
.fpga-Wave-bar{display:flex;flex-wrap:wrap;gap:4px;align-items:center;padding:4px 6px;background:var(--fw-bar);
border-bottom:1px solid var(--fw-grid)}
.fpga-Wave-bar>*{font:inherit;color:inherit;background:var(--fw-paper);border:1px solid var(--fw-grid);border-radius:3px;
height:24px;min-width:26px;padding:0 6px}
.fpga-Wave-bar>button{cursor:pointer}
.fpga-Wave-bar>button:hover{background:var(--fw-chosen)}
.fpga-Wave-bar>input{width:11em}
.fpga-Wave :focus-visible{outline:2px solid var(--fw-bus);outline-offset:-2px}
.fpga-Wave-body{position:relative;flex:1 1 auto;overflow:hidden auto;min-height:72px}
.fpga-Wave-stage{position:sticky;top:0;display:flex}
.fpga-Wave-names{position:relative;flex:none;overflow:hidden;border-right:1px solid var(--fw-grid)}
.fpga-Wave-head,.fpga-Wave-row{position:absolute;left:0;right:0;height:24px;line-height:24px;display:flex;gap:8px;
padding:0 6px;white-space:pre;font:11px/24px var(--fw-font)}
.fpga-Wave-head{top:0;z-index:1;color:var(--fw-faint);background:var(--fw-paper);border-bottom:1px solid var(--fw-grid)}
.fpga-Wave-row{cursor:default}
.fpga-Wave-row[aria-selected=true]{background:var(--fw-chosen)}
.fpga-Wave-row[data-group]{color:var(--fw-faint);font-weight:600}
.fpga-Wave-label{flex:0 1 auto;overflow:hidden;text-overflow:ellipsis}
.fpga-Wave-value{flex:1 0 0;min-width:3em;overflow:hidden;text-overflow:ellipsis;text-align:right;color:var(--fw-faint)}
.fpga-Wave-picture{flex:1 1 0;min-width:0;touch-action:pan-y;cursor:crosshair}
.fpga-Wave-status{min-height:22px;padding:3px 6px;font:11px/16px var(--fw-font);background:var(--fw-bar);
border-top:1px solid var(--fw-grid)}
.fpga-Wave-help{padding:4px 8px;background:var(--fw-bar);border-top:1px solid var(--fw-grid)}
.fpga-Wave-help kbd{font:11px var(--fw-font);padding:0 3px;border:1px solid var(--fw-grid);border-radius:3px}
.fpga-Wave-help ul{columns:22em;margin:2px 0;padding:0;list-style:none}
`;
