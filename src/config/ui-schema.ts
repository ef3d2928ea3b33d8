import path from 'node:path';
import { z } from 'zod';
import { roles } from '../model/role.js';
import { environmentName } from './fields.js';
import { tokenConflicts, type Conflict, type TokenHolder } from './token-conflicts.js';

export const operatorSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u, 'expected up to 64 letters and digits, such as "Ann"')
    .describe('Name of the person, for the log.'),
  role: z
    .enum(roles)
    .default('viewer')
    .describe(
      '`viewer` sees everything; `approver` also decides approvals; `operator` also takes over, ends and clears sessions, runs tests, and edits a policy that has a file of its own.',
    ),
  tokenEnv: environmentName('ANN_TOKEN')
    .optional()
    .describe('Environment variable with the token, of 32 characters or more; or use `tokenFile`.'),
  tokenFile: z
    .string()
    .refine((file) => path.isAbsolute(file), 'expected an absolute path outside the workspace')
    .optional()
    .describe('Absolute path of a file with the token, outside the workspace.'),
});

export const uiSchema = z
  .strictObject({
    port: z
      .int()
      .min(0)
      .max(65_535)
      .nullable()
      .default(null)
      .describe(
        'Port on 127.0.0.1 where a server over stdio serves it; 0 is any free port, null serves none. Over HTTP, the server itself serves it at `/`.',
      ),
    operators: z
      .array(operatorSchema)
      .default([])
      .describe(
        'Who may open it, each with a token of their own. Without operators, a server on a loopback address prints a link that opens it once.',
      ),
  })
  .prefault({})
  .describe('The web UI.');

interface Operators {
  ui: { operators: readonly TokenHolder[] };
  secrets: readonly (string | { name: string })[];
  grants: readonly TokenHolder[];
}

/** Conflicts between operators, and between an operator and other keys. */
export function operatorConflicts({ ui: { operators }, secrets, grants }: Operators): Conflict[] {
  return operators.flatMap((operator, index) => {
    const surroundings = {
      what: 'operator',
      before: operators.slice(0, index),
      others: grants,
      secrets,
    } as const;
    return tokenConflicts(operator, surroundings).map(({ path, message }) => ({
      path: ['ui', 'operators', index, ...path],
      message,
    }));
  });
}
