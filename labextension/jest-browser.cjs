// What JupyterLab's modules ask of a browser as they are loaded, and jsdom hasn't got.
globalThis.DragEvent ??= class DragEvent extends globalThis.MouseEvent {};
globalThis.matchMedia ??= () => ({ matches: false, addEventListener() {}, removeEventListener() {} });

// What every browser has, and jsdom leaves out.
const { TextDecoder, TextEncoder } = require('node:util');
Object.assign(globalThis, { TextDecoder, TextEncoder });

// Everything is in view, always.
globalThis.IntersectionObserver = class {
  observe() {}
  disconnect() {}
};
// jsdom is never idle, and so never says that it is.
globalThis.requestIdleCallback ??= callback => setTimeout(callback);
