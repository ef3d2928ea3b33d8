import type { Import } from '../model/code.js';
import type { Language } from '../model/emission.js';

/** A function that is emitted below a test that needs it, instead of a dependency. */
interface Helper {
  /** Its source, ready to be printed. */
  code: string;
  imports: Import[];
}

/** Computes the code of RFC 6238 as authenticator apps do. */
const totp = (language: Language): string => `
/**
 * The current one-time password (RFC 6238).
 * ${language === 'typescript' ? '@param seed' : '@param {string} seed'} a base32 secret or an otpauth:// URL
 */
function totp(seed${language === 'typescript' ? ': string' : ''}) {
  const url = URL.canParse(seed) ? new URL(seed).searchParams : new URLSearchParams({ secret: seed });
  const bits = [...(url.get("secret") ?? "").toUpperCase().replace(/[^A-Z2-7]/g, "")]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / Number(url.get("period") ?? 30))));
  const hash = createHmac((url.get("algorithm") ?? "SHA1").replace("-", ""), key).update(counter).digest();
  const number = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7fffffff;
  const digits = Number(url.get("digits") ?? 6);
  return String(number % 10 ** digits).padStart(digits, "0");
}`;

const uniqueWord = (): string => `
/** A word that is new in every run. */
function uniqueWord() {
  const letters = "bcdfghjkmnpqrstvwxz";
  return Array.from({ length: 10 }, () => letters[Math.floor(Math.random() * letters.length)]).join("");
}`;

/** The helpers that code calls by their names. */
export function helpersOf(names: ReadonlySet<string>, language: Language): Helper[] {
  return [
    ...(names.has('totp')
      ? [{ code: totp(language), imports: [{ from: 'node:crypto', names: ['createHmac'] }] }]
      : []),
    ...(names.has('uniqueWord') ? [{ code: uniqueWord(), imports: [] }] : []),
  ];
}
