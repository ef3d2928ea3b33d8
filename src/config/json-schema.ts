import { z } from 'zod';
import { configSchema } from './schema.js';

/** The JSON Schema of `codegen.config.json`, for editors and for the reference documentation. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return {
    ...z.toJSONSchema(configSchema, { io: 'input' }),
    title: 'codegen-session-mcp configuration',
    // Read by editors: the file may hold comments.
    allowComments: true,
    allowTrailingCommas: true,
  };
}
