// What every browser has, and jsdom leaves out.
const { TextDecoder, TextEncoder } = require('node:util');
Object.assign(globalThis, { TextDecoder, TextEncoder });

// Everything is in view, always.
globalThis.IntersectionObserver = class {
  observe() {}
  disconnect() {}
};
