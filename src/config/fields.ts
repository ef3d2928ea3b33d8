import path from 'node:path';
import { z } from 'zod';
import { isInside } from '../model/paths.js';
import { policySchema } from '../model/policy.js';
import { parseUrl } from '../model/parse-url.js';

export const directorySchema = z.string().min(1);

export const outputDirectory = directorySchema.refine(
  (text) => !path.isAbsolute(text) && isInside('.', text),
  'expected a path inside the workspace',
);

export const policyOrPath = z.union([policySchema, z.string().min(1)], {
  error: 'expected a policy, or the path of a file with one',
});

export function environmentName(example: string): z.ZodString {
  return z
    .string()
    .regex(/^[A-Za-z_]\w*$/, `expected the name of an environment variable, such as ${example}`);
}

export function originSuchAs(example: string): z.ZodString {
  return z.string().refine(isOrigin, `expected an origin such as "${example}"`);
}

export const redisUrl = z
  .string()
  .refine(isRedisUrl, 'expected a URL such as redis://redis.example:6379/0, or rediss:// for TLS');

export const browserUrl = z
  .string()
  .refine(
    (text) => /^(?:ws|http)s?:$/.test(parseUrl(text)?.protocol ?? ''),
    'expected a URL such as ws://browsers.example:3000/ or http://browsers.example:9222',
  );

export const cdpUrl = z
  .string()
  .refine(
    (text) => parseUrl(text) !== undefined && /^(?:https?:|wss?:\/\/[^/]+\/devtools\/)/.test(text),
    'expected the CDP endpoint of a Chromium, such as http://127.0.0.1:9222',
  );

function isOrigin(text: string): boolean {
  const { protocol = '', origin } = parseUrl(text) ?? {};
  return /^https?:$/.test(protocol) && origin === text;
}

function isRedisUrl(text: string): boolean {
  const { protocol = '', hostname = '', pathname = '' } = parseUrl(text) ?? {};
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^\/?\d*$/.test(pathname);
}
