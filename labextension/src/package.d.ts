/** The extension's own description, of which the version is known at run time. */
declare module '*/package.json' {
  export const version: string;
}
