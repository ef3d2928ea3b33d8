import { z } from 'zod';

type JsonObject = Record<string, z.core.util.JSONType>;

const objectSchema = z.looseObject({
  type: z.literal('object'),
  properties: z
    .record(
      z.string(),
      z.custom<JsonObject>((value) => typeof value === 'object'),
    )
    .optional(),
  required: z.array(z.string()).optional(),
});

/** A tool as clients see it. */
export const listedToolSchema = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  inputSchema: objectSchema,
  outputSchema: objectSchema,
  annotations: z.object({
    readOnlyHint: z.boolean(),
    destructiveHint: z.boolean(),
    idempotentHint: z.boolean(),
    openWorldHint: z.boolean(),
  }),
});

export type ListedTool = z.infer<typeof listedToolSchema>;
