import { z } from 'zod';
import { limitSchema } from '../model/policy.js';
import { directorySchema, environmentName, originSuchAs, outputDirectory, policyOrPath } from './fields.js';

export const grantSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z\d](?:[\w.-]{0,62}[\w-])?$/,
      'expected up to 64 letters, digits, dots, dashes and underscores, such as "ci"',
    )
    .describe('Name of the caller, for the log and limits.'),
  tokenEnv: environmentName('CI_TOKEN').describe(
    'Environment variable with its bearer token; of 32 characters or more, so that nobody guesses it.',
  ),
  policy: policyOrPath.optional().describe('Its policy, or the path of one; by default, the general policy.'),
  limits: z.array(limitSchema).optional().describe('Replace `writes.limits` for this grant.'),
  output: z
    .strictObject({ dir: outputDirectory.describe('Directory of its tests, relative to the workspace.') })
    .optional()
    .describe('The only directory for its tests; by default, the general one.'),
  maxSessions: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Maximum number of its open sessions, within `browser.maxSessions`.'),
});

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
      .describe(
        'PEM files, relative to the workspace or absolute, with which HTTPS is served; null serves plain HTTP.',
      ),
    allowedHosts: z
      .array(z.string().regex(host, 'expected a host, such as mcp.example.com or mcp.example.com:8443'))
      .default([])
      .describe('Accepted `Host` headers, besides the loopback names and the address of `--host`.'),
    allowedOrigins: z
      .array(originSuchAs('https://tools.example'))
      .default([])
      .describe('Origins of web pages that may call, besides the server itself.'),
  })
  .prefault({})
  .describe('The server that `--port` starts; read once at startup.');

interface Grants {
  output: { dir: string };
  secrets: (string | { name: string })[];
  grants: { name: string; tokenEnv: string; output?: { dir: string } | undefined }[];
}

/** What keeps grants from standing side by side: for each problem its key below `grants`, its value and what is wrong. */
export function conflictsOf({ output, secrets, grants }: Grants): {
  path: (string | number)[];
  message: string;
}[] {
  const secretNames = secrets.map((secret) => (typeof secret === 'string' ? secret : secret.name));
  return grants.flatMap(({ name, tokenEnv, output: own }, index) => {
    const before = grants.slice(0, index);
    const dir = own?.dir ?? output.dir;
    const nested = before.find((other) => areNested(dir, other.output?.dir ?? output.dir));
    const problems: [key: string, message: string | false | undefined][] = [
      ['name', before.some((other) => other.name === name) && 'another grant has this name'],
      ['tokenEnv', before.some((other) => other.tokenEnv === tokenEnv) && 'another grant has this token'],
      ['tokenEnv', secretNames.includes(tokenEnv) && 'it is among `secrets`, which pages get'],
      [
        'output',
        nested &&
          `its directory ${dir} and that of the grant "${nested.name}" must be the same or apart, not one in the other`,
      ],
    ];
    return problems.flatMap(([key, message]) => (message ? [{ path: ['grants', index, key], message }] : []));
  });
}

/** Whether one directory lies in the other, without being it. */
function areNested(one: string, other: string): boolean {
  const [first, second] = [withSlash(one), withSlash(other)];
  return first !== second && (first.startsWith(second) || second.startsWith(first));
}

/** A directory by its names, so that its spelling does not matter. */
export function withSlash(directory: string): string {
  const names = directory.split('/').filter((name) => name !== '' && name !== '.');
  return [...names, ''].join('/');
}
