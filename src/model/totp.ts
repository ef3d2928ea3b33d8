import { Secret, TOTP, URI } from 'otpauth';
import { CodegenError } from './errors.js';

/** Number of codes that are redacted; older ones have expired. */
const maxCodes = 5;

export class OneTimePasswords {
  private readonly codes: string[] = [];

  /** The current code of a base32 secret or otpauth:// URL, and an expired one that need not be redacted any more. */
  current(name: string, seed: string): { code: string; expired: string | undefined } {
    const code = generatorOf(name, seed).generate();
    if (!this.codes.includes(code)) this.codes.push(code);
    return { code, expired: this.codes.length > maxCodes ? this.codes.shift() : undefined };
  }
}

function generatorOf(name: string, seed: string): TOTP {
  try {
    const generator = seed.startsWith('otpauth:')
      ? URI.parse(seed)
      : new TOTP({ secret: Secret.fromBase32(seed.replaceAll(/\s/g, '')) });
    if (generator instanceof TOTP) return generator;
  } catch {
    // The error would quote the seed.
  }
  throw new CodegenError('INVALID_INPUT', `The secret ${name} can't generate one-time passwords.`, {
    hint: 'Set it to a base32 secret, or to a URL that starts with otpauth://totp/.',
  });
}
