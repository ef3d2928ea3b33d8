import { z } from 'zod';
import type { ListedTool } from './listed-tool.js';
import { types, type Tool } from './tool.js';

/** A tool as clients see it. */
export function listed({ name, title, description, input, output, annotations }: Tool): ListedTool {
  return {
    name,
    title,
    description,
    inputSchema: { ...toJsonSchema(input), type: 'object' },
    outputSchema: { type: 'object', properties: { ...shallowly(output), error: types.object } },
    annotations,
  };
}

/** The fields of results without what is inside lists. */
function shallowly(output: Tool['output']): Tool['output'] {
  return Object.fromEntries(Object.entries(output).map(([name, { type }]) => [name, { type }]));
}

/** What a schema checks and an agent need not know beforehand. */
const unadvertised = [
  'additionalProperties',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'pattern',
  'minimum',
  'exclusiveMinimum',
  'maximum',
];

/** The schema of arguments as it is advertised: what is marked `shallow` is only described. */
function toJsonSchema(schema: z.ZodObject): Record<string, unknown> {
  const { $schema, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema }) {
      if (jsonSchema['shallow'] === true)
        for (const key of Object.keys(jsonSchema))
          if (key !== 'type' && key !== 'description') Reflect.deleteProperty(jsonSchema, key);
      if (jsonSchema['selfEvident'] === true)
        for (const key of ['description', 'selfEvident']) Reflect.deleteProperty(jsonSchema, key);
      for (const key of unadvertised) Reflect.deleteProperty(jsonSchema, key);
    },
  });
  return json;
}
