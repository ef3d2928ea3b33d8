import { mkdirSync, writeFileSync } from 'node:fs';
import { configJsonSchema } from './config/json-schema.js';
import { listed } from './tools/listed.js';
import { tools } from './tools/registry.js';

// Run by the build, from dist.
const directory = new URL('../schema/', import.meta.url);
mkdirSync(directory, { recursive: true });
write('codegen.config.schema.json', configJsonSchema());
write('tools.json', { tools: tools.map(listed) });

function write(name: string, schema: object): void {
  writeFileSync(new URL(name, directory), `${JSON.stringify(schema, null, 2)}\n`);
}
