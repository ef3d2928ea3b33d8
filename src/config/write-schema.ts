import { mkdirSync, writeFileSync } from 'node:fs';
import { configJsonSchema } from './json-schema.js';

// Run by the build, from dist/config.
const directory = new URL('../../schema/', import.meta.url);
mkdirSync(directory, { recursive: true });
writeFileSync(
  new URL('codegen.config.schema.json', directory),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
