import { isPositional, type LocatorCall, type LocatorChain } from '../model/locator.js';

/** How many characters of a text are checked. */
const longest = 10_000;

/** Values that can be recognized by their form. */
const knownForms = [
  /\bsk[-_][\w-]{16,}/,
  /\brk_live_\w{16,}/,
  /\bgh[opsur]_[A-Za-z\d]{20,}/,
  /\bgithub_pat_\w{20,}/,
  /\bglpat-[\w-]{16,}/,
  /\bnpm_[A-Za-z\d]{30,}/,
  /\b(?:AKIA|ASIA)[A-Z\d]{16}\b/,
  /\bAIza[\w-]{30,}/,
  /\bxox[abeprs]-[\w-]{10,}/,
  // A JSON Web Token.
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/,
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
  // Credentials in a URL.
  /\bhttps?:\/\/[^\s/@:]*:[^\s/@]+@/i,
  /[?&#](?:(?:access|auth|id|refresh)_?token|token|api[_-]?key|client_?secret|password|passwd)=[^&#\s]{8,}/i,
];

const secretField =
  /pass(?:word|wort|phrase|code)|passwd|\bpwd\b|mot de passe|contraseña|api[ _-]?key|(?:client|api)[ _-]?secret|(?:access|api|auth|bearer)[ _-]?token/i;

/** Whether a text has the form of a key, a token or a URL with one in it. */
export function holdsSecret(text: string): boolean {
  const beginning = text.slice(0, longest);
  return knownForms.some((form) => form.test(beginning));
}

/** Whether what is typed looks like a secret, by its form or by the field that it goes to. */
export function isSecretInput(value: string, field: LocatorChain): boolean {
  return holdsSecret(value) || isRandom(value) || secretField.test(JSON.stringify(ownCall(field) ?? null));
}

/** The call of a locator that identifies the element itself, not its container. */
function ownCall(chain: LocatorChain): LocatorCall | undefined {
  return chain.findLast((call) => !isPositional(call) && call.method !== 'filter');
}

/** Whether a part of a text is too long and too mixed to be a word: digits in several places, both cases, no order. */
function isRandom(text: string): boolean {
  return text
    .slice(0, longest)
    .split(/[^\w+=-]/)
    .some((part) => {
      if (/^(?=.*\d)(?=.*[a-f])[\da-f]{32,}$/i.test(part)) return true;
      const mixed = /[a-z]/.test(part) && /[A-Z]/.test(part) && (part.match(/\d+/g) ?? []).length >= 2;
      return part.length >= 24 && mixed && bitsPerCharacter(part) > 3.5;
    });
}

/** Shannon entropy. */
function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
}
