import { z } from 'zod';
import { property, run, values } from '../model/code.js';
import { defineAction } from './action.js';

export const install = defineAction({
  name: 'credentials.install',
  description:
    'Installs a virtual authenticator for passkeys. Install it before opening the page that uses them; pages then register and use passkeys without a dialog.',
  kind: 'passive',
  playwrightNames: true,
  fields: z.strictObject({}),
  perform: ({ page }) => page.context().credentials.install(),
  toCode: (_, { context }) => [run(property(context, 'credentials'), 'install')],
});

const base64url = z.string().regex(/^[\w-]+$/, 'expected base64url');

/** Identify a passkey that the application already knows. */
const known = ['id', 'userHandle', 'privateKey', 'publicKey'] as const;

export const create = defineAction({
  name: 'credentials.create',
  description:
    'Gives the authenticator a passkey: a new one, or with `id`, `userHandle`, `privateKey` and `publicKey` one that the application knows.',
  kind: 'passive',
  playwrightNames: true,
  fields: z
    .strictObject({
      rpId: z.string().min(1).describe('Relying party, usually the domain of the site.'),
      id: base64url.optional().describe('Identifier of the credential.'),
      userHandle: base64url.optional().describe('Identifier of the user.'),
      privateKey: z
        .string()
        .min(1)
        .optional()
        .describe('Private key (PKCS#8), in base64url; give it as {{secret:NAME}}.'),
      publicKey: base64url.optional().describe('Public key (SPKI), in base64url.'),
      signCount: z.int().min(0).optional().describe('Value of the signature counter.'),
    })
    .refine(
      (fields) => new Set(known.map((name) => fields[name] === undefined)).size === 1,
      `expected all of ${known.join(', ')}, or none`,
    ),
  perform: async ({ page }, { rpId, ...options }) => {
    await page.context().credentials.create(rpId, options);
  },
  toCode: ({ rpId, ...options }, { context }) => [
    run(property(context, 'credentials'), 'create', ...values(rpId, options)),
  ],
});
