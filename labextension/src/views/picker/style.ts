/** The board picker's style, by JupyterLab's own colours where there are some. */
export const STYLE = `
.fpga-picker {
  color: var(--jp-ui-font-color1, #222); max-width: 46em;
  font: var(--jp-ui-font-size1, 13px) var(--jp-ui-font-family, system-ui, sans-serif);
}
.fpga-picker header { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; margin-bottom: 6px; }
.fpga-picker [role=status] { color: var(--jp-ui-font-color2, #666); flex: 1; }
.fpga-picker select, .fpga-picker button {
  font: inherit; color: inherit; background: var(--jp-layout-color2, #eee); padding: 1px 6px;
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 2px;
}
.fpga-picker button { cursor: pointer; }
.fpga-picker input { accent-color: var(--jp-brand-color1, #06c); vertical-align: middle; }
.fpga-picker [role=listbox] {
  max-height: 20em; overflow: auto; border: 1px solid var(--jp-border-color1, #bbb); border-radius: 2px;
  background: var(--jp-layout-color1, #fff);
}
.fpga-picker :focus-visible { outline: 2px solid var(--jp-brand-color1, #06c); outline-offset: 1px; }
.fpga-picker [role=option] {
  display: grid; grid-template-columns: 1.5em 6em minmax(8em, 16em) minmax(6em, 10em) 1fr;
  gap: 0 8px; align-items: baseline; padding: 3px 8px; cursor: pointer; border-left: 3px solid transparent;
}
.fpga-picker [role=option] + [role=option] { border-top: 1px solid var(--jp-border-color3, #eee); }
.fpga-picker [role=option][aria-disabled=true] { cursor: default; color: var(--jp-ui-font-color2, #666); }
.fpga-picker [role=option]:hover { background: var(--jp-layout-color2, #eee); }
.fpga-picker [role=listbox]:focus .fpga-active {
  outline: 2px solid var(--jp-brand-color1, #06c); outline-offset: -2px;
}
.fpga-picker [aria-selected=true] {
  border-left-color: var(--jp-brand-color1, #06c); background: var(--jp-layout-color2, #eee); font-weight: 600;
}
.fpga-picker .fpga-sign { text-align: center; font-weight: 600; }
.fpga-picker [data-kind=free] .fpga-sign { color: var(--jp-success-color1, #283); }
.fpga-picker [data-kind=mine] .fpga-sign { color: var(--jp-brand-color1, #06c); }
.fpga-picker [data-kind=taken] .fpga-sign { color: var(--jp-warn-color1, #b60); }
.fpga-picker [data-kind=broken] .fpga-sign { color: var(--jp-error-color1, #c22); }
.fpga-picker .fpga-tag {
  background: var(--jp-layout-color3, #ddd); border-radius: 8px; padding: 0 6px; margin-left: 4px;
  font-size: var(--jp-ui-font-size0, 11px); font-weight: 400;
}
.fpga-picker .fpga-mine { list-style: none; margin: 6px 0 0; padding: 0; }
.fpga-picker .fpga-mine li { display: flex; gap: 8px; align-items: baseline; padding: 2px 0; }
.fpga-picker .fpga-mine span { min-width: 16em; }
`;
