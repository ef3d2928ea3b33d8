import path from 'node:path';
import { z } from 'zod';
import { limitSchema } from '../model/policy.js';
import { directorySchema, environmentName, originSuchAs, outputDirectory, policyOrPath } from './fields.js';
import { tokenConflicts, type Conflict, type TokenHolder } from './token-conflicts.js';

export const grantSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z\d](?:[\w.-]{0,62}[\w-])?$/,
      'expected up to 64 letters, digits, dots, dashes and underscores, such as "ci"',
    )
    .describe('Name of the caller, for the log and limits.'),
  tokenEnv: environmentName('CI_TOKEN')
    .optional()
    .describe('Environment variable with its bearer token, of 32 characters or more; or use `tokenFile`.'),
  tokenFile: z
    .string()
    .refine((file) => path.isAbsolute(file), 'expected an absolute path outside the workspace')
    .optional()
    .describe('Absolute path of a file with its bearer token, outside the workspace.'),
  policy: policyOrPath.optional().describe('Its policy, or the path of one; by default, the general policy.'),
  limits: z.array(limitSchema).optional().describe('Replaces `writes.limits` for this grant.'),
  output: z
    .strictObject({ dir: outputDirectory.describe('Directory of its tests, relative to the workspace.') })
    .optional()
    .describe('The only directory for its tests; by default, the general one.'),
  maxSessions: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      'Maximum number of its open sessions, within `browser.maxSessions`; by default, an equal share of them.',
    ),
});

export const webhookSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
      .describe('URL to which events are sent as JSON.'),
    secretEnv: environmentName('WEBHOOK_SECRET').describe(
      'Environment variable with the key that signs events.',
    ),
  })
  .nullable()
  .default(null)
  .describe('Reports denied calls and pending approvals to a URL; null reports nothing.');

const host = /^(?:\[[\da-f:.]+\]|[a-z\d.-]+)(?::\d{1,5})?$/i;

export const httpSchema = z
  .strictObject({
    tls: z
      .strictObject({
        cert: directorySchema.describe('File with the certificate and its chain.'),
        key: directorySchema.describe('File with its private key.'),
      })
      .nullable()
      .default(null)
      .describe('PEM files for HTTPS, relative to the workspace or absolute; null serves plain HTTP.'),
    allowedHosts: z
      .array(z.string().regex(host, 'expected a host, such as mcp.example.com or mcp.example.com:8443'))
      .default([])
      .describe('Accepted `Host` headers, besides the loopback names and the address of `--host`.'),
    allowedOrigins: z
      .array(originSuchAs('https://tools.example'))
      .default([])
      .describe('Origins of web pages that may call the server, besides its own.'),
  })
  .prefault({})
  .describe('The server that `--port` starts; read once at startup.');

interface TokenGrant extends TokenHolder {
  output?: { dir: string } | undefined;
}

interface Grants {
  output: { dir: string };
  secrets: (string | { name: string })[];
  grants: TokenGrant[];
}

/** Conflicts between grants, and between a grant and other keys. */
export function conflictsOf({ output, secrets, grants }: Grants): Conflict[] {
  return grants.flatMap((grant, index) => {
    const before = grants.slice(0, index);
    const dir = grant.output?.dir ?? output.dir;
    const nested = before.find((other) => areNested(dir, other.output?.dir ?? output.dir));
    const place = ['grants', index];
    return [
      ...tokenConflicts(grant, { what: 'grant', before, others: [], secrets }).map(({ path, message }) => ({
        path: [...place, ...path],
        message,
      })),
      ...(nested === undefined
        ? []
        : [
            {
              path: [...place, 'output'],
              message: `its directory ${dir} and that of the grant "${nested.name}" must be the same or separate, not nested`,
            },
          ]),
    ];
  });
}

/** Whether one directory is inside the other. */
function areNested(one: string, other: string): boolean {
  const [first, second] = [withSlash(one), withSlash(other)];
  return first !== second && (first.startsWith(second) || second.startsWith(first));
}

/** Normalizes a directory, so that its spelling does not matter. */
export function withSlash(directory: string): string {
  const names = directory.split('/').filter((name) => name !== '' && name !== '.');
  return [...names, ''].join('/');
}
