import { Secret, TOTP, URI } from 'otpauth';
import { CodegenError } from './errors.js';

/** Codes that stay out of texts: older ones have expired. */
const maxCodes = 5;

/** One-time passwords of now (RFC 6238). */
export class OneTimePasswords {
  private readonly codes: string[] = [];

  /** The code that a base32 secret or an otpauth:// URL gives, and an earlier one that need not be kept secret any more. */
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
  throw new CodegenError('INVALID_INPUT', `The secret ${name} gives no one-time passwords.`, {
    hint: 'It has to be a base32 secret, or a URL that begins with otpauth://totp/.',
  });
}
