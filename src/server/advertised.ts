import { z } from 'zod';

const nodeSchema = z.looseObject({
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
});

type Wrap = (value: unknown) => unknown;

/** A JSON schema without the enum values that `permits` denies; it gets arguments that contain the value. */
export function withoutDenied(schema: unknown, permits: (args: unknown) => boolean): Record<string, unknown> {
  return prune(schema, (value) => value, permits) ?? {};
}

function prune(
  schema: unknown,
  wrap: Wrap,
  permits: (args: unknown) => boolean,
): Record<string, unknown> | undefined {
  const node = nodeSchema.safeParse(schema).data;
  if (node === undefined) return undefined;
  const { enum: values, properties, items } = node;
  const allowed = (values ?? []).filter((value) => permits(wrap(value)));
  return {
    ...node,
    // If all values are denied, the rule is about another argument.
    ...(allowed.length > 0 ? { enum: allowed } : {}),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, each]) => [
          name,
          prune(each, (value) => wrap({ [name]: value }), permits) ?? each,
        ]),
      ),
    }),
    ...(items === undefined ? {} : { items: prune(items, (value) => wrap([value]), permits) ?? items }),
  };
}
