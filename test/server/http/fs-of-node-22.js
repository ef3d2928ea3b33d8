import { register } from 'node:module';

// The conformance suite imports `globSync`, which Node.js 20 lacks, for commands that no test uses.
const url = (code) => `data:text/javascript,${encodeURIComponent(code)}`;
const fs = url("export * from 'node:fs'; export const globSync = undefined;");
register(
  url(`export const resolve = (name, context, next) =>
    name === 'fs' && context.parentURL?.includes('/conformance/')
      ? { url: ${JSON.stringify(fs)}, shortCircuit: true }
      : next(name, context);`),
);
